"""What follows when a text was refused or failed: a new attempt, a number or sender set aside, and always a person told."""

import secrets
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from flows.gate import REASONS, Priority
from flows.journey import DAYS, NOTICES
from flows.limits import SEND_ATTEMPTS
from flows.outcomes import outcome
from service.planning import preparation_arrived, visits_ahead
from service.store.audit import consent
from service.store.database import ring_after
from service.store.journeys import Reminder, Scan
from service.store.people import ContactPoint, Sender, Site
from service.store.texts import Outbound, Task
from service.tasks import open_task

FAILED = ("failed", "undelivered")
LOST = (*FAILED, "canceled")
TO_PHONE_IN = timedelta(hours=3)
MATTERS = frozenset({"prepare", "tomorrow", "today", "moved", "cancelled"})
UNWANTED = frozenset({"opted_out", "frozen", "died"})  # an answer refused for this is missed by nobody
A_MOMENT = timedelta(minutes=1)  # a text that has to be worded anew never turns in a circle
AGAIN_AFTER = timedelta(minutes=2)
NETWORK = ZoneInfo("America/Los_Angeles")  # where a mobile network's daily limits begin anew at midnight


def after_refusal(session: Session, clinic_id: int, outbound_id: int, reason: str, now: datetime) -> None:
    """The gate refused a queued row for good: it keeps the reason, and what matters goes to a person."""
    row = session.get_one(Outbound, (clinic_id, outbound_id))
    held = is_answer(row) and row.reason == REASONS["paused"]
    row.status, row.reason, row.changed_at = "refused", REASONS[reason], now
    if reason == "too_open" and row.reminder_id is not None:
        _word_anew(session, row, now)
        return
    if reason in ("not_booked", "moved") and not (is_answer(row) or _move_is_untold(session, row)):
        return
    if is_answer(row) and reason in UNWANTED:
        return
    tell_someone(session, row, REASONS["paused"] if held else REASONS[reason], now)


def is_answer(row: Outbound) -> bool:
    """Whether it is an ordinary answer to a text, which has its use for minutes only."""
    return row.inbound_id is not None and row.priority == Priority.REPLY


def _move_is_untold(session: Session, row: Outbound) -> bool:
    """Whether it is the notice of a move that came back, with none after it in time: he may come on the day he knows."""
    if row.reminder_id is None or session.get_one(Reminder, (row.clinic_id, row.reminder_id)).touchpoint != "moved":
        return False
    if session.get_one(Scan, (row.clinic_id, row.scan_id)).state not in ("booked", "cancelled"):
        return False  # he has come, or it is known that he has not
    later = exists().where(
        Reminder.clinic_id == row.clinic_id, Reminder.scan_id == row.scan_id, Reminder.id > row.reminder_id,
        Reminder.touchpoint == "moved", Reminder.status.in_(("planned", "said")), Reminder.due_at < row.valid_until,
    )  # fmt: skip
    return not session.scalar(select(later))


def _word_anew(session: Session, row: Outbound, now: datetime) -> None:
    """A planned text worded before he asked for general ones: its moment comes once more, in the words he wants."""
    reminder = session.get_one(Reminder, (row.clinic_id, row.reminder_id))
    reminder.status, reminder.due_at, reminder.reason, reminder.changed_at = "planned", now + A_MOMENT, row.reason, now


