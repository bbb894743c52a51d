"""What became of each text that a patient wrote: answered, answered by the carrier, or kept silent about, and why.

"Answered" is said only where a reply was kept. A text that got silence is somebody's to read: its line says whether
anybody has.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.orm import Session

from flows.model import Keywords
from flows.safety import CARRIER_HELP_WORDS, CARRIER_STOP_WORDS, START_WORDS
from flows.words import plain
from service.store.journeys import Conversation, Scan
from service.store.people import ContactPoint, Patient, Sender
from service.store.texts import Inbound, Outbound, Task

# The kinds of task that are opened beside silence, and the reason each one stands for.
_WHY = {
    "loop": "many or identical texts in a short time",
    "after_stop": "he has opted out of texts",
    "stranger": "no current visit is known for this number",
    "paused_text": "the automatic answers were held",
    "late_text": "it reached us late",
    "unhandled": "our own program failed on it",
}
_NOT_THERE = ("refused", "failed", "undelivered", "canceled")
_CARRIER_WORDS = CARRIER_STOP_WORDS | CARRIER_HELP_WORDS | START_WORDS
_CHANGED_STATUS = {"late": "reached us late: only what cannot wait was answered",
                   "unhandled": "our own program failed on it: only a general reply was sent"}  # fmt: skip


@dataclass(frozen=True)
class Fate:
    """What became of one text, in words; `silent` where nobody and nothing answered it, `open` until a person has."""

    words: str
    silent: bool = False
    open: bool = False


def removed(at: datetime, removed_at: datetime | None) -> str:
    """What stands where words were, once they are old enough to be gone; "" while they are there."""
    return f"(words removed after {(removed_at - at).days} days)" if removed_at else ""


def words_of(row: Inbound) -> str:
    """His words, or what stands for them."""
    gone = removed(row.received_at, row.words_removed_at)
    return gone or row.body or ("(a picture without words)" if row.media else "(an empty text)")


def words_of_tasks(session: Session, clinic_id: int, tasks: Sequence[Task]) -> dict[int, str]:
    """What the patient wrote that a task is about, the newest where it was raised more than once, by the task's id."""
    ids = {task.inbound_id for task in tasks if task.inbound_id is not None}
    texts = session.scalars(select(Inbound).where(Inbound.clinic_id == clinic_id, Inbound.id.in_(ids)))
    words = {row.id: words_of(row) for row in texts}
    return {task.id: words[task.inbound_id] for task in tasks if task.inbound_id in words}


def fates(session: Session, clinic_id: int, texts: Sequence[Inbound]) -> dict[int, Fate]:
    """The fate of each of these texts, by its id."""
    ids = [row.id for row in texts]
    replies = session.execute(
        select(Outbound.inbound_id, Outbound.status, Outbound.reason)
        .where(Outbound.clinic_id == clinic_id, Outbound.inbound_id.in_(ids))
        .order_by(Outbound.id)
    ).all()
    kept = {reply.inbound_id for reply in replies if reply.status not in _NOT_THERE}
    refused = {reply.inbound_id: reply.reason for reply in replies if reply.status in _NOT_THERE}
    by_carrier = _senders_with_carrier_words(session, clinic_id)
    tasks = _tasks(session, clinic_id, texts)
    told = {}
    for row in texts:
        if row.id in kept:
            told[row.id] = Fate(_CHANGED_STATUS.get(row.status, "answered"))
        elif row.opt_out_type or (row.sender_id in by_carrier and plain(row.body) in _CARRIER_WORDS):
            told[row.id] = Fate("answered by the carrier")
        else:
            told[row.id] = _silence(row, refused.get(row.id, ""), tasks)
    return told


def _senders_with_carrier_words(session: Session, clinic_id: int) -> set[int]:
    handled = Sender.keyword_handling != Keywords.OURS.value
    return set(session.scalars(select(Sender.id).where(Sender.clinic_id == clinic_id, handled)))


