"""Planned moments that have come: word them for the outbox, or say why not. Each row succeeds or fails alone.

The gate is asked here too, before the conversation moves to the touchpoint's question, and once more in the claim. What
cannot be worded is set aside with its reason and never blocks its neighbours.
"""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from flows.engine import step
from flows.gate import REASONS, Action, Attempt, Priority, Verdict, gate
from flows.journey import DAYS, NOTICES, TIMELESS, fits, window_of
from flows.limits import SURE_FOR
from flows.model import Note, TouchpointDue
from flows.rank import INVITES, planned_priority
from flows.script import Touchpoint
from service import planning, wording
from service.effects import Turn, apply
from service.invitations import ask_now
from service.store import rounds
from service.store.about import talk_about
from service.store.database import ring_after
from service.store.facts import Focus, ScanFacts
from service.store.focus import focus_on_scan
from service.store.journeys import Reminder, Scan
from service.store.rounds import Seen
from service.store.texts import Outbound
from service.tasks import open_task
from service.wiring import Parts

log = logging.getLogger(__name__)

MATTERS = frozenset({"prepare", "tomorrow", "today"})  # without these he stands there unprepared: someone phones


def fire_due(parts: Parts, clinic_id: int, now: datetime, limit: int = 100) -> int:
    """Handle up to `limit` due reminders of one clinic; returns how many. Rings again if more are waiting."""
    with parts.database.clinic(clinic_id) as session:
        due = list(
            session.scalars(
                select(Reminder)
                .where(Reminder.clinic_id == clinic_id, Reminder.status == "planned", Reminder.due_at <= now)
                .order_by(Reminder.due_at, Reminder.id)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
        )
        seen = rounds.seen(session, clinic_id) if due else {}
        for reminder in due:
            _fire_alone(parts, session, reminder, seen, now)
        if len(due) == limit:
            ring_after(session, "fire", clinic_id)
    return len(due)


def _fire_alone(parts: Parts, session: Session, reminder: Reminder, seen: dict[int, Seen], now: datetime) -> None:
    """One reminder in its own savepoint; a failure of its own is a row with its reason and a task for operators.

    A failure of the database (a deadlock, a lost connection) is nobody's fault: it ends the batch, and the next tick
    finds every row as it was.
    """
    try:
        with session.begin_nested():
            _fire(parts, session, reminder, seen, now)
    except Exception as error:
        if isinstance(error, DBAPIError | PoolTimeout) and not isinstance(error, DataError | IntegrityError):
            raise
        log.exception("a reminder was set aside (clinic %s, reminder %s)", reminder.clinic_id, reminder.id)
        session.refresh(reminder)
        _settle(reminder, "skipped", f"could not be worded ({type(error).__name__})", now)
        _tell(session, reminder, "cannot_word", f"reminder {reminder.id}: {reminder.touchpoint}", now)
        if MATTERS & {reminder.touchpoint, *reminder.merged}:
            _tell(session, reminder, "phone_preparation", "a planned text could not be written", now)
        if reminder.touchpoint in NOTICES:
            _tell(session, reminder, "phone_change", "the notice could not be written", now)


def _tell(session: Session, reminder: Reminder, kind: str, why: str, now: datetime) -> None:
    """A task about the scan itself: what could not be loaded for a turn must not be needed to say so."""
    scan = session.get_one(Scan, (reminder.clinic_id, reminder.scan_id))
    open_task(session, reminder.clinic_id, kind, now=now, why=why, contact_point_id=scan.contact_point_id,
              patient_id=scan.patient_id, scan_id=scan.id, site_id=scan.site_id)  # fmt: skip


def _turn(parts: Parts, session: Session, reminder: Reminder, now: datetime) -> Turn:
    focus = focus_on_scan(session, reminder.clinic_id, reminder.scan_id)
    return Turn(session, focus, parts.scripts.of(focus.script), now)


def _settle(reminder: Reminder, status: str, reason: str, now: datetime) -> None:
    reminder.status, reminder.reason, reminder.changed_at = status, reason, now


def _fire(parts: Parts, session: Session, reminder: Reminder, seen: dict[int, Seen], now: datetime) -> None:
    turn = _turn(parts, session, reminder, now)
    if reminder.touchpoint in CHECKS:
        CHECKS[reminder.touchpoint](turn, reminder)
        return
    touchpoint = turn.script.touchpoints[reminder.touchpoint]
    verdict = gate(_attempt(turn, reminder, touchpoint, seen.get(turn.focus.sender.id, Seen())), now)
    if verdict.action is Action.HOLD:
        _hold(turn, reminder, verdict, now)
    elif verdict.action is Action.REFUSE:
        _refused(turn, reminder, verdict)
    else:
        _say(parts, turn, reminder, touchpoint)


def _attempt(turn: Turn, reminder: Reminder, touchpoint: Touchpoint, seen: Seen) -> Attempt:
    """The facts of one planned text, for the gate."""
    focus, scan = turn.focus, turn.focus.scan
    assert scan is not None
    exempt = is_exempt(scan, touchpoint, turn.now)
    window = (focus.site.window_start, focus.site.window_end)
    invite = reminder.touchpoint in INVITES
    return Attempt(
        priority=_priority(scan, reminder, turn.now, exempt=exempt),
        automated=True,
        valid_until=reminder.valid_until,
        booked=fits(scan.state, reminder.touchpoint),
        current_plan=reminder.plan_version >= scan.arrival_version or reminder.touchpoint in TIMELESS,
        consented=invite or focus.opted_in,
        opted_out=focus.contact.opted_out_at is not None,
        frozen=focus.contact.frozen_at is not None,
        died=focus.patient is not None and focus.patient.stopped,
        sender_live=focus.sender.live,
        paused=_paused(focus, turn.now),
        seen_until=seen.until,
        vain_listings=seen.in_vain,
        care_pause=focus.care_pause,
        logistics=touchpoint.logistics,
        exempt=exempt,
        zone=focus.zone,
        window=window_of(reminder.touchpoint, turn.now, focus.zone, window, reminder.valid_until),
        last_inbound_at=focus.last_inbound_at,
        texted_at=tuple(_texted_at(turn)),
    )


def is_exempt(scan: ScanFacts, touchpoint: Touchpoint, now: datetime) -> bool:
    """Whether a text is outside the caps: about the day before or the day itself, or sent on one of them."""
    zone = ZoneInfo(scan.zone)
    ahead = scan.arrival_at.astimezone(zone).date() - now.astimezone(zone).date()
    return touchpoint.day or timedelta(0) <= ahead <= timedelta(days=1)


def _priority(scan: ScanFacts, reminder: Reminder, now: datetime, *, exempt: bool) -> Priority:
    return planned_priority(reminder.touchpoint, scan.arrival_at - now, exempt=exempt)


def _paused(focus: Focus, now: datetime) -> bool:
    return focus.taken_over(now) or focus.paused or (focus.patient is not None and focus.patient.paused)


def _texted_at(turn: Turn) -> list[datetime]:
    """When he had automated texts that count against the caps, in the last week."""
    left = func.coalesce(Outbound.tried_at, Outbound.created_at)
    return list(
        turn.session.scalars(
            select(left).where(
                Outbound.clinic_id == turn.focus.clinic_id,
                Outbound.contact_point_id == turn.focus.contact.id,
                left > turn.now - timedelta(days=7),
                Outbound.automated,
                ~Outbound.exempt,
                Outbound.status != "refused",
            )
        )
    )


def _hold(turn: Turn, reminder: Reminder, verdict: Verdict, now: datetime) -> None:
    """Wait: until a moment, or until a pause is lifted or a look made, looked at again each minute."""
    news = reminder.reason != REASONS[verdict.reason]  # each minute's look finds the same pause: staff are told once
    reminder.due_at = verdict.until or now + timedelta(minutes=1)
    reminder.reason, reminder.changed_at = REASONS[verdict.reason], now
    if news and verdict.reason == "paused":
        _tell_of_pause(turn, reminder)


def _tell_of_pause(turn: Turn, reminder: Reminder) -> None:
    """Staff may hold texts for days: of what he must know by then they are told while they can still phone him."""
    scan = turn.focus.scan
    assert scan is not None
    if reminder.touchpoint in NOTICES:
        turn.open_task("phone_change", REASONS["paused"])
    if DAYS & {reminder.touchpoint, *reminder.merged}:
        prepared = planning.preparation_arrived(turn.session, turn.focus.clinic_id, scan)
        turn.open_task("not_delivered" if prepared else "phone_preparation", REASONS["paused"])


def _refused(turn: Turn, reminder: Reminder, verdict: Verdict) -> None:
    reason = REASONS[verdict.reason]
    if reminder.touchpoint in INVITES and turn.focus.opted_in:
        reason = "he has already answered"
    _settle(reminder, "skipped", reason, turn.now)
    if MATTERS & {reminder.touchpoint, *reminder.merged} and verdict.reason not in (
        "not_booked",
        "moved",
        "no_consent",
    ):
        turn.open_task("phone_preparation", reason)
    if reminder.touchpoint in NOTICES and verdict.reason not in ("not_booked", "moved"):
        turn.open_task("phone_change", reason)


def _say(parts: Parts, turn: Turn, reminder: Reminder, touchpoint: Touchpoint) -> None:
    """Step the conversation, word the text, put it into the outbox."""
    focus, scan, now = turn.focus, turn.focus.scan, turn.now
    assert scan is not None
    if reminder.touchpoint in INVITES and not ask_now(turn, reminder):
        return
    if reminder.touchpoint != "cancelled":
        talk_about(turn.session, focus, now + SURE_FOR)  # what he answers next is about the visit texted about last
    due = TouchpointDue(reminder.touchpoint, tuple(reminder.merged), done=scan.state == "completed")
    stepped = step(turn.script, focus.talk(now), due)
    notes = [effect.action for effect in stepped.effects if isinstance(effect, Note)]
    says = apply(turn, stepped)
    if not says:
        _settle(reminder, "skipped", "; ".join(notes), now)
        return
    language = focus.language
    known = wording.values(focus, turn.script, language)
    text = wording.as_one([wording.word(turn.script, say, language, known) for say in says])
    exempt = is_exempt(scan, touchpoint, now)
    wording.keep(
        turn.session,
        focus,
        text,
        turn.script,
        now=now,
        status="queued",
        priority=_priority(scan, reminder, now, exempt=exempt),
        due_at=now,
        valid_until=reminder.valid_until,
        automated=True,
        logistics=touchpoint.logistics,
        exempt=exempt,
        reminder_id=reminder.id,
    )
    _settle(reminder, "said", "", now)
    ring_after(turn.session, "send", focus.clinic_id, focus.sender.id)


def _check_preparation(turn: Turn, reminder: Reminder) -> None:
    """48 h before arrival, or at once on a late booking: is he prepared by text? If not, a person phones him."""
    scan, now = turn.focus.scan, turn.now
    assert scan is not None
    if scan.state != "booked" or reminder.plan_version != scan.plan_version:
        _settle(reminder, "skipped", "the visit changed", now)
        return
    if planning.preparation_arrived(turn.session, turn.focus.clinic_id, scan):
        _settle(reminder, "said", "the preparation was texted", now)  # an open task may be of a later text: it stays
        return
    contact = turn.focus.contact
    if contact.opted_out_at is not None:
        why = "he opted out of texts"
    elif contact.frozen_at is not None:
        why = contact.frozen_why or "the number is wrong"
    elif not turn.focus.opted_in:
        why = "he has not answered the invitation"
    else:
        why = "the preparation has not reached him by text yet"
    turn.open_task("phone_preparation", why)
    _settle(reminder, "said", f"someone is to phone him: {why}", now)


def _check_results(turn: Turn, reminder: Reminder) -> None:
    """The day by which he should have heard has passed: a person asks. He is told nothing, whatever there is to tell."""
    scan = turn.focus.scan
    assert scan is not None
    if scan.state not in ("booked", "completed") or (turn.focus.patient is not None and turn.focus.patient.stopped):
        _settle(reminder, "skipped", "the visit did not take place", turn.now)
        return
    turn.open_task("results_due", "the day that the site promises has passed")
    _settle(reminder, "said", "someone is to ask whether he has heard", turn.now)


CHECKS = {"preparation_check": _check_preparation, "results_check": _check_results}  # moments for staff, no texts
