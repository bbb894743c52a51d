"""Remove the words of old texts: what a text said is needed for weeks, that it was sent for years.

The body goes; its hash, key and script stay, so that the approved words can still be found, and so does the ledger of
consents with the hash of what was answered. A text that an open task is about keeps its words until somebody has closed it.
"""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from flows.limits import TIDY
from service.store import audit, rounds
from service.store.database import ring_after
from service.wiring import Parts

KIND = "tidy"
BATCH, BATCHES = 500, 20  # rows a transaction, transactions a ring

_OUT = text("""
    with old as (
        select o.id from outbound o
        where o.clinic_id = :clinic and o.words_removed_at is null and o.created_at <= :cutoff and o.changed_at <= :cutoff
          and o.status not in ('queued', 'offered', 'sending', 'uncertain')
          and not exists (select from tasks t where t.clinic_id = o.clinic_id and t.closed_at is null
                          and (t.inbound_id = o.inbound_id or (t.scan_id = o.scan_id and o.inbound_id is null)))
        order by o.created_at limit :limit for update skip locked)
    update outbound set body = '', words_removed_at = :now from old
    where outbound.clinic_id = :clinic and outbound.id = old.id returning outbound.id
""")
_IN = text("""
    with old as (
        select i.id from inbound i
        where i.clinic_id = :clinic and i.words_removed_at is null and i.received_at <= :cutoff
          and not exists (select from tasks t where t.clinic_id = i.clinic_id and t.closed_at is null
                          and t.inbound_id = i.id)
        order by i.received_at limit :limit for update skip locked)
    update inbound set body = '', answer = null, words_removed_at = :now from old
    where inbound.clinic_id = :clinic and inbound.id = old.id returning inbound.id
""")
_RECEIPTS = text("""
    update receipts set raw = raw - 'To' - 'From'
    where clinic_id = :clinic and outbound_id = any(cast(:ids as bigint[])) and raw ?| array['To', 'From']
""")
_STRAYS = text("""
    with old as (
        select id from receipts
        where clinic_id = :clinic and outbound_id is null and received_at <= :cutoff and raw ?| array['To', 'From']
        limit :limit)
    update receipts set raw = raw - 'To' - 'From' from old where receipts.clinic_id = :clinic and receipts.id = old.id
""")
# Signed texts to a number of no clinic's: of what an operator has closed only that it came, when and to which number.
_UNROUTED = text("""
    update unrouted_texts set raw = '{}' where closed_at is not null and received_at <= :cutoff and raw <> '{}'
""")


def tidy(parts: Parts, clinic_id: int, now: datetime) -> int:
    """Remove what is old enough in one clinic, batch by batch; returns how many texts. Rings again if more is left."""
    days = parts.settings.retain_bodies_days
    with parts.database.clinic(clinic_id) as session:
        ours, _ = rounds.claim(session, clinic_id, KIND, 0, now, TIDY)
    if not ours or not days:
        return 0
    with parts.database.cross() as connection:  # they are nobody's: whichever clinic's round comes first
        connection.execute(_UNROUTED, {"cutoff": now - timedelta(days=days)})
    removed = 0
    for batch in range(1, BATCHES + 1):
        with parts.database.clinic(clinic_id) as session:
            found = _batch(session, clinic_id, days, now)
            removed += found
            if not found:
                rounds.done(session, clinic_id, KIND, 0, now - timedelta(days=days))
                break
            if batch == BATCHES:
                rounds.again(session, clinic_id, KIND, 0, now)
                ring_after(session, "tidy", clinic_id)
    return removed


def _batch(session: Session, clinic_id: int, days: int, now: datetime) -> int:
    """One transaction's worth, with its line in the ledger; returns how many rows it changed."""
    values = {"clinic": clinic_id, "now": now, "cutoff": now - timedelta(days=days), "limit": BATCH}
    connection = session.connection()
    said = list(connection.execute(_OUT, values).scalars())
    heard = list(connection.execute(_IN, values).scalars())
    receipts = connection.execute(_RECEIPTS, {**values, "ids": said}).rowcount if said else 0
    strays = connection.execute(_STRAYS, values).rowcount
    counts = {"sent": len(said), "received": len(heard), "receipts": receipts + strays}
    if any(counts.values()):
        audit.record(session, clinic_id, at=now, actor="system", action="words_removed", subject="clinic",
                     subject_id=clinic_id, older_than_days=days, **counts)  # fmt: skip
    return len(said) + len(heard) + strays
