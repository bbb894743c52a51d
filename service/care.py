"""What staff do between the texts: write with him themselves, hold texts or let them go on, stop them, and undo a mistake.

What was misunderstood (a wrong number, a death) would silence a living patient for good: only a person can undo it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, or_, select, update

from flows.gate import REASONS
from service import planning, tasks, timeline
from service.effects import Turn, suppress
from service.errors import NotFound
from service.store import audit
from service.store.database import ring_after
from service.store.focus import focus_on_scan, keep_talk
from service.store.journeys import Reminder, Scan
from service.store.people import Clinic, Consent, ContactPoint, Patient
from service.store.texts import Task
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


def pause(parts: Parts, clinic_id: int, external_id: str, hold: bool, *, actor: str, now: datetime) -> None:
    """Hold everything that is planned for one patient until someone lets it go. What he asks is still answered.

    What waits is found by the ticker within a minute of being let go. Saying it twice keeps the first moment.
    """
    with _turn(parts, clinic_id, external_id, now) as turn:
        assert turn.focus.patient is not None, "a scan has its patient"
        if turn.focus.patient.paused == hold:
            return
        turn.session.execute(
            update(Patient)
            .where(Patient.clinic_id == clinic_id, Patient.id == turn.focus.patient.id)
            .values(paused_at=now if hold else None)
        )
        turn.audit("texts_held" if hold else "texts_let_go", by=actor)


def pause_clinic(parts: Parts, clinic_id: int, hold: bool, *, actor: str, now: datetime) -> None:
    """Hold all texts of a clinic, ordinary answers too, until someone lets them go. Raises NotFound."""
    with parts.database.clinic(clinic_id) as session:
        clinic = session.get(Clinic, clinic_id, with_for_update=True)
        if clinic is None:
            raise NotFound("there is no such clinic")
        if (clinic.paused_at is not None) == hold:
            return
        clinic.paused_at = now if hold else None
        action = "texts_held" if hold else "texts_let_go"
        audit.record(session, clinic_id, at=now, actor=actor, action=action, subject="clinic", subject_id=clinic_id)


def stop_texts(parts: Parts, clinic_id: int, external_id: str, how: str, *, actor: str, now: datetime) -> bool:
    """He told the clinic that he wants no more texts: nothing more goes to his number, from the next claim on.

    Only he can undo it, by texting START. Saying it twice changes nothing; returns whether this changed anything.
    """
    with _turn(parts, clinic_id, external_id, now) as turn:
        if turn.focus.contact.opted_out_at is not None and _is_known_wish(turn):
            return False
        suppress(turn, f"told the clinic: {how}", obtained_by=actor)
        turn.audit("texts_stopped", by=actor)
        return True


def _is_known_wish(turn: Turn) -> bool:
    """Whether the ledger has it already that the number is stopped, from him or whom he told; a carrier's word is no wish."""
    last = turn.session.scalar(
        select(Consent.kind)
        .where(Consent.clinic_id == turn.focus.clinic_id, Consent.contact_point_id == turn.focus.contact.id)
        .where(Consent.kind.in_(("opt_out", "opt_in")), Consent.obtained_by != "carrier")
        .order_by(Consent.id.desc())
        .limit(1)
    )
    return last == "opt_out"


# What was misunderstood ---------------------------------------------------------------------------------------------


def number_is_right(parts: Parts, clinic_id: int, external_id: str, *, actor: str, now: datetime) -> bool:
    """The number was said or thought to be wrong, and it is right after all: texts go on from now.

    No consent is made up: who has not agreed is asked anew, and an opt-out stays. Returns whether this changed anything.
    """
    with _turn(parts, clinic_id, external_id, now) as turn:
        contact = turn.focus.contact
        if contact.frozen_at is None:
            return False
        turn.session.execute(
            update(ContactPoint)
            .where(ContactPoint.clinic_id == clinic_id, ContactPoint.id == contact.id)
            .values(frozen_at=None, frozen_why=None)
        )
        why = "the number is right after all"
        for scan_id in planning.scans_of(turn.session, turn.focus):
            _plan_anew(turn, scan_id, why)
        _close_tasks(turn, "wrong_number", Task.contact_point_id == contact.id, actor, why)
        turn.audit("number_is_right", by=actor)
        ring_after(turn.session, "fire", clinic_id)
        return True


