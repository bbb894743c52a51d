"""Send what is due: claim a batch, call the carrier with no connection held, record what became of each.

Claim (commit `sending`) -> call once, with time-outs -> record. A crash in between leaves `sending`, which is looked up
later and never resent blindly. RQ jobs carry batches, so one claim and one record serve a hundred texts; each row still
succeeds or fails alone.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.orm import Session

from flows.gate import REASONS, Action, Priority, gate
from flows.pace import Pace
from service import clock
from service.carrier.port import Carrier, Message
from service.errors import Busy, CarrierError, Refused, Unknown
from service.failures import after_failure, after_refusal, not_out_yet
from service.store.database import ring_after
from service.store.queue import Due, closing_texts, due_texts, hold, keep_pace, mark_sending, sender_pace
from service.store.texts import Outbound
from service.tasks import open_task
from service.twiml import status_url
from service.wiring import Parts

log = logging.getLogger(__name__)

BATCH = 500
THREADS = 16
WORTH_A_THREAD = 0.004  # seconds of waiting a call
GATE_HOLDS = 5.0  # seconds from the claim; who stops us later must not get a text that was cleared before he did
GIVE_UP_AFTER = 5  # unanswered calls in a batch, each of which may take the whole time-out
BACKOFF, LONGEST_BACKOFF = timedelta(seconds=15), timedelta(minutes=4)

_ACCEPTED = text("""
    update outbound set
        provider_sid = taken.sid,
        status = case when outbound.status in ('queued', 'sending', 'uncertain') then 'accepted' else outbound.status end,
        changed_at = :now
    from unnest(cast(:ids as bigint[]), cast(:refs as text[]), cast(:sids as text[])) as taken (id, ref, sid)
    where outbound.clinic_id = :clinic and outbound.id = taken.id and outbound.ref = taken.ref
