"""The staff's pages about scans: the list, and one patient's timeline and thread; move and end a visit."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from service import booking, heard, schedule, timeline
from service.errors import Conflict, Invalid
from service.intake import Permission, read_booking
from service.store.facts import Focus
from service.store.focus import focus_on_scan
from service.store.people import ContactPoint, Patient, Site
from service.web.access import Person, StaffMember, TheParts
from service.web.frame import frame
from service.web.pages import page
from service.web.staff_words import for_staff
from service.wiring import Parts

router = APIRouter(prefix="/clinic", include_in_schema=False)
Field = Annotated[str, Form(max_length=500)]


@router.get("")
def scans(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """Every scan from three weeks ago on, those that need a person first."""
    now = parts.now()
    with parts.database.clinic(who.clinic_id) as session:
        rows = schedule.rows(session, who.clinic_id, now)
        return page(
            request,
            "scans.html",
            {**frame(session, who, "scans", "/clinic", None), "rows": rows, "most": schedule.MOST, "now": now},
        )


@router.get("/scans/{external_id}")
def one_scan(request: Request, external_id: str, who: StaffMember, parts: TheParts) -> Response:
    """One patient: what needs a person, the timeline, and the thread as bubbles."""
    with parts.database.clinic(who.clinic_id) as session:
        return page(request, "scan.html", _scan_context(session, who, external_id, parts.now()))


def _not_moved(
    request: Request, who: Person, parts: Parts, external_id: str, given: dict[str, str], wrong: Invalid | Conflict
) -> Response:
    """The same page with what is wrong at the field, and what was typed."""
    faults = {
        "starts_at" if isinstance(wrong, Invalid) and wrong.field == "starts_at" else "arrival_at": for_staff(wrong)
    }
    with parts.database.clinic(who.clinic_id) as session:
        context = _scan_context(session, who, external_id, parts.now())
        return page(request, "scan.html", {**context, "given": given, "faults": faults}, 422)


def _scan_context(session: Session, who: Person, external_id: str, now: datetime) -> dict[str, object]:
    scan = timeline.find_scan(session, who.clinic_id, external_id)
    focus: Focus = focus_on_scan(session, who.clinic_id, scan.id)
    tasks = timeline.open_tasks(session, who.clinic_id, scan)
    return {
        "given": {},
        "faults": {},
        **frame(session, who, "scans", f"/clinic/scans/{external_id}", tasks),
        "scan": scan,
        "state": schedule.STATES[scan.state],
        "patient": session.get_one(Patient, (who.clinic_id, scan.patient_id)),
        "contact": session.get_one(ContactPoint, (who.clinic_id, scan.contact_point_id)),
        "focus": focus,
        "site": session.get_one(Site, (who.clinic_id, scan.site_id)),
        "moments": timeline.moments(session, scan),
        "bubbles": timeline.thread(session, who.clinic_id, scan.contact_point_id),
        "tasks": tasks,
        "words": heard.words_of_tasks(session, who.clinic_id, tasks),
        "now": now,
    }


@router.post("/scans/{external_id}/move")
def move(
    request: Request, external_id: str, who: StaffMember, parts: TheParts, arrival_at: Field, starts_at: Field = ""
) -> Response:
    """Move a scan: the same booking with another arrival."""
    now = parts.now()
    with parts.database.clinic(who.clinic_id) as session:
        scan = timeline.find_scan(session, who.clinic_id, external_id)
        patient = session.get_one(Patient, (who.clinic_id, scan.patient_id))
        contact = session.get_one(ContactPoint, (who.clinic_id, scan.contact_point_id))
        site = session.get_one(Site, (who.clinic_id, scan.site_id))
    try:
        read = read_booking(
            patient_id=patient.external_id,
            given_name=patient.given_name,
            phone=contact.phone,
            language=patient.language,
            zone=patient.zone,
            arrival_at=arrival_at,
            starts_at=starts_at or None,
            tracer=scan.tracer,
            reason=scan.reason,
            site=site.name,
            permission=Permission(who.actor, "moved by staff; permission as recorded before", now),
        )
        booking.book(parts, who.clinic_id, external_id, read, actor=who.actor, now=now)
    except (Invalid, Conflict) as error:
        if scan.state != "booked":
            raise  # its page has no form to move it
        given = {"arrival_at": arrival_at, "starts_at": starts_at}
        return _not_moved(request, who, parts, external_id, given, error)
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/end")
def end(request: Request, external_id: str, who: StaffMember, parts: TheParts, state: Field) -> Response:
    """Cancel, complete, or mark as not come."""
    if state not in ("cancelled", "completed", "no_show"):
        raise Invalid("state", "cancelled, completed or no_show")
    booking.end(parts, who.clinic_id, external_id, state, actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)
