"""The staff's pages: the list of scans, one patient's timeline and thread, booking, and the tasks that need a person."""

import hashlib
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.model import Reason
from service import booking, heard, schedule, tasks, timeline
from service.errors import Conflict, Invalid
from service.intake import Permission, read_booking
from service.store.facts import Focus
from service.store.focus import focus_on_scan
from service.store.journeys import Scan
from service.store.people import Clinic, ContactPoint, Patient, Site
from service.store.texts import Task
from service.web.access import Person, StaffMember, TheParts
from service.web.pages import page
from service.wiring import Parts

LANGUAGES = {"en": "English", "es": "Spanish"}
router = APIRouter(prefix="/clinic", include_in_schema=False)
Field = Annotated[str, Form(max_length=500)]


def _sites(session: Session) -> list[Site]:
    return list(session.scalars(select(Site).order_by(Site.id)))


def _frame(session: Session, who: Person, here: str) -> dict[str, object]:
    """What every page of a clinic shows: who is logged in, where, and whether the clinic's texts are held."""
    return {"who": who, "here": here, "clinic": session.get_one(Clinic, who.clinic_id), "site": _sites(session)[0]}


@router.get("")
def scans(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """Every scan from three weeks ago on, those that need a person first."""
    now = parts.now()
    with parts.database.clinic(who.clinic_id) as session:
        rows = schedule.rows(session, who.clinic_id, now)
        waiting = timeline.open_tasks(session, who.clinic_id)
        return page(
            request,
            "scans.html",
            {**_frame(session, who, "scans"), "rows": rows, "most": schedule.MOST, "tasks": waiting, "now": now},
        )


@router.get("/book")
def booking_form(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """An empty form to book a scan."""
    return _form(request, who, parts, {}, None, 200)


def _form(
    request: Request, who: Person, parts: Parts, given: dict[str, str], wrong: Invalid | Conflict | None, status: int
) -> Response:
    with parts.database.clinic(who.clinic_id) as session:
        context = {
            **_frame(session, who, "book"),
            "sites": _sites(session),
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


@router.get("/scans/{external_id}")
def one_scan(request: Request, external_id: str, who: StaffMember, parts: TheParts) -> Response:
    """One patient: what needs a person, the timeline, and the thread as bubbles."""
    with parts.database.clinic(who.clinic_id) as session:
        return page(request, "scan.html", _scan_context(session, who, external_id, parts.now()))


def _scan_context(session: Session, who: Person, external_id: str, now: datetime) -> dict[str, object]:
    scan = timeline.find_scan(session, who.clinic_id, external_id)
    focus: Focus = focus_on_scan(session, who.clinic_id, scan.id)
    moments = timeline.moments(session, scan)
    bubbles = timeline.thread(session, who.clinic_id, scan.contact_point_id)
    return {
        **_frame(session, who, "scans"),
        "seen": hashlib.sha256(repr((moments, bubbles)).encode()).hexdigest()[:16],
        "scan": scan,
        "state": schedule.STATES[scan.state],
        "patient": session.get_one(Patient, (who.clinic_id, scan.patient_id)),
        "contact": session.get_one(ContactPoint, (who.clinic_id, scan.contact_point_id)),
        "focus": focus,
        "site": session.get_one(Site, (who.clinic_id, scan.site_id)),
        "moments": moments,
        "bubbles": bubbles,
        "tasks": timeline.open_tasks(session, who.clinic_id, scan),
        "now": now,
    }


@router.get("/scans/{external_id}/live")
def live(request: Request, external_id: str, who: StaffMember, parts: TheParts, seen: str = "") -> Response:
    """The moving part of the patient's page, asked for every few seconds; nothing to change answers 204.

    So what a nurse has folded open stays open while she reads.
    """
    with parts.database.clinic(who.clinic_id) as session:
        context = _scan_context(session, who, external_id, parts.now())
    return Response(status_code=204) if seen == context["seen"] else page(request, "_story.html", context)


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
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/end")
def end(request: Request, external_id: str, who: StaffMember, parts: TheParts, state: Field) -> Response:
    """Cancel, complete, or mark as not come."""
    if state not in ("cancelled", "completed", "no_show"):
        raise Invalid("state", "cancelled, completed or no_show")
    booking.end(parts, who.clinic_id, external_id, state, actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.get("/unanswered")
def unanswered(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """What the bot could not answer, or not at once, newest first: to answer, and for the phrasings to grow by."""
    with parts.database.clinic(who.clinic_id) as session:
        context = {
            **_frame(session, who, "unanswered"),
            "rows": heard.unanswered(session, who.clinic_id),
        }
        return page(request, "unanswered.html", context)


@router.get("/tasks")
def task_list(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """What needs a person, the most pressing first."""
    with parts.database.clinic(who.clinic_id) as session:
        waiting = timeline.open_tasks(session, who.clinic_id)
        scans = {
            task.id: session.get(Scan, (who.clinic_id, task.scan_id)) if task.scan_id else None for task in waiting
        }
        names = {
            task.id: session.get(Patient, (who.clinic_id, task.patient_id)) if task.patient_id else None
            for task in waiting
        }
        phones = {
            task.id: session.get(ContactPoint, (who.clinic_id, task.contact_point_id))
            if task.contact_point_id
            else None
            for task in waiting
        }
        context = {
            **_frame(session, who, "tasks"),
            "phones": phones,
            "tasks": waiting,
            "scans": scans,
            "patients": names,
            "now": parts.now(),
        }
        return page(request, "tasks.html", context)


@router.post("/tasks/{task_id}/acknowledge")
def acknowledge(request: Request, task_id: int, who: StaffMember, parts: TheParts) -> Response:
    """Seen: the on-call contact is told no more. The task stays open."""
    with parts.database.clinic(who.clinic_id) as session:
        tasks.acknowledge(session, who.clinic_id, task_id, by=who.actor, now=parts.now())
    return RedirectResponse("/clinic/tasks", 303)


@router.post("/tasks/{task_id}/done")
def done(request: Request, task_id: int, who: StaffMember, parts: TheParts, outcome: Field = "") -> Response:
    """Done, and how."""
    with parts.database.clinic(who.clinic_id) as session:
        task: Task = tasks.close(
            session, who.clinic_id, task_id, by=who.actor, outcome=outcome or "done", now=parts.now()
        )
        if task.operators:
            raise Conflict("this task is for operators")
    return RedirectResponse("/clinic/tasks", 303)
