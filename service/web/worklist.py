"""What waits for a person: the tasks, most pressing first, and the texts that were not answered."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from service import heard, tasks, timeline
from service.errors import Conflict
from service.store.journeys import Scan
from service.store.people import ContactPoint, Patient
from service.store.texts import Task
from service.web.access import StaffMember, TheParts
from service.web.frame import frame
from service.web.pages import page

router = APIRouter(prefix="/clinic", include_in_schema=False)
Field = Annotated[str, Form(max_length=500)]


@router.get("/unanswered")
def unanswered(request: Request, who: StaffMember, parts: TheParts) -> Response:
    """What the bot could not answer, or not at once, newest first: to answer, and for the phrasings to grow by."""
    with parts.database.clinic(who.clinic_id) as session:
        context = {
            **frame(session, who, "unanswered", "/clinic/unanswered"),
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
            **frame(session, who, "tasks", "/clinic/tasks", None),
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
