"""Texts whose outcome nobody told us: look them up at the carrier, and never resend what may have been sent.

A send without an answer, a worker that died in between, a reply without a receipt: each is matched one to one against
the carrier's own list, by both numbers, words and time. Found is adopted; absent from two listings, at least 2 and 10
minutes after the call, was not accepted and goes through the gate as a new attempt if it is still of use; else a person
is told.
A text that was taken and whose final receipt never came is asked after in the same way, so that a lost failure is found.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from flows.limits import CLOCK_SLACK, LISTINGS, RECEIPT_LISTINGS, STALE_CLAIM, UNANSWERED
from flows.outcomes import FROM_CARRIER
from service.carrier.port import Listed
from service.errors import Unknown
from service.failures import FAILED, not_out_yet, tell_someone
from service.receipts import raise_status
from service.store import rounds
from service.store.database import ring_after
from service.store.people import Sender
from service.store.texts import Outbound
from service.wiring import Parts

log = logging.getLogger(__name__)

KIND = "settle"  # the round that says when a carrier that did not answer is asked again
GIVE_UP_AFTER = 3  # unanswered listings in one go, of ten seconds each
ASK_AGAIN = timedelta(minutes=1)
GIVE_UP = timedelta(hours=6)  # the carrier cannot be asked: a person decides
TAKEN = ("accepted", "sending_at_carrier", "sent")  # the carrier has it, and has not said what became of it


def settle(parts: Parts, clinic_id: int, now: datetime, limit: int = 50) -> int:
    """Look up what is open in one clinic; returns how many rows were looked at."""
    with parts.database.clinic(clinic_id) as session:
        _doubt(session, clinic_id, now)
        since: dict[str, datetime] = {}  # however long we were away, the list reaches back to the call
        for row in _open(session, clinic_id, now, limit):
            since[row.phone] = min(row.tried_at or now, since.get(row.phone, now))
    unanswered = 0  # each listing may take the whole time-out: a silent carrier is asked about a few only
    for phone, earliest in since.items():
        listed = _listed(parts, phone, earliest) if unanswered < GIVE_UP_AFTER else None
        unanswered += listed is None
        with parts.database.clinic(clinic_id) as session:
            rows = [row for row in _open(session, clinic_id, now, limit) if _covered(row, phone, earliest)]
            unknown = [row for row in rows if row.status == "uncertain"]
            if listed is None:
                _give_up(session, unknown, now)
            else:
                _match(session, clinic_id, unknown, listed, now)
                _became(session, [row for row in rows if row.status in TAKEN], listed, now)
    if unanswered:
        with parts.database.clinic(clinic_id) as session:
            rounds.claim(session, clinic_id, KIND, 0, now, ASK_AGAIN, anyway=True)
    return len(since)


def _listed(parts: Parts, phone: str, since: datetime) -> list[Listed] | None:
    """What the carrier was given for a phone, or None where it cannot be asked now."""
    try:
        return parts.carrier.sent_to(phone, since)
    except Unknown:
        log.warning("the carrier cannot be asked now; open texts stay open")
        return None


def _doubt(session: Session, clinic_id: int, now: datetime) -> None:
    """What has been open too long without a word becomes uncertain."""
    for status, age in (("sending", STALE_CLAIM), ("offered", UNANSWERED)):
        session.execute(
            update(Outbound)
            .where(Outbound.clinic_id == clinic_id, Outbound.status == status, Outbound.tried_at <= now - age)
            .values(status="uncertain", reason="no word from the carrier; it is being looked up", changed_at=now)
        )


def _open(session: Session, clinic_id: int, now: datetime, limit: int) -> list[Outbound]:
    """Rows whose next look-up is due: those of which we do not know whether the carrier has them, and what became of them."""
    again = len(RECEIPT_LISTINGS)
    return list(
        session.scalars(
            select(Outbound)
            .where(Outbound.clinic_id == clinic_id)
            .where(
                or_(
                    and_(Outbound.status == "uncertain", _older(LISTINGS, now)),
                    and_(Outbound.status.in_(TAKEN), Outbound.listings < again, _older(RECEIPT_LISTINGS, now)),
                )
            )
            # What may never have left comes first: lost receipts of thousands must not hold up one cry for help.
            .order_by(Outbound.status != "uncertain", Outbound.priority, Outbound.id)
            .limit(limit)
            .with_for_update()
        )
    )


def _older(ages: tuple[timedelta, ...], now: datetime) -> ColumnElement[bool]:
    """Whether the row's call is long enough ago for its next look-up, the last age serving for any more."""
    before = {n: now - age for n, age in enumerate(ages)}
    return Outbound.tried_at <= case(before, value=Outbound.listings, else_=now - ages[-1])


