"""What is waiting, across clinics: ids and moments only, read through the narrow role. And the beats of moving parts."""

from datetime import datetime, timedelta
from itertools import chain

from sqlalchemy import Connection, text

from flows.gate import Priority
from flows.limits import CLOCK_JITTER, CLOSING, LISTINGS, RECEIPT_LISTINGS, STALE_CLAIM, UNANSWERED

_REMINDERS = text("select distinct clinic_id from reminders where status = 'planned' and due_at <= :now")
# A sender that is busy is rung for answers and for what is too late to send; the rest when its turn comes. One whose pace
# was kept by a clock that was wrong is not busy.
_TEXTS = text("""
    select o.clinic_id, o.sender_id, min(o.priority) <= :safety as pressing from outbound o
    join senders s on s.clinic_id = o.clinic_id and s.id = o.sender_id
    where o.status = 'queued' and o.due_at <= :now
      and (s.paced_until is null or s.paced_until <= :now or s.paced_at > :soon
           or o.priority <= :reply or o.valid_until < :closing)
    group by o.clinic_id, o.sender_id
""")
# The next due row by its own index, and the first busy sender that has something waiting.
_SOON = text("""
    select least(
        (select min(due_at) from outbound where status = 'queued' and due_at > :now),
        (select min(due_at) from reminders where status = 'planned' and due_at > :now),
        (select min(valid_until) - cast(:margin as interval) from outbound
         where status = 'queued' and valid_until >= :closing),
        (select min(s.paced_until) from senders s where s.paced_until > :now and exists (
            select from outbound o where o.clinic_id = s.clinic_id and o.sender_id = s.id and o.status = 'queued'
              and o.due_at <= :now)))
""")
# Of a clinic whose carrier did not answer nothing is looked up for a moment.
_OPEN = text("""
    select open.clinic_id from (
    select clinic_id from outbound
    where (status = 'sending' and tried_at <= :stale) or (status = 'offered' and tried_at <= :unanswered)
       or (status = 'uncertain' and tried_at <= case when listings = 0 then cast(:first as timestamptz) else :second end)
    union
    select clinic_id from outbound
    where status in ('accepted', 'sending_at_carrier', 'sent') and listings < 3
      and tried_at <= case listings when 0 then cast(:unsaid as timestamptz) when 1 then :unsaid_again else :unsaid_last end
    ) as open
    where not exists (select from rounds r where r.clinic_id = open.clinic_id and r.kind = 'settle' and r.next_at > :now)
""")
_RECOVER = text("""
    select s.clinic_id, s.id from senders s
    left join rounds r on r.clinic_id = s.clinic_id and r.kind = 'recover' and r.subject_id = s.id
    where r.next_at is null or r.next_at <= :now or :all
""")
_TIDY = text("""
    select c.id from clinics c left join rounds r on r.clinic_id = c.id and r.kind = 'tidy' and r.subject_id = 0
    where r.next_at is null or r.next_at <= :now
""")
_ANNOUNCE = text("select distinct clinic_id from tasks where announce_at <= :now and closed_at is null")
_NEXT = text("""
    select min(at) from (
        select min(due_at) as at from reminders where status = 'planned'
        union all select min(case when q.first <= :reply then q.due else greatest(q.due, s.paced_until) end)
                  from (select clinic_id, sender_id, min(due_at) as due, min(priority) as first from outbound
                        where status = 'queued' group by clinic_id, sender_id) q
                  join senders s on s.clinic_id = q.clinic_id and s.id = q.sender_id
        union all select min(greatest(due_at, valid_until - cast(:margin as interval)))
                  from outbound where status = 'queued' and valid_until is not null
        union all select min(announce_at) from tasks where closed_at is null and announce_at is not null
        union all select min(greatest(q.due, r.next_at)) from (
            select clinic_id, tried_at + cast(:stale as interval) as due from outbound where status = 'sending'
            union all select clinic_id, tried_at + :unanswered from outbound where status = 'offered'
            union all select clinic_id, tried_at + case when listings = 0 then cast(:first as interval) else :second end
                      from outbound where status = 'uncertain'
            union all select clinic_id, tried_at + case listings when 0 then cast(:unsaid as interval)
                                                   when 1 then :unsaid_again else :unsaid_last end
                      from outbound where status in ('accepted', 'sending_at_carrier', 'sent') and listings < 3
        ) q left join rounds r on r.clinic_id = q.clinic_id and r.kind = 'settle'
    ) as coming
""")
_AGES = {
    "stale": STALE_CLAIM,
    "unanswered": UNANSWERED,
    "first": LISTINGS[0],
    "second": LISTINGS[1],
    "unsaid": RECEIPT_LISTINGS[0],
    "unsaid_again": RECEIPT_LISTINGS[1],
    "unsaid_last": RECEIPT_LISTINGS[2],
}
_BEAT = text("insert into beats (name, at) values (:name, :at) on conflict (name) do update set at = excluded.at")