def is_alive(parts: Parts, clinic_id: int, external_id: str, *, actor: str, now: datetime) -> bool:
    """We were told that he has died, and he has not: texts go on from now. Returns whether this changed anything.

    What we were told took back the plans of everyone at the number it came from, so all of these are planned anew.
    """
    with _turn(parts, clinic_id, external_id, now) as turn:
        patient = turn.focus.patient
        assert patient is not None, "a scan has its patient"
        if not patient.stopped:
            return False
        turn.session.execute(
            update(Patient).where(Patient.clinic_id == clinic_id, Patient.id == patient.id).values(stopped_at=None)
        )
        for scan_id in _scans_silenced(turn, patient.id):
            if not _plan_anew(turn, scan_id, "he is alive"):
                _bring_back(turn, scan_id)
        _close_tasks(turn, "died", Task.patient_id == patient.id, actor, "he is alive")
        turn.audit("is_alive", by=actor)
        ring_after(turn.session, "fire", clinic_id)
        return True


def _scans_silenced(turn: Turn, patient_id: int) -> list[int]:
    """Those at the number and his own at others, but of nobody else who has died."""
    statement = (
        select(Scan.id)
        .join(Patient, (Patient.clinic_id == Scan.clinic_id) & (Patient.id == Scan.patient_id))
        .where(
            Scan.clinic_id == turn.focus.clinic_id,
            or_(Scan.contact_point_id == turn.focus.contact.id, Scan.patient_id == patient_id),
            Scan.state.in_(("booked", "completed")),
            Patient.stopped_at.is_(None),
        )
        .order_by(Scan.id)
    )
    return list(turn.session.scalars(statement))


def _plan_anew(turn: Turn, scan_id: int, why: str) -> bool:
    """Lay the plan of a visit that is still ahead, and ask him again if he has not agreed; False if it is not ahead."""
    focus = focus_on_scan(turn.session, turn.focus.clinic_id, scan_id)
    scan, patient = focus.scan, focus.patient
    assert scan is not None
    assert patient is not None
    if scan.state != "booked" or scan.arrival_at <= turn.now:
        return False
    planning.lay(turn.session, focus, turn.now, why=why, ask_anew=True)  # the invitation that went wrong is said again
    return True


def _bring_back(turn: Turn, scan_id: int) -> None:
    """After the visit no plan is laid any more: what of the last one was taken back by the death is planned again."""
    last = select(Scan.plan_version).where(Scan.clinic_id == turn.focus.clinic_id, Scan.id == scan_id)
    turn.session.execute(
        update(Reminder)
        .where(
            Reminder.clinic_id == turn.focus.clinic_id,
            Reminder.scan_id == scan_id,
            Reminder.plan_version == last.scalar_subquery(),
            Reminder.valid_until > turn.now,
            Reminder.status.in_(("void", "skipped")),
            Reminder.reason.in_(("died", REASONS["died"])),
        )
        .values(status="planned", reason="", changed_at=turn.now)
    )


def _close_tasks(turn: Turn, kind: str, whose: ColumnElement[bool], actor: str, outcome: str) -> None:
    clinic_id = turn.focus.clinic_id
    waiting = select(Task.id).where(Task.clinic_id == clinic_id, Task.kind == kind, Task.closed_at.is_(None), whose)
    for task_id in turn.session.scalars(waiting).all():
        tasks.close(turn.session, clinic_id, task_id, by=actor, outcome=outcome, now=turn.now)
