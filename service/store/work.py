"""What is waiting, across clinics: ids and moments only, read through the narrow role. And the beats of moving parts."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from flows.limits import LISTINGS, STALE_CLAIM, UNANSWERED

_REMINDERS = text("select distinct clinic_id from reminders where status = 'planned' and due_at <= :now")
_TEXTS = text("select distinct clinic_id, sender_id from outbound where status = 'queued' and due_at <= :now")
_OPEN = text("""
    select distinct clinic_id from outbound
    where (status = 'sending' and tried_at <= :stale) or (status = 'offered' and tried_at <= :unanswered)
       or (status = 'uncertain' and tried_at <= case when listings = 0 then cast(:first as timestamptz) else :second end)
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
        union all select min(due_at) from outbound where status = 'queued'
        union all select min(announce_at) from tasks where closed_at is null and announce_at is not null
        union all select min(tried_at) + :stale from outbound where status = 'sending'
        union all select min(tried_at) + :unanswered from outbound where status = 'offered'
        union all select min(tried_at + case when listings = 0 then cast(:first as interval) else :second end)
                  from outbound where status = 'uncertain'
    ) as coming
""")
_AFTER = {"stale": STALE_CLAIM, "unanswered": UNANSWERED, "first": LISTINGS[0], "second": LISTINGS[1]}
_BEAT = text("insert into beats (name, at) values (:name, :at) on conflict (name) do update set at = excluded.at")


Bell = tuple[str, *tuple[int, ...]]  # a job and its row ids


def waiting(connection: Connection, now: datetime, *, at_start: bool = False) -> list[Bell]:
    """Every ring that is due: reminders to word, texts to send, outcomes to look up, tasks to announce, rounds to make.

    At the start of a process every number is asked for missed texts, whenever that was done last.
    """
    rings: list[Bell] = [("fire", *row) for row in connection.execute(_REMINDERS, {"now": now})]
    rings += [("send", *row) for row in connection.execute(_TEXTS, {"now": now})]
    moments = {
        "stale": now - STALE_CLAIM,
        "unanswered": now - UNANSWERED,
        "first": now - LISTINGS[0],
        "second": now - LISTINGS[1],
    }
    rings += [("settle", *row) for row in connection.execute(_OPEN, moments)]
    rings += [("announce", *row) for row in connection.execute(_ANNOUNCE, {"now": now})]
    everyone = connection.execute(_RECOVER, {"now": now, "all": at_start})
    rings += [("recover", *row, int(at_start)) for row in everyone]
    rings += [("tidy", *row) for row in connection.execute(_TIDY, {"now": now})]
    return rings


def next_moment(connection: Connection) -> datetime | None:
    """The earliest moment at which anything is due; it may lie in the past. Rounds of upkeep wait for nobody's sake."""
    found: datetime | None = connection.execute(_NEXT, _AFTER).scalar()
    return found


def beat(connection: Connection, name: str, now: datetime) -> None:
    """A sign of life."""
    connection.execute(_BEAT, {"name": name, "at": now})


def since_beat(connection: Connection, name: str, now: datetime) -> timedelta | None:
    """How long ago `name` last showed a sign of life."""
    at = connection.execute(text("select at from beats where name = :name"), {"name": name}).scalar()
    return now - at if at else None
