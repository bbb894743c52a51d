"""Inviting a man once a day at most, and knowing which invitation his answer is to."""

from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from flows.journey import ASK_AGAIN
from flows.model import Standing
from flows.rank import INVITES
from service import planning
from service.effects import Turn
from service.store.about import talk_about
from service.store.facts import AFTERWARDS, Focus
from service.store.focus import focus_on_scan
from service.store.journeys import Reminder, Scan
from service.store.texts import Outbound

INVITED = "invited"  # the state of the flow in which he is asked


def ask_now(turn: Turn, reminder: Reminder) -> bool:
    """Whether to invite him now: not who has answered, nor a second time within the day, about whichever of his visits."""
    focus, now = turn.focus, turn.now
    assert focus.patient is not None
    if focus.opted_in:
        _skip(reminder, "he has already answered", now)
        return False
    asked = turn.session.execute(
        select(Outbound.created_at, Outbound.scan_id)
        .join(Scan, (Scan.clinic_id == Outbound.clinic_id) & (Scan.id == Outbound.scan_id))
        .where(Outbound.clinic_id == focus.clinic_id, Outbound.contact_point_id == focus.contact.id)
        .where(Outbound.key.in_(INVITES), Outbound.status.in_(planning.ASKED), Scan.patient_id == focus.patient.id)
        .where(Outbound.created_at > now - ASK_AGAIN)
        .order_by(Outbound.created_at.desc())
        .limit(1)
    ).one_or_none()
    if asked is None or (asked.scan_id == reminder.scan_id and reminder.touchpoint == "invite"):
        return True
    again = asked.created_at + ASK_AGAIN
    if asked.scan_id != reminder.scan_id or again >= reminder.valid_until:
        _skip(reminder, "he was asked within the day", now)
    else:
        reminder.due_at, reminder.reason, reminder.changed_at = again, "he was asked within the day", now
    return False


def _skip(reminder: Reminder, reason: str, now: datetime) -> None:
    reminder.status, reminder.reason, reminder.changed_at = "skipped", reason, now


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
        .where(Outbound.status.in_(planning.LEFT), Scan.contact_point_id == focus.contact.id)
        .order_by(Outbound.id.desc())
    ).all()
    if focus.patient is None or focus.patient.id not in {row.patient_id for row in invited}:
        others = (focus_on_scan(session, focus.clinic_id, row.id) for row in invited)
        asked = next((other for other in others if not other.opted_in), None)
        asked = asked or _one_who_agreed(session, focus, now)
        if asked is None:
            focus.unasked = True
            return
        focus.scan, focus.patient, focus.site = asked.scan, asked.patient, asked.site
        focus.opted_in, focus.detail = asked.opted_in, asked.detail
        talk_about(session, focus, now)
        _invite_later(session, focus, now)
        if focus.opted_in:
            return
    focus.talk_row = (INVITED, *focus.talk_row[1:])


def _one_who_agreed(session: Session, focus: Focus, now: datetime) -> Focus | None:
    """Of others whose visit is texted about at this phone, one who takes our texts: the next visit, else the last.

    Not one who has died, nor one whose next visit is texted about elsewhere: whoever holds this phone now is not he.
    """
    other = aliased(Scan)
    elsewhere = exists().where(
        other.clinic_id == Scan.clinic_id, other.patient_id == Scan.patient_id, other.state == "booked",
        other.contact_point_id != Scan.contact_point_id, other.arrival_at > now,
    )  # fmt: skip
    visits = session.execute(
        select(Scan.id, Scan.arrival_at)
        .where(Scan.clinic_id == focus.clinic_id, Scan.contact_point_id == focus.contact.id)
        .where(Scan.state.in_(("booked", "completed")), Scan.arrival_at > now - AFTERWARDS, ~elsewhere)
    ).all()
    nearest = sorted(visits, key=lambda visit: (visit.arrival_at <= now, abs(visit.arrival_at - now)))
    others = (focus_on_scan(session, focus.clinic_id, visit.id) for visit in nearest)
    return next((one for one in others if one.opted_in and one.patient and not one.patient.stopped), None)


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
