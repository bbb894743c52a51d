"""Which of the scans at a number the conversation there is about."""

from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from flows.engine import TOLD
from flows.model import Standing
from flows.rank import INVITES
from flows.which import OF_A_VISIT
from service.planning import LEFT
from service.store.facts import Focus
from service.store.focus import focus_on_scan
from service.store.journeys import Conversation, Reminder, Scan
from service.store.texts import Outbound

INVITED = "invited"
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


def heed_the_invitation(session: Session, focus: Focus, now: datetime) -> None:
    """Who has not agreed may answer the invitation that came to his phone; before it came he is a stranger to us.

    Of two patients who share a phone, the one invited last is meant, and only once his invitation has left: "1" to the
    first is no yes to a question that still waits here.
    """
    if focus.opted_in or focus.standing(now) is not Standing.PATIENT:
        return
    invited = session.execute(
        select(Scan.id, Scan.patient_id)
        .join(Outbound, (Outbound.clinic_id == Scan.clinic_id) & (Outbound.scan_id == Scan.id))
        .where(Scan.clinic_id == focus.clinic_id, Scan.state == "booked", Scan.arrival_at > now)
        .where(Outbound.contact_point_id == focus.contact.id, Outbound.key.in_(INVITES))
        .where(Outbound.status.in_(LEFT), Scan.contact_point_id == focus.contact.id)
        .order_by(Outbound.id.desc())
    ).all()
    if focus.patient is None or focus.patient.id not in {row.patient_id for row in invited}:
        others = (focus_on_scan(session, focus.clinic_id, row.id) for row in invited)
        asked = next((other for other in others if not other.opted_in), None)
        if asked is None:
            focus.unasked = True
            return
        focus.scan, focus.patient, focus.site = asked.scan, asked.patient, asked.site
        focus.opted_in, focus.detail = False, False
        talk_about(session, focus, now)
        _invite_later(session, focus, now)
    focus.talk_row = (INVITED, *focus.talk_row[1:])


def _invite_later(session: Session, focus: Focus, now: datetime) -> None:
    """An invitation of another that waits here comes once more, after this talk: it must open its own question."""
    assert focus.scan is not None
    waiting = session.scalars(
        update(Outbound)
        .where(Outbound.clinic_id == focus.clinic_id, Outbound.contact_point_id == focus.contact.id)
        .where(Outbound.status == "queued", Outbound.key.in_(INVITES))
        .where(or_(Outbound.scan_id.is_(None), Outbound.scan_id != focus.scan.id))
        .values(status="refused", reason="another patient at this number is answering his invitation", changed_at=now)
        .returning(Outbound.reminder_id)
    ).all()
    session.execute(
        update(Reminder)
        .where(Reminder.clinic_id == focus.clinic_id, Reminder.id.in_([one for one in waiting if one is not None]))
        .values(status="planned", due_at=now, changed_at=now)
    )