Bell = tuple[str, *tuple[int, ...]]  # a job and its row ids
SENDERS_A_RING = 10  # at nine o'clock hundreds wait, and a job each would cost more than the sending


def waiting(connection: Connection, now: datetime, *, at_start: bool = False) -> list[Bell]:
    """Every ring that is due: tasks to announce, rounds to make, reminders to word, texts to send, outcomes to look up.

    Alarms come first, and then missed texts: one of them may say STOP. At the start of a process every number is asked
    for them, whenever that was done last.
    """
    rings: list[Bell] = [("announce", *row) for row in connection.execute(_ANNOUNCE, {"now": now})]
    pressing, others = _senders(connection, now)
    rings += _shared("send_now", pressing)
    everyone = connection.execute(_RECOVER, {"now": now, "all": at_start})
    rings += [("recover", *row, int(at_start)) for row in everyone]
    rings += [("fire", *row) for row in connection.execute(_REMINDERS, {"now": now})]
    rings += _shared("send", others)
    moments = {name: now - age for name, age in _AGES.items()}
    rings += [("settle", *row) for row in connection.execute(_OPEN, moments | {"now": now})]
    rings += [("tidy", *row) for row in connection.execute(_TIDY, {"now": now})]
    return rings


def _senders(connection: Connection, now: datetime) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """The numbers with texts to send, as (clinic, sender): those with safety texts among them, and the others."""
    values = {"now": now, "safety": int(Priority.SAFETY), "reply": int(Priority.REPLY),
              "closing": now + CLOSING, "soon": now + CLOCK_JITTER}  # fmt: skip
    found = connection.execute(_TEXTS, values).all()
    pressing = [(row.clinic_id, row.sender_id) for row in found if row.pressing]
    return pressing, [(row.clinic_id, row.sender_id) for row in found if not row.pressing]


def _shared(job: str, senders: list[tuple[int, int]]) -> list[Bell]:
    """Rings that name several numbers each."""
    return [
        (job, *chain.from_iterable(senders[first : first + SENDERS_A_RING]))
        for first in range(0, len(senders), SENDERS_A_RING)
    ]


def next_moment(connection: Connection) -> datetime | None:
    """The earliest moment at which anything is due; it may lie in the past. Rounds of upkeep wait for nobody's sake."""
    found: datetime | None = connection.execute(
        _NEXT, {**_AGES, "reply": int(Priority.REPLY), "margin": CLOSING}
    ).scalar()
    return found


def next_look(connection: Connection, now: datetime) -> datetime | None:
    """When something comes due, or a busy sender with texts waiting may go on; cheap enough to ask at every tick."""
    moments = {"now": now, "closing": now + CLOSING, "margin": CLOSING}
    found: datetime | None = connection.execute(_SOON, moments).scalar()
    return found


def beat(connection: Connection, name: str, now: datetime) -> None:
    """A sign of life."""
    connection.execute(_BEAT, {"name": name, "at": now})


def since_beat(connection: Connection, name: str, now: datetime) -> timedelta | None:
    """How long ago `name` last showed a sign of life."""
    at = connection.execute(text("select at from beats where name = :name"), {"name": name}).scalar()
    return now - at if at else None