def after_failure(session: Session, row: Outbound, code: int | None, now: datetime, *, processed: bool) -> None:
    """A refusal or a final failed receipt with `code`. `processed` is false where the carrier refused at the door.

    A new attempt goes through the gate again and only if nothing of the first can still arrive.
    """
    what = outcome(code)
    row.error_code, row.reason, row.changed_at = code, what.words, now
    again = what.kind in ("again", "retry") and row.attempts < SEND_ATTEMPTS and row.words_removed_at is None
    if again:
        row.status, row.provider_sid = "queued", None
        row.ref = secrets.token_hex(16)  # a late receipt of the failed attempt must not speak for the next one
        row.due_at = now + AGAIN_AFTER * row.attempts
        not_out_yet(session, row, what.words, now)
        return
    if what.kind == "next_day" and _tomorrow(row, now):
        return
    if what.kind == "sender":
        _stop_sender(session, row, what.words, now)
        passes_pause = row.priority <= Priority.KEYWORD
        if not processed and not (passes_pause and row.attempts >= SEND_ATTEMPTS):
            # Nothing left our hands: it waits until an operator lifts the pause, or is tried again with patience.
            row.status, row.due_at = "queued", now + (AGAIN_AFTER * row.attempts if passes_pause else timedelta(0))
            not_out_yet(session, row, what.words, now, patience=timedelta(0))
            return
    if what.kind == "uncertain" and not processed:
        row.status = "uncertain"
        return
    if not processed:
        row.status = "failed"
    if what.kind in ("number", "opted_out"):
        _set_aside(session, row, what.kind, what.words, now)
    tell_someone(session, row, what.words, now, always=what.kind in ("person", "sender"))


def not_out_yet(
    session: Session, row: Outbound, why: str, now: datetime, patience: timedelta = timedelta(minutes=5)
) -> None:
    """A planned text came back. Where little time is left for what changes his day, someone is told while he can phone."""
    if row.reminder_id is None or row.valid_until is None or row.valid_until - now > TO_PHONE_IN:
        return
    reminder = session.get_one(Reminder, (row.clinic_id, row.reminder_id))
    if not (NOTICES | DAYS) & {reminder.touchpoint, *reminder.merged} or now - row.created_at < patience:
        return
    told = exists().where(
        Task.clinic_id == row.clinic_id,
        Task.scan_id == row.scan_id,
        Task.kind.in_(("phone_change", "phone_preparation", "not_delivered")),
        or_(Task.closed_at.is_(None), Task.opened_at >= row.created_at),
    )
    if not session.scalar(select(told)):  # once is enough, however often it is tried
        tell_someone(session, row, why, now)


def _tomorrow(row: Outbound, now: datetime) -> bool:
    """Put a planned text off until the mobile network's next day; False where it would be of little use by then."""
    midnight = (now.astimezone(NETWORK) + timedelta(days=1)).replace(hour=0, minute=5, second=0, microsecond=0)
    of_use = row.valid_until is None or row.valid_until - midnight > timedelta(hours=12)
    if not (row.automated and of_use and row.attempts < SEND_ATTEMPTS and row.words_removed_at is None):
        return False
    row.status, row.provider_sid, row.ref, row.due_at = "queued", None, secrets.token_hex(16), midnight.astimezone(UTC)
    return True


def _stop_sender(session: Session, row: Outbound, words: str, now: datetime) -> None:
    sender = session.get_one(Sender, (row.clinic_id, row.sender_id), with_for_update={"key_share": True})
    if sender.paused_reason is None:
        sender.paused_reason = words
    open_task(session, row.clinic_id, "sender_stopped", now=now, why=words)


def _set_aside(session: Session, row: Outbound, kind: str, words: str, now: datetime) -> None:
    """The number cannot be texted, or the carrier says it may not be: no more texts, and someone phones at once."""
    if row.contact_point_id is None:
        return
    contact = session.get_one(ContactPoint, (row.clinic_id, row.contact_point_id), with_for_update={"key_share": True})
    if kind == "opted_out" and contact.opted_out_at is None:
        contact.opted_out_at, contact.opted_out_how = now, f"carrier: {words}"
        consent(session, row.clinic_id, contact_point_id=contact.id, patient_id=None, kind="opt_out", given=True,
                obtained_by="carrier", how=words, at=now)  # fmt: skip
    elif kind == "number" and contact.frozen_at is None:
        contact.frozen_at, contact.frozen_why = now, words
    for scan in visits_ahead(session, row.clinic_id, contact.id, now):
        told_below = row.reminder_id is not None and scan.id == row.scan_id
        if not told_below and not preparation_arrived(session, row.clinic_id, scan):
            open_task(session, row.clinic_id, "phone_preparation", now=now, why=words, contact_point_id=contact.id,
                      patient_id=scan.patient_id, scan_id=scan.id, site_id=scan.site_id)  # fmt: skip


