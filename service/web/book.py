"""The form to book a scan: what was wrong comes back with what was typed, and nothing is stored."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from flows.model import Reason
from service import booking
from service.errors import Conflict, Invalid
from service.intake import Permission, read_booking
from service.web.access import Person, StaffMember, TheParts
from service.web.frame import frame, sites
from service.web.pages import page
from service.wiring import Parts

LANGUAGES = {"en": "English", "es": "Spanish"}
router = APIRouter(prefix="/clinic", include_in_schema=False)
Field = Annotated[str, Form(max_length=500)]


@router.get("/book")
def booking_form(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """An empty form to book a scan."""
    return _form(request, who, parts, {}, None, 200)


def _form(
    request: Request, who: Person, parts: Parts, given: dict[str, str], wrong: Invalid | Conflict | None, status: int
) -> Response:
    with parts.database.clinic(who.clinic_id) as session:
        context = {
            **frame(session, who, "book", "/clinic/book"),
            "sites": sites(session),
            "reasons": list(Reason),
            "languages": LANGUAGES,
            "given": given,
            "wrong": wrong,
        }
        return page(request, "book.html", context, status)


@router.post("/book")
def book(
    request: Request,
    who: StaffMember,
    parts: TheParts,
    external_id: Field,
    patient_id: Field,
    given_name: Field,
    phone: Field,
    arrival_at: Field,
    tracer: Field,
    reason: Field = "unknown",
    starts_at: Field = "",
    permission_how: Field = "",
    language: Field = "en",
) -> Response:
    """Book it; a wrong field comes back with the form as it was filled in, and nothing is stored."""
    given = {
        "external_id": external_id,
        "patient_id": patient_id,
        "given_name": given_name,
        "phone": phone,
        "arrival_at": arrival_at,
        "starts_at": starts_at,
        "tracer": tracer,
        "reason": reason,
        "permission_how": permission_how,
        "language": language,
    }
    now = parts.now()
    try:
        if not permission_how.strip():
            raise Invalid("permission_how", "say how he agreed to be texted, such as: asked by phone")
        read = read_booking(
            patient_id=patient_id,
            given_name=given_name,
            phone=phone,
            language=language,
            zone=None,
            arrival_at=arrival_at,
            starts_at=starts_at or None,
            tracer=tracer,
            reason=reason,
            site=None,
            permission=Permission(who.actor, permission_how, now),
        )
        booking.book(parts, who.clinic_id, _id(external_id), read, actor=who.actor, now=now)
    except (Invalid, Conflict) as error:
        return _form(request, who, parts, given, error, 422)
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


def _id(written: str) -> str:
    if (
        not written
        or len(written) > 100
        or not written.isprintable()
        or any(c.isspace() or c in "/?#%" for c in written)
    ):
        raise Invalid("external_id", "letters, digits and - . _ without spaces")
    return written