def _tasks(session: Session, clinic_id: int, texts: Sequence[Inbound]) -> list[Task]:
    phones = {row.contact_point_id for row in texts if row.contact_point_id is not None}
    return list(
        session.scalars(
            select(Task)
            .where(Task.clinic_id == clinic_id, Task.contact_point_id.in_(phones), Task.inbound_id.is_not(None))
            .order_by(Task.id)
        )
    )


def _silence(row: Inbound, refused: str, tasks: list[Task]) -> Fate:
    task = next((task for task in tasks if _about(task, row)), None)
    why = refused or (_WHY.get(task.kind, "") if task else "")
    read = task is not None and task.closed_at is not None
    reason = f": {why}" if why else ""
    return Fate(
        f"no automatic answer{reason}; {'a person has seen to it' if read else 'read by nobody yet'}", True, not read
    )


def _about(task: Task, row: Inbound) -> bool:
    """Whether a task is about this text: the newest that it was opened for, or one before that, counted on it."""
    if task.inbound_id == row.id:
        return True
    if task.contact_point_id != row.contact_point_id or task.kind not in _WHY:
        return False
    return task.opened_at <= row.received_at and (task.closed_at is None or row.received_at <= task.closed_at)


# What is still to answer --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unanswered:
    """A text that led to no answer, or only to a choice or to "I do not know", and whom to ask about it."""

    at: datetime
    body: str
    words: str
    tone: str
    phone: str
    name: str
    external_id: str  # of the scan whose page shows the whole thread; "" where the number belongs to no visit


def unanswered(session: Session, clinic_id: int, limit: int = 200) -> list[Unanswered]:
    """Texts that led to no answer or only to a choice, newest first."""
    tier = Inbound.decision["tier"].astext
    replied = exists().where(
        Outbound.clinic_id == Inbound.clinic_id, Outbound.inbound_id == Inbound.id, Outbound.status.not_in(_NOT_THERE)
    )
    there = or_(Inbound.body != "", and_(Inbound.media > 0, Inbound.words_removed_at.is_(None)))
    rows = session.scalars(
        select(Inbound)
        .where(Inbound.clinic_id == clinic_id, there, or_(tier.in_(("unknown", "choose")), ~replied))
        .order_by(Inbound.received_at.desc(), Inbound.id.desc())
        .limit(limit)
    ).all()
    told = fates(session, clinic_id, rows)
    whose = _whose(session, clinic_id, {row.contact_point_id for row in rows})
    return [_line(row, told[row.id], whose) for row in rows if not told[row.id].words.endswith("by the carrier")]


def _line(row: Inbound, fate: Fate, whose: dict[int, tuple[str, str]]) -> Unanswered:
    name, external_id = whose.get(row.contact_point_id or 0, ("", ""))
    if fate.silent:
        words, tone = fate.words, "bad" if fate.open else "quiet"
    elif (row.decision or {}).get("tier") == "choose":
        words, tone = "a choice was offered", "quiet"
    else:
        words, tone = "not known", "waiting"
    return Unanswered(row.received_at, words_of(row), words, tone, row.phone, name, external_id)


def _whose(session: Session, clinic_id: int, phones: set[int | None]) -> dict[int, tuple[str, str]]:
    """Name and scan of each phone: the one that its conversation is about, or else the newest."""
    found = session.execute(
        select(ContactPoint.id, Patient.given_name, Scan.external_id)
        .join(Scan, (Scan.clinic_id == ContactPoint.clinic_id) & (Scan.contact_point_id == ContactPoint.id))
        .join(Patient, (Patient.clinic_id == Scan.clinic_id) & (Patient.id == Scan.patient_id))
        .outerjoin(Conversation, (Conversation.clinic_id == Scan.clinic_id) & (Conversation.scan_id == Scan.id))
        .where(ContactPoint.clinic_id == clinic_id, ContactPoint.id.in_(phones))
        .order_by(Conversation.id.is_not(None), Scan.id)
    )
    return {phone_id: (name, external_id) for phone_id, name, external_id in found}