def tell_someone(session: Session, row: Outbound, why: str, now: datetime, *, always: bool = False) -> None:
    """Open the task that a failed text calls for: the preparation by phone, or the text that did not arrive."""
    if row.key == "on_call":
        _on_call_unreachable(session, row, why, now)
        return
    said: set[str] = set()
    if row.reminder_id is not None:
        reminder = session.get_one(Reminder, (row.clinic_id, row.reminder_id))
        said = {reminder.touchpoint, *reminder.merged}
    scan = session.get(Scan, (row.clinic_id, row.scan_id)) if row.scan_id is not None else None
    if said and scan and scan.contact_point_id != row.contact_point_id:
        return  # the booking has left that number, and everything is planned anew for the other
    ahead = scan is not None and scan.state == "booked" and scan.arrival_at > now
    silenced = bool(said) and outcome(row.error_code).kind in ("number", "opted_out")
    if row.key in ("crisis", "urgent"):
        kind = "cannot_reach"
    elif said & {"moved", "cancelled"}:
        kind = "phone_change"
    elif is_answer(row) and row.status == "refused":  # it waited until it was of no use: a person answers him
        kind = "paused_text" if why == REASONS["paused"] else "late_text"
    elif row.inbound_id is not None and row.priority != Priority.KEYWORD and row.status in LOST:
        kind = "not_delivered"  # he asked, and heard nothing
    elif ahead and said & {"prepare", "tomorrow", "today", "invite", "invite_again"}:
        kind = "phone_preparation"
    elif ahead and scan and silenced and not preparation_arrived(session, row.clinic_id, scan):
        kind = "phone_preparation"  # nothing more can be texted to him
    elif said & MATTERS or always:
        kind = "not_delivered"
    else:
        return
    open_task(
        session,
        row.clinic_id,
        kind,
        now=now,
        why=why,
        contact_point_id=row.contact_point_id,
        patient_id=scan.patient_id if scan else None,
        scan_id=scan.id if scan else None,
        site_id=scan.site_id if scan else None,
        inbound_id=row.inbound_id,
    )


def _on_call_unreachable(session: Session, row: Outbound, why: str, now: datetime) -> None:
    """An announcement failed for good: operators are told, and at once the second contact if it was to the first.

    At once only where the first could be texted until now. While he cannot, each announcement tells both anyway, and its
    failure must not bring the next one forward: that would be a circle.
    """
    sites = session.scalars(
        select(Site)
        .where(Site.clinic_id == row.clinic_id)
        .where(or_(Site.on_call_phone == row.phone, Site.on_call_phone_2 == row.phone))
        .order_by(Site.id)
    ).all()
    names = ", ".join(site.name for site in sites) or "a site that has another one by now"
    words = f"the on-call contact of {names} could not be texted ({why}): phone them, and correct the number"
    open_task(session, row.clinic_id, "on_call_unreachable", now=now, why=words)
    first_of = [site.id for site in sites if site.on_call_phone == row.phone and site.on_call_phone_2]
    if row.status not in FAILED or not first_of or on_call_fails(session, row.clinic_id, row.phone, but_for=row.id):
        return
    session.execute(
        update(Task)
        .where(Task.clinic_id == row.clinic_id, Task.closed_at.is_(None), Task.announce_at > now)
        .where(or_(Task.site_id.in_(first_of), Task.site_id.is_(None)))
        .values(announce_at=now)
    )
    ring_after(session, "announce", row.clinic_id)


def on_call_fails(session: Session, clinic_id: int, phone: str, *, but_for: int = 0) -> bool:
    """Whether of the on-call texts to a phone the last whose end is known failed, the text `but_for` aside."""
    last = session.scalar(
        select(Outbound.status)
        .where(Outbound.clinic_id == clinic_id, Outbound.contact_point_id.is_(None), Outbound.id != but_for)
        .where(Outbound.key == "on_call", Outbound.phone == phone, Outbound.status.in_((*FAILED, "sent", "delivered")))
        .order_by(Outbound.created_at.desc(), Outbound.id.desc())
        .limit(1)
    )
    return last in FAILED
