"""Work done again and again rather than once: when each round is due next, and up to when the last one has seen."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session

from service.store.base import ClinicRow


class Round(ClinicRow):
    """One recurring piece of work: `recover` a sender's missed texts, `tidy` a clinic's old words.

    Of `settle` there is one only where the carrier could not be asked, with the moment from which it may be again;
    of `silent` one for each sender whose missed texts it would not list.
    """

    __tablename__ = "rounds"
    __table_args__ = (UniqueConstraint("clinic_id", "kind", "subject_id"),)

    kind: Mapped[str]
    subject_id: Mapped[int]  # the sender; 0 for the whole clinic
    next_at: Mapped[datetime]
    seen_until: Mapped[datetime | None]  # null: never yet
    in_vain: Mapped[int]  # rounds begun since the last one that was done


RECOVER = "recover"
SILENT = "silent"


@dataclass(frozen=True)
class Seen:
    """Up to when one number's missed texts have been looked for, and how often in a row that came to nothing since."""

    until: datetime | None = None
    in_vain: int = 0


_CLAIM = text("""
    insert into rounds (clinic_id, kind, subject_id, next_at, in_vain) values (:clinic, :kind, :subject, :next, 1)
    on conflict (clinic_id, kind, subject_id) do update set next_at = excluded.next_at, in_vain = rounds.in_vain + 1
    where rounds.next_at <= :now or :anyway
    returning seen_until
""")
_DONE = text("""
    update rounds set seen_until = greatest(seen_until, :until), in_vain = 0
    where clinic_id = :clinic and kind = :kind and subject_id = :subject
""")
_SEEN = text("select subject_id, seen_until, in_vain from rounds where clinic_id = :clinic and kind = :kind")
_SILENT = text("select count(*) from rounds where kind = 'silent' and next_at > :now")
_AGAIN = text("""
    update rounds set next_at = :now where clinic_id = :clinic and kind = :kind and subject_id = :subject
""")


def claim(
    session: Session,
    clinic_id: int,
    kind: str,
    subject_id: int,
    now: datetime,
    every: timedelta,
    *,
    anyway: bool = False,
) -> tuple[bool, datetime | None]:
    """Take this round unless another worker has it: whether it is ours, and up to when the last one has seen.

    A round that dies is due again at its next moment, and sees from where the last one ended.
    """
    values = {"clinic": clinic_id, "kind": kind, "subject": subject_id, "now": now, "next": now + every}
    row = session.connection().execute(_CLAIM, {**values, "anyway": anyway}).one_or_none()
    return (False, None) if row is None else (True, row.seen_until)


def done(session: Session, clinic_id: int, kind: str, subject_id: int, until: datetime) -> None:
    """This round has seen everything up to `until`."""
    values = {"clinic": clinic_id, "kind": kind, "subject": subject_id, "until": until}
    session.connection().execute(_DONE, values)


def seen(session: Session, clinic_id: int) -> dict[int, Seen]:
    """For each number of a clinic that was ever looked at: how far we have seen what was sent to it."""
    found = session.connection().execute(_SEEN, {"clinic": clinic_id, "kind": RECOVER})
    return {sender_id: Seen(until, in_vain) for sender_id, until, in_vain in found}


def silent(connection: Connection, now: datetime) -> int:
    """Of how many numbers, in all clinics, the carrier has not answered a listing just now."""
    found: int = connection.execute(_SILENT, {"now": now}).scalar_one()
    return found


def again(session: Session, clinic_id: int, kind: str, subject_id: int, now: datetime) -> None:
    """There is more to do: this round is due at once."""
    values = {"clinic": clinic_id, "kind": kind, "subject": subject_id, "now": now}
    session.connection().execute(_AGAIN, values)
