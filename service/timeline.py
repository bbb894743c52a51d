"""One patient's story in order: planned, sent, delivered, skipped with the reason, said by him, and open tasks."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from flows.tasks import TASKS
from service.errors import NotFound
from service.heard import Fate, fates, removed, words_of
from service.store.about import tasks_about
from service.store.journeys import Reminder, Scan
from service.store.texts import Inbound, Outbound, Task

TOUCHPOINTS = {
    "invite": "Invitation",
    "invite_again": "Second invitation",
    "about": "About the scan",
    "prepare": "How to prepare",
    "tomorrow": "The day before",
    "today": "The day itself",
    "after": "Afterwards",
    "results": "About results",
    "questions": "Questions to ask",
    "goodbye": "Goodbye",
    "moved": "The visit moved",
    "cancelled": "The visit is off",
    "preparation_check": "Check: is he prepared?",
    "results_check": "Check: has he heard of his results?",
}
STATUSES = {
    "planned": "planned",
    "void": "replaced",
    "skipped": "not sent",
    "said": "done",
    "queued": "waiting to be sent",
    "sending": "being sent",
    "offered": "handed to the carrier",
    "uncertain": "not known yet",
    "accepted": "with the carrier",
    "sending_at_carrier": "with the carrier",
    "sent": "sent",
    "delivered": "delivered",
    "undelivered": "not delivered",
    "failed": "failed",
    "canceled": "taken back",
    "refused": "not sent",
}
GOOD, WAITING, BAD, QUIET = "good", "waiting", "bad", "quiet"
_TONES = {"delivered": GOOD, "sent": GOOD, "undelivered": BAD, "failed": BAD, "uncertain": BAD, "void": QUIET,
          "skipped": QUIET, "refused": QUIET, "canceled": QUIET}  # fmt: skip


@dataclass(frozen=True)
class Moment:
    """One line of the timeline. `tone` is good, waiting, bad or quiet; `reason` is in words."""

    at: datetime
    title: str
    status: str
    tone: str
    reason: str = ""
    body: str = ""
    error_code: int | None = None
    ref: int = 0  # stays the same from look to look, so that a page can be renewed around its reader


@dataclass(frozen=True)
class Bubble:
    """One text of the thread, as it was read on the phone."""

    at: datetime
    mine: bool  # the clinic's side
    body: str
    status: str
    tone: str
    ref: str = ""  # stays the same from look to look


def find_scan(session: Session, clinic_id: int, external_id: str) -> Scan:
    """The scan by the clinic's own id; raises NotFound."""
    scan = session.scalars(
        select(Scan).where(Scan.clinic_id == clinic_id, Scan.external_id == external_id)
    ).one_or_none()
    if scan is None:
        raise NotFound(f"this clinic has no scan {external_id}")
    return scan


def touchpoint_name(touchpoint: str, merged: list[str]) -> str:
    """`How to prepare, with: the day before`."""
    also = ", ".join(TOUCHPOINTS[name].lower() for name in merged)
    return TOUCHPOINTS[touchpoint] + (f", with: {also}" if also else "")


def moments(session: Session, scan: Scan) -> list[Moment]:
    """The plan of a scan and what became of it, every version of it, by time."""
    rows = session.execute(
        select(Reminder, Outbound)
        .outerjoin(Outbound, (Outbound.clinic_id == Reminder.clinic_id) & (Outbound.reminder_id == Reminder.id))
        .where(Reminder.clinic_id == scan.clinic_id, Reminder.scan_id == scan.id)
    )
    return sorted((_moment(reminder, text) for reminder, text in rows), key=lambda moment: moment.at)


def _moment(reminder: Reminder, text: Outbound | None) -> Moment:
    title = touchpoint_name(reminder.touchpoint, reminder.merged)
    if text is None:
        status = "done" if reminder.status == "said" else STATUSES[reminder.status]
        tone = (
            GOOD if reminder.status == "said" and not reminder.reason.startswith("someone") else _tone(reminder.status)
        )
        return Moment(reminder.due_at, title, status, tone, reminder.reason, ref=reminder.id)
    return Moment(
        text.created_at,
        title,
        STATUSES[text.status],
        _tone(text.status),
        text.reason,
        _words(text),
        text.error_code,
        reminder.id,
    )


def _tone(status: str) -> str:
    return _TONES.get(status, WAITING)


def thread(session: Session, clinic_id: int, contact_point_id: int, limit: int = 300) -> list[Bubble]:
    """What the phone and the clinic wrote to each other, oldest first."""
    said = session.scalars(
        select(Outbound)
        .where(
            Outbound.clinic_id == clinic_id,
            Outbound.contact_point_id == contact_point_id,
            Outbound.status != "refused",
        )
        .order_by(Outbound.id.desc())
        .limit(limit)
    )
    heard = session.scalars(
        select(Inbound)
        .where(Inbound.clinic_id == clinic_id, Inbound.contact_point_id == contact_point_id)
        .order_by(Inbound.id.desc())
        .limit(limit)
    ).all()
    told = fates(session, clinic_id, heard)
    # At the same moment the answer follows the question; replies carry the id of the text that they answer.
    keyed = [((row.created_at, 1, row.id), _said(row)) for row in said]
    keyed += [((row.received_at, 0, row.id), _heard(row, told[row.id])) for row in heard]
    return [bubble for _, bubble in sorted(keyed, key=lambda item: item[0])]


def _words(row: Outbound) -> str:
    return removed(row.created_at, row.words_removed_at) or row.body


def _said(row: Outbound) -> Bubble:
    return Bubble(row.created_at, True, _words(row), STATUSES[row.status], _tone(row.status), f"out-{row.id}")


def _heard(row: Inbound, fate: Fate) -> Bubble:
    return Bubble(row.received_at, False, words_of(row), fate.words, WAITING if fate.open else QUIET, f"in-{row.id}")


def open_tasks(session: Session, clinic_id: int, scan: Scan | None = None) -> list[Task]:
    """Open tasks of the clinic, or about one scan: urgent first, then by when they are due."""
    statement = select(Task).where(Task.clinic_id == clinic_id, Task.closed_at.is_(None), ~Task.operators)
    if scan is not None:
        statement = statement.where(tasks_about(scan))
    return list(session.scalars(statement.order_by(Task.urgent.desc(), Task.due_at, Task.id)))


def task_title(task: Task) -> str:
    """A task's kind in words."""
    return TASKS[task.kind].title
