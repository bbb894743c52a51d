"""Which of the scans at a number the conversation there, or a task, is about."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from flows.engine import TOLD
from flows.which import OF_A_VISIT
from service.store.facts import Focus
from service.store.focus import focus_on_scan
from service.store.journeys import Conversation, Scan
from service.store.texts import Task

_CLOSED = {"state": "ready", "attempts": 0, "reasked": False, "pending": "", "options": [], "more": "", "back": ""}


def focus_on_booked(
    session: Session,
    clinic_id: int,
    contact_id: int,
    patient_id: int,
    scan_id: int,
    now: datetime,
    *,
    moved: bool = False,
) -> Focus:
    """A new or changed booking; the conversation at its number is about it where it is about no other visit ahead.

    Another visit ahead keeps it until this one is texted about: what he answers next is the answer to what he was asked.
    A question about an hour that has moved is closed: its answer would be to the old one.
    """
    conversation = session.scalars(
        select(Conversation)
        .where(Conversation.clinic_id == clinic_id, Conversation.contact_point_id == contact_id)
        .with_for_update()
    ).one()
    other = session.scalars(
        select(Scan.id)
        .where(Scan.clinic_id == clinic_id, Scan.id == conversation.scan_id, Scan.id != scan_id)
        .where(Scan.contact_point_id == contact_id, Scan.state == "booked", Scan.arrival_at > now)
    ).one_or_none()
    if other is None:
        stale = moved and conversation.state in OF_A_VISIT
        if conversation.scan_id != scan_id or conversation.state == TOLD or stale:  # or he was a stranger until now
            _close(conversation)
        conversation.patient_id, conversation.scan_id = patient_id, scan_id
    _leave(session, conversation, scan_id, now)
    session.flush()  # what is loaded next must see the new scan, and its new times
    return focus_on_scan(session, clinic_id, scan_id)


def _close(conversation: Conversation) -> None:
    for name, value in _CLOSED.items():
        setattr(conversation, name, value)
    conversation.sure_until = None


def _leave(session: Session, present: Conversation, scan_id: int, now: datetime) -> None:
    """A number that this scan has left knows nothing of it any more; care for the patient goes with him."""
    for left in session.scalars(
        select(Conversation)
        .where(Conversation.clinic_id == present.clinic_id, Conversation.scan_id == scan_id)
        .where(Conversation.id != present.id)
        .with_for_update()
    ):
        present.care_pause = present.care_pause or left.care_pause
        _close(left)
        left.scan_id = left.patient_id = None
        _talk_about_the_first(session, left, now)


def talk_about(session: Session, focus: Focus, sure_until: datetime) -> None:
    """The conversation is about the scan in focus; what was open about another one is closed."""
    scan, patient = focus.scan, focus.patient
    assert scan is not None
    assert patient is not None
    row = session.get_one(Conversation, (focus.clinic_id, focus.conversation_id))
    row.sure_until = sure_until
    if row.scan_id != scan.id:
        row.scan_id, row.patient_id = scan.id, patient.id
        for name, value in _CLOSED.items():
            setattr(row, name, value)
        focus.talk_row = ("ready", 0, False, [], "", focus.care_pause, "", "", focus.talk_row[8])
    session.flush()


def talk_about_the_next(session: Session, ended: Scan, now: datetime) -> None:
    """If the conversation was about this scan, it is now about the next one booked at that number, if there is one."""
    for conversation in session.scalars(
        select(Conversation)
        .where(Conversation.clinic_id == ended.clinic_id, Conversation.scan_id == ended.id)
        .with_for_update()
    ):
        _talk_about_the_first(session, conversation, now)


def _talk_about_the_first(session: Session, conversation: Conversation, now: datetime) -> None:
    """Of what is booked at its number, the first that is ahead."""
    following = session.scalars(
        select(Scan)
        .where(Scan.clinic_id == conversation.clinic_id, Scan.contact_point_id == conversation.contact_point_id)
        .where(Scan.state == "booked", Scan.arrival_at > now)
        .order_by(Scan.arrival_at)
        .limit(1)
    ).one_or_none()
    if following is not None:
        _close(conversation)
        conversation.scan_id, conversation.patient_id = following.id, following.patient_id
    session.flush()


def tasks_about(scan: Scan | type[Scan]) -> ColumnElement[bool]:
    """Whether a task is about a scan: the one that it names, or where it names none, each of its phone's."""
    unnamed = Task.scan_id.is_(None) & (Task.contact_point_id == scan.contact_point_id)
    return (Task.scan_id == scan.id) | unnamed
