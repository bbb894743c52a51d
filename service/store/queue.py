"""The outbox as a queue: claim due rows with every fact the gate needs, in one query, skipping what another holds."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Row, TextClause, text
from sqlalchemy.orm import Session

from flows.gate import UTC_ZONE, Attempt, Priority
from flows.journey import TIMELESS, fits, window_of
from flows.limits import CLOSING, PACE_REPLIES, URGENT_WINDOW
from flows.pace import Pace, pace

log = logging.getLogger(__name__)

# The due rows are claimed first, by the index made for it, and only those are joined with their facts: the cost of a claim
# does not grow with what is waiting. Consent and caps are looked up for automated texts only.
_CLAIM = """
    with due as materialized (
        select * from outbound
        where clinic_id = :clinic and sender_id = :sender and status = 'queued' and due_at <= :now
          and {these} limit :limit
        for update skip locked)
    select o.clinic_id, o.id, o.ref, o.phone, o.body, o.key, o.priority, o.automated, o.logistics, o.exempt, o.valid_until,
           o.segments,
           s.phone as sender_phone, s.messaging_service_sid, s.live,
           (s.paused_reason is not null or c.paused_at is not null or (p.paused_at is not null and o.automated)
            or coalesce(p.taken_over_until > cast(:now as timestamptz), false)
            or exists (select from switches w where w.name = 'pause' and w.value = 'on')) as paused,
           cp.opted_out_at is not null as opted_out, cp.frozen_at is not null as frozen, p.stopped_at is not null as died,
           coalesce(cv.care_pause, false) as care_pause, seen.seen_until, coalesce(seen.in_vain, 0) as in_vain,
           case when o.automated then (
               select max(i.received_at) from inbound i
               where i.clinic_id = o.clinic_id and i.contact_point_id = o.contact_point_id) end as last_inbound_at,
           coalesce(sc.state, '') as scan_state, rm.touchpoint,
           case when o.automated then coalesce(sc.contact_point_id = o.contact_point_id and (
               o.plan_version >= sc.arrival_version or rm.touchpoint = any(:timeless)), false)
           else coalesce(o.plan_version >= sc.arrival_version, true) end as current_plan,
           coalesce(p.zone, st.zone, 'UTC') as zone, st.window_start, st.window_end,
           o.automated and coalesce((
               select given from consents k
               where k.clinic_id = o.clinic_id and k.contact_point_id = o.contact_point_id
                 and k.patient_id = sc.patient_id
                 and k.kind = case when o.key in ('invite', 'invite_again') then 'permission' else 'texts' end
               order by k.id desc limit 1), false) as consented,
           o.form = 'detailed' and not coalesce((
               select given from consents k
               where k.clinic_id = o.clinic_id and k.contact_point_id = o.contact_point_id
                 and k.patient_id = sc.patient_id and k.kind = 'detail' order by k.id desc limit 1), false) as too_open,
           case when o.automated and not o.exempt then array(
               select x.tried_at from outbound x
               where x.clinic_id = o.clinic_id and x.contact_point_id = o.contact_point_id
                 and x.tried_at > cast(:now as timestamptz) - interval '7 days'
                 and x.automated and not x.exempt
                 and x.status <> 'refused' and x.id <> o.id) end as texted_at
    from due o
    join senders s on s.clinic_id = o.clinic_id and s.id = o.sender_id
    join clinics c on c.id = o.clinic_id
    left join rounds seen on seen.clinic_id = o.clinic_id and seen.kind = 'recover' and seen.subject_id = o.sender_id
    left join contact_points cp on cp.clinic_id = o.clinic_id and cp.id = o.contact_point_id
    left join conversations cv on cv.clinic_id = o.clinic_id and cv.contact_point_id = o.contact_point_id
    left join reminders rm on rm.clinic_id = o.clinic_id and rm.id = o.reminder_id
    left join scans sc on sc.clinic_id = o.clinic_id and sc.id = o.scan_id
    left join patients p on p.clinic_id = o.clinic_id and p.id = sc.patient_id
    left join sites st on st.clinic_id = o.clinic_id and st.id = sc.site_id
    order by o.priority, o.due_at, o.id
"""
_DUE = text(_CLAIM.format(these="priority <= :lowest order by priority, due_at, id"))
# What can no longer be sent needs no turn in the line: it is refused on time, and somebody told, however long the line is.
_CLOSING = text(_CLAIM.format(these="valid_until < :closing order by valid_until, id"))

_SENDING = text("""
    update outbound set status = 'sending', tried_at = :now, attempts = attempts + 1, listings = 0, changed_at = :now
    where clinic_id = :clinic and id = any(cast(:ids as bigint[]))
""")
_HOLD = text("""
    update outbound set due_at = :until, reason = :reason, changed_at = :now where clinic_id = :clinic and id = :id
""")


# Replies leave with the answer to a webhook and never touch the sender's row: they are counted here, at the next claim.
# One that went through the outbox was charged by the claim that sent it.
# Nor do they wait for it: to name a sender by its key is no conflict with a claim that moves its pace on.
_PACE = text("""
    select segments_per_second, paced_until, paced_at from senders where clinic_id = :clinic and id = :sender
    for no key update
