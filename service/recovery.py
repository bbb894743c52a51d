"""Texts that were sent to us while we were away: found in the carrier's own list, by number, and taken in late.

Every few minutes each number's inbound texts are listed from where the last listing ended. One that was never stored goes
through the same turn as a webhook's, unique on its MessageSid, so that a webhook which comes at the same time, or after
all, finds it done. What is said to it goes through the outbox: nobody waits for TwiML. `service/late.py` says which ones
are answered.
"""

import logging
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from flows.limits import CATCH_UP, LOOK_BACK, SILENT_FOR, SILENT_NUMBERS, STILL_COMING
from service import conversation
from service.carrier.port import Received
from service.conversation import Arrived
from service.errors import NotFound, Unknown
from service.store import rounds
from service.store.people import Clinic, ContactPoint, Sender
from service.store.texts import Inbound, Task
from service.tasks import open_task
from service.wiring import Parts

log = logging.getLogger(__name__)
OVERLAP = timedelta(minutes=5)  # listings overlap: the carrier may show a text late


def recover(parts: Parts, clinic_id: int, sender_id: int, now: datetime, *, anyway: bool = False) -> int:
    """Take in what one number received and never reached us; returns how many texts. `anyway`: although not due yet.

    A carrier that cannot be asked is asked again at the next round, from where the last good one ended. After a few
    numbers in vain the others give their round up unasked: each may take the whole time-out, and sending waits behind it.
    """
    with parts.database.clinic(clinic_id) as session:
        number = session.scalar(select(Sender.phone).where(Sender.clinic_id == clinic_id, Sender.id == sender_id))
        ours, seen = rounds.claim(session, clinic_id, rounds.RECOVER, sender_id, now, CATCH_UP, anyway=anyway)
        since = seen - OVERLAP if seen else max(now - LOOK_BACK, session.get_one(Clinic, clinic_id).created_at)
    if number is None or not ours:
        return 0
    with parts.database.cross() as connection:
        if rounds.silent(connection, now) >= SILENT_NUMBERS:
            return 0
    try:
        listed = parts.carrier.received(number, since)
    except Unknown:
        log.warning("the carrier cannot be asked for missed texts (clinic %s, sender %s)", clinic_id, sender_id)
        with parts.database.clinic(clinic_id) as session:
            rounds.claim(session, clinic_id, rounds.SILENT, sender_id, now, SILENT_FOR, anyway=True)
        return 0
    until = now - STILL_COMING
    ripe = [text for text in listed if text.received_at is None or text.received_at <= until]
    with parts.database.clinic(clinic_id) as session:
        missed = _unknown(session, clinic_id, ripe)
    for text in missed:
        _take_in(parts, clinic_id, sender_id, number, text, since, now)
    with parts.database.clinic(clinic_id) as session:
        rounds.done(session, clinic_id, rounds.RECOVER, sender_id, until)
    return len(missed)


def _unknown(session: Session, clinic_id: int, listed: list[Received]) -> list[Received]:
    sids = [text.sid for text in listed]
    stored = set(
        session.scalars(
            select(Inbound.message_sid).where(Inbound.clinic_id == clinic_id, Inbound.message_sid.in_(sids))
        )
    )
    return [text for text in listed if text.sid not in stored]


def _take_in(
    parts: Parts, clinic_id: int, sender_id: int, number: str, text: Received, since: datetime, now: datetime
) -> None:
    log.info("a missed text was found at the carrier (clinic %s, %s)", clinic_id, text.sid)
    arrived = Arrived(
        message_sid=text.sid,
        phone=text.phone,
        to=number,
        body=text.body,
        media=text.media,
        sent_at=min(text.received_at or since, now),
        listed=True,
    )
    try:
        conversation.receive(parts, clinic_id, sender_id, arrived, now)
    except NotFound:
        log.warning("a number changed hands while its texts were listed (clinic %s)", clinic_id)
    except Exception as error:
        if _nobodys_fault(error):
            raise
        # Its words may be what failed: neither they nor the error's own account of them may reach a log.
        log.warning("a missed text cannot be stored (clinic %s, %s): %s", clinic_id, text.sid, type(error).__name__)
        _set_aside(parts, clinic_id, text, now)


def _nobodys_fault(error: Exception) -> bool:
    """Whether the database is away: the round ends, and the next one finds every text as it was."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, PoolTimeout)


def _set_aside(parts: Parts, clinic_id: int, text: Received, now: datetime) -> None:
    """A text that cannot be stored is a person's, by its MessageSid and once: the texts after it must not wait for it."""
    why = f"a text that could not be stored; it is in the carrier's list as {text.sid}"
    phone = conversation.UNSTORABLE.sub("", text.phone)
    with parts.database.clinic(clinic_id) as session:
        # Listings overlap, so that it is met again.
        told = exists().where(Task.clinic_id == clinic_id, Task.kind == "unhandled", Task.why.contains(text.sid))
        if session.scalar(select(told)):
            return
        contact = session.scalar(
            select(ContactPoint.id).where(ContactPoint.clinic_id == clinic_id, ContactPoint.phone == phone)
        )
        task_id = open_task(session, clinic_id, "unhandled", now=now, why=why, contact_point_id=contact)
        task = session.get_one(Task, (clinic_id, task_id))
        if text.sid not in task.why:  # the open one has no room for more, and this text is named nowhere else
            task.why = f"{task.why}; {why}"
