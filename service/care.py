"""What staff do about one patient between the texts: write with him themselves, let the texts go on, or stop them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import update

from service import timeline
from service.effects import Turn, suppress
from service.store.focus import focus_on_scan, keep_talk
from service.store.people import Patient
from service.wiring import Parts

TAKE_OVER = timedelta(hours=2)


@contextmanager
def _turn(parts: Parts, clinic_id: int, external_id: str, now: datetime) -> Iterator[Turn]:
    """The turn of one scan's own patient and phone. Raises NotFound."""
    with parts.database.clinic(clinic_id) as session:
        scan = timeline.find_scan(session, clinic_id, external_id)
        focus = focus_on_scan(session, clinic_id, scan.id)
        yield Turn(session, focus, parts.scripts.of(focus.script), now)


def release(parts: Parts, clinic_id: int, external_id: str, *, actor: str, now: datetime) -> None:
    """After a safety reply: someone has spoken to him, and the ordinary texts may go on."""
    with _turn(parts, clinic_id, external_id, now) as turn:
        keep_talk(turn.session, turn.focus, replace(turn.focus.talk(now), care_pause=False))
        turn.audit("care_released", by=actor)


def take_over(parts: Parts, clinic_id: int, external_id: str, hold: bool, *, actor: str, now: datetime) -> None:
    """A member of staff writes with him: the bot is silent for a while, safety and STOP excepted, or hands back now."""
    with _turn(parts, clinic_id, external_id, now) as turn:
        assert turn.focus.patient is not None, "a scan has its patient"
        turn.session.execute(
            update(Patient)
            .where(Patient.clinic_id == clinic_id, Patient.id == turn.focus.patient.id)
            .values(taken_over_until=now + TAKE_OVER if hold else None)
        )
        turn.audit("taken_over" if hold else "handed_back", by=actor)


def stop_texts(parts: Parts, clinic_id: int, external_id: str, how: str, *, actor: str, now: datetime) -> bool:
    """He told the clinic that he wants no more texts: nothing more goes to his number, from the next claim on.

    Only he can undo it, by texting START. Saying it twice changes nothing; returns whether this changed anything.
    """
    with _turn(parts, clinic_id, external_id, now) as turn:
        if turn.focus.contact.opted_out_at is not None:
            return False
        suppress(turn, f"told the clinic: {how}", obtained_by=actor)
        turn.audit("texts_stopped", by=actor)
        return True