""")
_REPLIES = text("""
    select created_at, segments from outbound
    where clinic_id = :clinic and sender_id = :sender and inbound_id is not null and status <> 'refused'
      and status <> 'queued' and tried_at <= created_at and created_at > :since and created_at <= :now
    order by created_at
""")
_KEEP_PACE = text("""
    update senders set paced_until = :until, paced_at = :now where clinic_id = :clinic and id = :sender
""")


@dataclass(frozen=True)
class Due:
    """One claimed row, and the facts of it for the gate."""

    clinic_id: int
    id: int
    ref: str
    phone: str
    body: str
    segments: int
    sender_phone: str
    messaging_service_sid: str | None
    attempt: Attempt


def sender_pace(session: Session, clinic_id: int, sender_id: int, now: datetime) -> Pace:
    """The sender's pace, locked: two claims of one sender go one after the other."""
    sender = {"clinic": clinic_id, "sender": sender_id}
    row = session.execute(_PACE, sender).one()
    since = now - PACE_REPLIES if row.paced_at is None else max(row.paced_at, now - PACE_REPLIES)
    replies = session.execute(_REPLIES, sender | {"since": since, "now": now}).all()
    return pace(
        row.segments_per_second, row.paced_until, ((r.created_at, r.segments) for r in replies), now, row.paced_at
    )


def keep_pace(session: Session, clinic_id: int, sender_id: int, kept: Pace, now: datetime) -> None:
    """Write down until when the sender is busy."""
    values = {"clinic": clinic_id, "sender": sender_id, "until": kept.busy_until, "now": now}
    session.execute(_KEEP_PACE, values)


def due_texts(
    session: Session, clinic_id: int, sender_id: int, now: datetime, limit: int, lowest: Priority = Priority.BULK
) -> list[Due]:
    """Up to `limit` due rows of one sender, most pressing first and none below `lowest`, locked in this transaction."""
    return _claimed(session, _DUE, clinic_id, sender_id, now, limit=limit, lowest=int(lowest))


def closing_texts(session: Session, clinic_id: int, sender_id: int, now: datetime, limit: int) -> list[Due]:
    """Up to `limit` due rows of one sender for which it is too late by now, whatever their turn, locked as above."""
    return _claimed(session, _CLOSING, clinic_id, sender_id, now, limit=limit, closing=now + CLOSING)


def _claimed(
    session: Session, which: TextClause, clinic_id: int, sender_id: int, now: datetime, **more: object
) -> list[Due]:
    values = {"clinic": clinic_id, "sender": sender_id, "now": now, "timeless": list(TIMELESS), **more}
    return [
        Due(
            r.clinic_id,
            r.id,
            r.ref,
            r.phone,
            r.body,
            r.segments,
            r.sender_phone,
            r.messaging_service_sid,
            _readable(r, now),
        )
        for r in session.execute(which, values).all()
    ]


def _readable(r: Row[tuple[object, ...]], now: datetime) -> Attempt:
    """A row's facts for the gate. One whose facts make no sense is refused alone: its neighbours must not wait for it."""
    try:
        return _attempt(r, now)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this row's own
        log.warning("the facts of text %s of clinic %s cannot be read (%s)", r.id, r.clinic_id, type(error).__name__)
        return Attempt(Priority.REPLY, automated=r.automated, valid_until=r.valid_until, readable=False)


def _attempt(r: Row[tuple[object, ...]], now: datetime) -> Attempt:
    touchpoint = r.touchpoint or ""
    zone = ZoneInfo(r.zone) if r.automated else UTC_ZONE  # hours and caps are for automated texts only
    window = URGENT_WINDOW if r.window_start is None else (r.window_start, r.window_end)
    return Attempt(
        priority=Priority(r.priority),
        automated=r.automated,
        valid_until=r.valid_until,
        booked=fits(r.scan_state, touchpoint),
        current_plan=r.current_plan,
        consented=r.consented,
        too_open=r.too_open,
        opted_out=r.opted_out,
        frozen=r.frozen,
        died=r.died,
        sender_live=r.live,
        paused=r.paused,
        seen_until=r.seen_until,
        vain_listings=r.in_vain,
        care_pause=r.care_pause,
        logistics=r.logistics,
        exempt=r.exempt,
        zone=zone,
        window=window_of(touchpoint, now, zone, window, r.valid_until),
        last_inbound_at=r.last_inbound_at,
        texted_at=tuple(r.texted_at or ()),
    )


def mark_sending(session: Session, clinic_id: int, ids: Sequence[int], now: datetime) -> None:
    """Claim these rows: from here until a result is recorded their outcome is unknown."""
    if ids:
        session.execute(_SENDING, {"clinic": clinic_id, "ids": list(ids), "now": now})


def hold(session: Session, row: Due, until: datetime, reason: str, now: datetime) -> None:
    """Not now: the row stays queued until `until`, with the reason in words."""
    session.execute(_HOLD, {"clinic": row.clinic_id, "id": row.id, "until": until, "reason": reason, "now": now})
