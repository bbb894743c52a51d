"""The operators' page: how late we are, what failed, who is alive; stop everything, retry, discard."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from redis import Redis
from sqlalchemy import text

from service import care, overview, switches, tasks
from service.errors import Invalid, NotFound
from service.store.people import Sender
from service.store.texts import Task
from service.web.access import OperatorPerson, TheParts
from service.web.pages import page

router = APIRouter(prefix="/ops", include_in_schema=False)


def redis_of(request: Request) -> Redis:
    """The doorbell's connection, to look at it."""
    return cast(Redis, request.app.state.redis)


def _context(request: Request, parts: TheParts, who: OperatorPerson) -> dict[str, object]:
    now: datetime = parts.now()
    with parts.database.cross() as connection:
        return {
            "who": who,
            "state": overview.overview(connection, now),
            "senders": overview.senders(connection, now),
            "held": overview.held_clinics(connection),
            "paused_since": switches.paused_since(connection),
            "tasks": overview.operator_tasks(connection),
            "bells": overview.bells(redis_of(request)),
            "now": now,
        }


@router.get("")
def home(request: Request, who: OperatorPerson, parts: TheParts) -> Response:
    """Everything an operator must see, on one page."""
    return page(request, "ops.html", _context(request, parts, who))


@router.get("/live")
def live(request: Request, who: OperatorPerson, parts: TheParts) -> Response:
    """The moving part of the page, fetched again every few seconds."""
    return page(request, "_ops_state.html", _context(request, parts, who))


@router.post("/pause")
def pause(request: Request, who: OperatorPerson, parts: TheParts, value: Annotated[str, Form()]) -> Response:
    """Hold all automated texts and ordinary replies, or let them go. Safety, STOP and HELP are never held."""
    if value not in ("on", "off"):
        raise Invalid("value", "on or off")
    now = parts.now()
    with parts.database.cross() as connection:
        if (switches.paused_since(connection) is not None) == (value == "on"):
            return RedirectResponse("/ops", 303)  # said twice: since when it is paused stays as it was
        switches.set_switch(connection, "pause", value, by=who.actor, now=now)
        switches.note(connection, who.actor, f"pause {value}", now)
    return RedirectResponse("/ops", 303)


@router.post("/clinics/{clinic_id}/pause")
def pause_clinic(
    request: Request, clinic_id: int, who: OperatorPerson, parts: TheParts, value: Annotated[str, Form()]
) -> Response:
    """The same for one clinic."""
    if value not in ("on", "off"):
        raise Invalid("value", "on or off")
    now = parts.now()
    care.pause_clinic(parts, clinic_id, value == "on", actor=who.actor, now=now)
    with parts.database.cross() as connection:
        switches.note(connection, who.actor, f"clinic pause {value}", now, clinic=clinic_id)
    return RedirectResponse("/ops", 303)


@router.post("/senders/{clinic_id}/{sender_id}/resume")
def resume(request: Request, clinic_id: int, sender_id: int, who: OperatorPerson, parts: TheParts) -> Response:
    """Let a stopped number send again, once its trouble is mended."""
    now = parts.now()
    with parts.database.clinic(clinic_id) as session:
        sender = session.get(Sender, (clinic_id, sender_id))
        if sender is None:
            raise NotFound("there is no such number")
        sender.paused_reason = None
    with parts.database.cross() as connection:
        switches.note(connection, who.actor, "sender resumed", now, clinic=clinic_id, sender=sender_id)
    return RedirectResponse("/ops", 303)


@router.post("/tasks/{clinic_id}/{task_id}/done")
def done(request: Request, clinic_id: int, task_id: int, who: OperatorPerson, parts: TheParts) -> Response:
    """Close an operators' task; a clinic's own tasks are not theirs to close."""
    with parts.database.clinic(clinic_id) as session:
        task = session.get(Task, (clinic_id, task_id))
        if task is None or not task.operators:
            raise NotFound("there is no such task for operators")
        tasks.close(session, clinic_id, task_id, by=who.actor, outcome="done", now=parts.now())
    return RedirectResponse("/ops", 303)


@router.post("/unrouted/done")
def unrouted_done(request: Request, who: OperatorPerson, parts: TheParts) -> Response:
    """The texts to unknown numbers have been looked at."""
    now = parts.now()
    with parts.database.cross() as connection:
        connection.execute(text("update unrouted_texts set closed_at = :now where closed_at is null"), {"now": now})
        switches.note(connection, who.actor, "unrouted texts closed", now)
    return RedirectResponse("/ops", 303)


@router.post("/jobs/{job_id}/{what}")
def job(request: Request, job_id: str, what: str, who: OperatorPerson, parts: TheParts) -> Response:
    """Retry or discard a failed job."""
    act = {"retry": overview.retry_job, "discard": overview.discard_job}.get(what)
    if act is None:
        raise NotFound("retry or discard")
    act(redis_of(request), job_id)
    with parts.database.cross() as connection:
        switches.note(connection, who.actor, f"job {what}", parts.now(), job=job_id)
    return RedirectResponse("/ops", 303)