""")


@dataclass(frozen=True)
class Sent:
    """What one call came to: the carrier's id, or the error; neither where it was not made.

    By its ref, as a receipt that overtakes our own record may have begun a new attempt of the same row.
    """

    outbound_id: int
    ref: str
    sid: str = ""
    error: CarrierError | None = None


def send_due(parts: Parts, clinic_id: int, sender_id: int, now: datetime, limit: int = BATCH) -> int:
    """One batch of one sender, at its own pace; returns how many rows were looked at. Rings again if more may go now.

    A batch is bounded by what the pace allows, so a clinic with thousands waiting takes no more of a worker's turn than
    one with five: each sender has one ring in the line, and that is what makes it fair. What has become too late is
    refused on time, however busy the number is.
    """
    with parts.database.clinic(clinic_id) as session:
        pace = sender_pace(session, clinic_id, sender_id, now)
        closing = closing_texts(session, clinic_id, sender_id, now, limit)
        _clear(session, closing, pace, now)
        session.flush()
        most = min(limit, pace.room(now)) or limit
        lowest = Priority.BULK if pace.room(now) else Priority.REPLY
        due = due_texts(session, clinic_id, sender_id, now, most, lowest)
        cleared, pace = _clear(session, due, pace, now)
        mark_sending(session, clinic_id, [row.id for row, _ in cleared], now)
        keep_pace(session, clinic_id, sender_id, pace, now)
        if (len(due) == most and pace.room(now)) or len(closing) == limit:
            ring_after(session, "send", clinic_id, sender_id)
    if cleared:
        results = call(parts.carrier, [_message(parts, row, seconds) for row, seconds in cleared])
        record(parts, clinic_id, results, now)
    return len(closing) + len(due)


def _clear(session: Session, due: Sequence[Due], pace: Pace, now: datetime) -> tuple[list[tuple[Due, int]], Pace]:
    """Ask the gate about each row, in the claim's own transaction; what may not go is a row with its reason.

    What the pace does not allow yet stays as it is; the ticker rings when its turn comes. What was cleared a moment ago
    counts against the caps like what left before.
    """
    cleared, capped = [], Counter[str]()
    for row in due:
        attempt = row.attempt
        if left := capped[row.phone]:
            attempt = replace(attempt, texted_at=attempt.texted_at + (now,) * left)
        verdict = gate(attempt, now)
        if verdict.action is Action.SEND:
            if pace.may_go(attempt.priority, now):
                cleared.append((row, verdict.validity_seconds))
                pace = pace.after(row.segments)
                capped[row.phone] += attempt.automated and not attempt.exempt
        elif verdict.action is Action.HOLD:
            hold(session, row, verdict.until or now + timedelta(minutes=1), REASONS[verdict.reason], now)
            if verdict.reason == "paused" and attempt.automated:
                held = session.get_one(Outbound, (row.clinic_id, row.id))
                not_out_yet(session, held, REASONS["paused"], now, patience=timedelta(0))
        else:
            after_refusal(session, row.clinic_id, row.id, verdict.reason, now)
            if verdict.reason == "unreadable":  # staff cannot mend that
                open_task(session, row.clinic_id, "cannot_word", now=now, why=f"text {row.id}: {REASONS['unreadable']}")
    return cleared, pace


def _message(parts: Parts, row: Due, seconds: int) -> tuple[Sent, Message]:
    return Sent(row.id, row.ref), Message(
        to=row.phone,
        body=row.body,
        sender=row.sender_phone,
        messaging_service_sid=row.messaging_service_sid,
        callback_url=status_url(parts.settings, row.clinic_id, row.ref),
        validity_seconds=seconds,
    )


def call(carrier: Carrier, messages: Sequence[tuple[Sent, Message]]) -> list[Sent]:
    """Hand over each message once, within GATE_HOLDS; the rest come back as they were. No database connection is held.

    As many threads as the waiting is worth: the first call is timed, and where the carrier answers at once more threads
    would only wait for each other. A carrier that stops answering is not tried with the rest of the batch: those go back
    untouched.
    """
    trouble = _Trouble(clock.stopwatch())
    first = _call_one(carrier, trouble, messages[0])
    threads = min(THREADS, int((clock.stopwatch() - trouble.since) / WORTH_A_THREAD), len(messages) - 1)
    one = partial(_call_one, carrier, trouble)
    if threads < 2:
        return [first, *map(one, messages[1:])]
    with ThreadPoolExecutor(max_workers=threads) as pool:
        return [first, *pool.map(one, messages[1:])]


@dataclass
class _Trouble:
    """Since when the calls of this batch are made, by the stopwatch, and how many of them ended without an answer."""

    since: float
    unanswered: int = 0


def _call_one(carrier: Carrier, trouble: _Trouble, item: tuple[Sent, Message]) -> Sent:
    sent, message = item
    if trouble.unanswered >= GIVE_UP_AFTER:
        return replace(sent, error=Busy(None, "not tried: the carrier does not answer"))
    if clock.stopwatch() - trouble.since > GATE_HOLDS:
        return sent
    try:
        sid = carrier.send(message)
        if not sid:  # it said yes and not to what: neither taken for sure nor untried
            raise Unknown(None, "an answer without the text's id")
        return replace(sent, sid=sid)
    except CarrierError as error:
        trouble.unanswered += isinstance(error, Unknown)
        return replace(sent, error=error)
    except Exception as error:  # noqa: BLE001 - what nobody foresaw puts one text in doubt; the others keep their results
        log.warning("an odd answer of the carrier (text %s: %s)", sent.outbound_id, type(error).__name__)
        trouble.unanswered += 1
        return replace(sent, error=Unknown(None, f"an odd answer ({type(error).__name__})"))


def record(parts: Parts, clinic_id: int, results: Sequence[Sent], now: datetime) -> None:
    """Write down what became of each call; a receipt that came first is never overwritten."""
    accepted = [result for result in results if result.sid]
    with parts.database.clinic(clinic_id) as session:
        # A result lost with a crashing server leaves `sending`, which is looked up: no need to wait for the disk here.
        session.execute(text("set local synchronous_commit = off"))
        if accepted:
            session.execute(
                _ACCEPTED,
                {
                    "clinic": clinic_id,
                    "ids": [result.outbound_id for result in accepted],
                    "refs": [result.ref for result in accepted],
                    "sids": [result.sid for result in accepted],
                    "now": now,
                },
            )
        for result in results:
            if not result.sid:
                row = session.get_one(Outbound, (clinic_id, result.outbound_id), with_for_update=True)
                if (row.status, row.ref) == ("sending", result.ref):
                    _record_failure(session, row, result.error, now)


def _record_failure(session: Session, row: Outbound, error: CarrierError | None, now: datetime) -> None:
    row.changed_at, row.error_code = now, error.code if error else None
    if error is None:  # not tried in time: it asks the gate once more, and at once
        _take_back(row)
    elif isinstance(error, Busy):  # again and again until it has become useless, after as long as it has waited already
        _take_back(row)
        wait = min(max(BACKOFF, now - row.created_at), LONGEST_BACKOFF)
        row.reason, row.due_at = "the carrier was busy", now + wait
        not_out_yet(session, row, row.reason, now)
    elif isinstance(error, Refused):
        after_failure(session, row, error.code, now, processed=False)
    else:
        row.status, row.reason = "uncertain", "the carrier did not answer; it is being looked up"
        not_out_yet(session, row, row.reason, now)


def _take_back(row: Outbound) -> None:
    """Nothing was processed, so it was no attempt."""
    row.status, row.attempts = "queued", row.attempts - 1
    if not row.attempts:
        row.tried_at = None
