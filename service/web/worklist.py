"""What waits for a person: the tasks, most pressing first, and the texts that were not answered."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from service import heard, tasks, timeline
from service.errors import Conflict
from service.store.journeys import Scan
from service.store.people import ContactPoint, Patient
from service.store.texts import Task
from service.web.access import Person, StaffMember, TheParts
from service.web.frame import frame
from service.web.pages import page
from service.wiring import Parts

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
    return _list(request, who, parts)


def _list(
    request: Request, who: Person, parts: Parts, typed: dict[int, str] | None = None, wrong: int = 0, status: int = 200
) -> Response:
    """The list; `typed` is what somebody wrote into a task's field and has not sent, `wrong` the task that wants words."""
    with parts.database.clinic(who.clinic_id) as session:
        waiting = timeline.open_tasks(session, who.clinic_id)

        def of(row: type[Scan | Patient | ContactPoint], task: Task, name: str) -> object:
            row_id = getattr(task, name)
            return session.get(row, (who.clinic_id, row_id)) if row_id else None

        context = {
            **frame(session, who, "tasks", "/clinic/tasks", None),
            "tasks": waiting,
            "scans": {task.id: of(Scan, task, "scan_id") for task in waiting},
            "patients": {task.id: of(Patient, task, "patient_id") for task in waiting},
            "phones": {task.id: of(ContactPoint, task, "contact_point_id") for task in waiting},
            "words": heard.words_of_tasks(session, who.clinic_id, waiting),
            "typed": typed or {},
            "wrong": wrong,
            "now": parts.now(),
        }
        return page(request, "tasks.html", context, status)


@router.post("/tasks/{task_id}/acknowledge")
def acknowledge(request: Request, task_id: int, who: StaffMember, parts: TheParts, outcome: Field = "") -> Response:
    """Seen: the on-call contact is told no more. The task stays open, and so does what was begun to be written."""
    with parts.database.clinic(who.clinic_id) as session:
        tasks.acknowledge(session, who.clinic_id, task_id, by=who.actor, now=parts.now())
    if outcome:
        return _list(request, who, parts, {task_id: outcome})
    return RedirectResponse("/clinic/tasks", 303)


@router.post("/tasks/{task_id}/done")
def done(request: Request, task_id: int, who: StaffMember, parts: TheParts, outcome: Field = "") -> Response:
    """Done, and how; of an urgent one it must be said how."""
    with parts.database.clinic(who.clinic_id) as session:
        task = session.get(Task, (who.clinic_id, task_id))
        wordless = task is not None and task.urgent and task.closed_at is None and not outcome.strip()
    if wordless:
        return _list(request, who, parts, wrong=task_id, status=422)
    with parts.database.clinic(who.clinic_id) as session:
        task = tasks.close(
            session, who.clinic_id, task_id, by=who.actor, outcome=outcome.strip() or "done", now=parts.now()
        )
        if task.operators:
            raise Conflict("this task is for operators")
    return RedirectResponse("/clinic/tasks", 303)