def _covered(row: Outbound, phone: str, since: datetime) -> bool:
    """Whether the list just read would show this row's text."""
    return row.phone == phone and row.tried_at is not None and row.tried_at >= since


def _became(session: Session, rows: list[Outbound], listed: list[Listed], now: datetime) -> None:
    """What became of texts that the carrier took. One that it never finished is told to a person after the last look."""
    by_sid = {item.sid: item for item in listed}
    for row in rows:
        item = by_sid.get(row.provider_sid or "")
        if item is not None:
            raise_status(session, row, FROM_CARRIER.get(item.status, row.status), item.sid, item.error_code, now)
        if row.status not in TAKEN:
            continue
        row.listings, row.changed_at = row.listings + 1, now
        if row.listings < len(RECEIPT_LISTINGS):
            continue
        if row.status == "sent":  # many networks say no more than that
            row.reason = "it reached his network, which did not say whether it arrived"
        else:
            row.reason = "the carrier never said what became of it"
            tell_someone(session, row, row.reason, now)


def _match(session: Session, clinic_id: int, rows: list[Outbound], listed: list[Listed], now: datetime) -> None:
    """Pair rows with the carrier's texts, oldest with oldest; a text already known to be another row's is no match."""
    known = set(
        session.scalars(
            select(Outbound.provider_sid).where(
                Outbound.clinic_id == clinic_id,
                Outbound.provider_sid.in_([item.sid for item in listed]),
            )
        )
    )
    oldest_first = reversed(listed)  # of two in one second the list's own order decides
    free = sorted((item for item in oldest_first if item.sid not in known), key=lambda item: item.created_at or now)
    for row in sorted(rows, key=lambda row: (row.tried_at or now, row.id)):
        sender = session.get_one(Sender, (clinic_id, row.sender_id))
        twin = next((item for item in free if _left_from(item, sender) and _may_be(item, row, now)), None)
        if twin is not None:
            free.remove(twin)
            raise_status(session, row, FROM_CARRIER.get(twin.status, "accepted"), twin.sid, twin.error_code, now)
        else:
            _absent(session, row, now)


def _left_from(item: Listed, sender: Sender) -> bool:
    """Whether it left from this number or through its Messaging Service: another clinic may have told him the same words."""
    through = sender.messaging_service_sid
    return item.sender == sender.phone or (through is not None and item.messaging_service_sid == through)


def _may_be(item: Listed, row: Outbound, now: datetime) -> bool:
    """Whether the carrier's text can be this row's last attempt: the same words, made at its call or later.

    The slack for two clocks reaches back to an earlier attempt that failed, and its failure must not speak for this one.
    """
    called = row.tried_at or now
    if item.created_at is not None and item.created_at < called - CLOCK_SLACK:
        return False
    if item.body != row.body and not (_wordless(item, called) and row.automated):
        return False
    return row.attempts <= 1 or FROM_CARRIER.get(item.status) not in FAILED


def _wordless(item: Listed, called: datetime) -> bool:
    """Whether it was made at the call, and the carrier no longer keeps its words: then its moment has to decide.

    Of planned texts only: an answer to a cry for help must never be taken for sent because another text was.
    """
    return not item.body and item.created_at is not None and item.created_at <= called + CLOCK_SLACK


def _absent(session: Session, row: Outbound, now: datetime) -> None:
    row.listings, row.changed_at = row.listings + 1, now
    if row.listings < len(LISTINGS):
        not_out_yet(session, row, row.reason, now)
        return
    if row.valid_until is not None and now >= row.valid_until:
        row.status, row.reason = "refused", "it was not accepted, and is now too late to be of use"
        tell_someone(session, row, row.reason, now)
        return
    row.status, row.reason, row.due_at = "queued", "the first attempt was not accepted", now
    ring_after(session, "send", row.clinic_id, row.sender_id)


def _give_up(session: Session, rows: list[Outbound], now: datetime) -> None:
    for row in rows:
        if row.tried_at is not None and now - row.tried_at > GIVE_UP:
            row.status, row.reason, row.changed_at = "failed", "nobody can tell whether it was sent", now
            tell_someone(session, row, row.reason, now, always=True)
        else:
            not_out_yet(session, row, row.reason, now)
