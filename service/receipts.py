"""A status callback: every raw one is kept, the status only rises, and a final failure always finds a person."""

from collections.abc import Mapping
from datetime import datetime

from prometheus_client import Counter
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from flows.outcomes import FROM_CARRIER, RANK, rises
from service.failures import after_failure, tell_someone
from service.planning import preparation_arrived
from service.store.journeys import Reminder, Scan
from service.store.texts import Outbound, Receipt
from service.tasks import close_by_event
from service.wiring import Parts

MAX_FIELDS, MAX_VALUE, MAX_SID = 40, 500, 64
OUTCOMES = (
    "raised",  # it raised the status of its text
    "unchanged",  # late, twice or out of order
    "unknown_status",
    "unknown_text",
    "other_message",  # of another MessageSid than its text has, or of none
    "wrong_account",
    "unknown_clinic",  # kept for operators with the texts that belong to nobody
)
COUNTED = Counter("scanguide_receipts", "status callbacks, by what became of them", ["outcome"], registry=None)
for _outcome in OUTCOMES:
    COUNTED.labels(_outcome)


def receive(parts: Parts, clinic_id: int, ref: str, form: Mapping[str, str], now: datetime) -> bool:
    """Keep one callback and let it raise the status of the text it is about; returns whether it changed anything.

    An unknown text, an unknown status, another account or missing fields are kept and counted and change nothing.
    """
    became = _keep_and_raise(parts, clinic_id, ref, form, now)
    COUNTED.labels(became).inc()  # only once it is committed
    return became == "raised"


def _keep_and_raise(parts: Parts, clinic_id: int, ref: str, form: Mapping[str, str], now: datetime) -> str:
    """One callback in one transaction; returns which of OUTCOMES it was."""
    status, code = form.get("MessageStatus", ""), _code(form.get("ErrorCode", ""))
    with parts.database.clinic(clinic_id) as session:
        row = session.scalars(
            select(Outbound).where(Outbound.clinic_id == clinic_id, Outbound.ref == ref).with_for_update()
        ).one_or_none()
        fault = _fault(parts, row, form)
        ours = row if not fault else None
        session.execute(
            insert(Receipt).values(
                clinic_id=clinic_id,
                outbound_id=ours.id if ours else None,
                status=status[:50],
                error_code=code,
                raw=_bounded(form),
                received_at=now,
            )
        )
        if ours is None or status not in FROM_CARRIER:
            return fault or "unknown_status"
        raised = raise_status(session, ours, FROM_CARRIER[status], form.get("MessageSid", ""), code, now)
        return "raised" if raised else "unchanged"


def raise_status(session: Session, row: Outbound, status: str, sid: str, code: int | None, now: datetime) -> bool:
    """Let a carrier's word raise a row's status; shared by callbacks and look-ups."""
    row.provider_sid = row.provider_sid or sid or None
    if not rises(row.status, status):
        return False
    if RANK.get(row.status, 0) < RANK["accepted"]:
        row.listings = 0  # from here on it is looked up for what became of it, no longer for whether it is there
    before, row.status, row.changed_at = row.status, status, now
    if status in ("failed", "undelivered"):
        after_failure(session, row, code, now, processed=True)
    elif status == "canceled":  # by somebody at the carrier: it is as little there as one that failed
        row.reason = "it was cancelled at the carrier"
        tell_someone(session, row, row.reason, now)
    elif status in ("accepted", "sent", "delivered"):
        row.reason, row.error_code = "", None
        if before != "sent":  # by then it has closed its task: one opened since is about a later text
            _prepared(session, row, now)
    return True


def _prepared(session: Session, row: Outbound, now: datetime) -> None:
    """The preparation for this very arrival is on its way to his present number: nobody needs to phone it any more.

    A late word of an older one, to a number that the booking has left or for a visit that has moved, prepares nobody.
    """
    if row.reminder_id is None or row.scan_id is None:
        return
    reminder = session.get_one(Reminder, (row.clinic_id, row.reminder_id))
    scan = session.get_one(Scan, (row.clinic_id, row.scan_id))
    if reminder.touchpoint == "prepare" and preparation_arrived(session, row.clinic_id, scan):
        close_by_event(session, row.clinic_id, "phone_preparation", scan_id=row.scan_id,
                       outcome="the preparation arrived by text", now=now)  # fmt: skip


def _fault(parts: Parts, row: Outbound | None, form: Mapping[str, str]) -> str:
    """Why a callback cannot speak for the text that its address names; "" where it can."""
    account, ours = form.get("AccountSid", ""), parts.settings.twilio_account_sid
    if account and ours and account != ours:
        return "wrong_account"
    if row is None:
        return "unknown_text"
    return "" if _same_text(row, form) else "other_message"


def _same_text(row: Outbound, form: Mapping[str, str]) -> bool:
    """A callback for another message of the carrier's cannot speak for this one (an old attempt, a mixed-up URL)."""
    sid = form.get("MessageSid", "")
    return 0 < len(sid) <= MAX_SID and row.provider_sid in (None, sid)


def _code(written: str) -> int | None:
    return int(written) if written.isascii() and written.isdigit() and len(written) < 10 else None


def _bounded(form: Mapping[str, str]) -> dict[str, str]:
    """The raw fields, at most so many and so long, without what PostgreSQL cannot hold."""
    return {k[:100].replace("\x00", ""): v[:MAX_VALUE].replace("\x00", "") for k, v in list(form.items())[:MAX_FIELDS]}
