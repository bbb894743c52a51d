"""The form to book a scan: what was wrong comes back with what was typed, and nothing is stored."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.model import Reason
from service import booking
from service.errors import Conflict, Invalid
from service.intake import Booking, Permission, check_against_site, read_booking
from service.store.journeys import Scan
from service.store.people import Patient, Site
from service.web.access import Person, StaffMember, TheParts
from service.web.frame import frame, sites
from service.web.pages import page
from service.web.staff_words import for_staff
from service.wiring import Parts

LANGUAGES = {"en": "English", "es": "Spanish"}
router = APIRouter(prefix="/clinic", include_in_schema=False)
Field = Annotated[str, Form(max_length=500)]
# The form's own names of what the booking calls otherwise.
_FIELDS = {"external_id": "patient_id", "permission.how": "permission_how", "how": "permission_how"}
# A booking with nothing wrong in it: each field of the form is tried in its place, so that all that is wrong is said.
_GOOD: dict[str, Any] = {
    "patient_id": "1",
    "given_name": "A",
    "phone": "+12125550123",
    "language": "en",
    "zone": None,
    "arrival_at": "",
    "starts_at": None,
    "tracer": "a",
    "reason": Reason.UNKNOWN.value,
    "site": None,
    "permission": None,
}


@router.get("/book")
def booking_form(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """An empty form to book a scan."""
    return _form(request, who, parts, {}, {}, 200)


def _form(
    request: Request, who: Person, parts: Parts, given: dict[str, str], faults: dict[str, str], status: int
) -> Response:
    with parts.database.clinic(who.clinic_id) as session:
        context = {
            **frame(session, who, "book", "/clinic/book"),
            "sites": sites(session),
            "reasons": list(Reason),
            "languages": LANGUAGES,
            "given": given,
            "faults": faults,
            "taken": _taken(session, who.clinic_id, given.get("external_id", "")),
        }
        return page(request, "book.html", context, status)


def _taken(session: Session, clinic_id: int, external_id: str) -> bool:
    """Whether there is such a visit already: to book it again would move or change it unasked."""
    if not external_id.isprintable():
        return False  # the database cannot even be asked
    found = select(Scan.id).where(Scan.clinic_id == clinic_id, Scan.external_id == external_id)
    return session.scalar(found) is not None


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
    language: Field = "",
) -> Response:
    """Book it; wrong fields come back with the form as it was filled in, and nothing is stored."""
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
    faults = _faults(parts, who, given, now)
    if not faults:
        try:
            read = _read(parts, who, given, now)
            booking.book(parts, who.clinic_id, external_id, read, actor=who.actor, now=now)
        except (Invalid, Conflict) as error:
            faults = {_name(error): for_staff(error)}
    if faults:
        return _form(request, who, parts, given, faults, 422)
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


def _read(parts: Parts, who: Person, given: dict[str, str], now: datetime) -> Booking:
    """The booking as the form means it: what is known of the patient and not asked for here stays as it is."""
    with parts.database.clinic(who.clinic_id) as session:
        known = session.scalar(
            select(Patient).where(Patient.clinic_id == who.clinic_id, Patient.external_id == given["patient_id"])
        )
    fields = {name: given[name] for name in ("patient_id", "given_name", "phone", "arrival_at", "tracer", "reason")}
    return read_booking(
        **fields,
        language=given["language"] or (known.language if known else "en"),
        zone=known.zone if known else None,
        starts_at=given["starts_at"] or None,
        site=None,
        permission=Permission(who.actor, given["permission_how"], now),
    )


# What is wrong ------------------------------------------------------------------------------------------------------


def _faults(parts: Parts, who: Person, given: dict[str, str], now: datetime) -> dict[str, str]:
    """Everything that is wrong: field -> words."""
    found: dict[str, str] = {}
    with parts.database.clinic(who.clinic_id) as session:
        site = sites(session)[0]
        if _taken(session, who.clinic_id, given["external_id"]):
            found["external_id"] = "Already booked: open it to move it."
    if not _is_id(given["external_id"]):
        found["external_id"] = "Letters, digits and - . _ without spaces."
    if not given["permission_how"].strip():
        found["permission_how"] = "Say how he agreed to be texted, such as: asked by phone."
    trials: list[dict[str, Any]] = [{name: given[name]} for name in ("patient_id", "given_name", "phone", "reason")]
    trials += [{"language": given["language"] or "en"}, {"permission": Permission("-", given["permission_how"], now)}]
    for trial in trials:
        try:
            read_booking(**{**_GOOD, **trial})
        except Invalid as error:
            found.setdefault(_name(error), for_staff(error))
    found |= _wrong_times(given, site, now)
    return {name: found[name] for name in (*given, *found) if name in found}


def _wrong_times(given: dict[str, str], site: Site, now: datetime) -> dict[str, str]:
    arrival = replace(
        read_booking(**_GOOD),
        arrival_wall=given["arrival_at"],
        starts_wall=given["arrival_at"],
        tracer=next(iter(site.prep)),
    )
    for trial in (
        arrival,
        replace(arrival, starts_wall=given["starts_at"] or given["arrival_at"]),
        replace(arrival, tracer=given["tracer"]),
    ):
        try:
            check_against_site(trial, site, now)
        except Invalid as error:
            return {_name(error): for_staff(error)}
    return {}


def _is_id(written: str) -> bool:
    return 0 < len(written) <= 100 and written.isprintable() and not any(c.isspace() or c in "/?#%" for c in written)


def _name(wrong: Invalid | Conflict) -> str:
    """The form's name of the field; a conflict is about the appointment number."""
    if isinstance(wrong, Conflict):
        return "external_id"
    name = wrong.field.removeprefix("patient.")
    return _FIELDS.get(name, name)
