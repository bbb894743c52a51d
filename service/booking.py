"""Book, move, cancel, complete: what a clinic says about a scan, from any door, in one transaction each.

Idempotent by the clinic's own ids: the same booking again changes nothing. A changed arrival is a move: the old plan is
void, the new one laid, and he is told once. Bad input names the field and stores nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import case, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flows.journey import AHEAD
from service import keys, planning, tasks
from service.effects import Turn
from service.errors import Conflict, NotFound
from service.intake import Booking, check_against_site
from service.notices import still_to_tell, tell, tell_it_is_off
from service.store import audit
from service.store.about import focus_on_booked, talk_about_the_next
from service.store.contacts import contact_point
from service.store.database import ring_after
from service.store.facts import Focus
from service.store.focus import focus_on_scan
from service.store.journeys import Reminder, Scan
from service.store.people import Patient, Site
from service.wiring import Parts

A_DAY_EARLY = timedelta(days=1)  # a visit further ahead can hardly have taken place or been missed


@dataclass(frozen=True)
class Booked:
    """What became of a booking: `new`, `moved`, `changed` or `same`."""

    scan_id: int
    outcome: str


def book(parts: Parts, clinic_id: int, external_id: str, booking: Booking, *, actor: str, now: datetime) -> Booked:
    """Book a scan or change it. Raises Invalid naming the field, Conflict for a scan that is over."""
    with parts.database.clinic(clinic_id) as session:
        site = _site(session, clinic_id, booking.site)
        times = check_against_site(booking, site, now, had=_arrival(session, clinic_id, external_id))
        known = select(Patient.zone, Patient.language).where(
            Patient.clinic_id == clinic_id, Patient.external_id == booking.patient_id
        )
        had = session.execute(known).one_or_none()
        patient = _patient(session, clinic_id, booking, now)
        contact_id = contact_point(
            session,
            clinic_id,
            booking.phone,
            keys.phone_hash(parts.phone_key, booking.phone),
            script=parts.script.digest,
            start=parts.script.start,
            now=now,
        )
        scan = _locked(session, clinic_id, external_id)
        if scan is not None and scan.patient_id != patient.id:
            raise Conflict(f"scan {external_id} belongs to another patient")
        if scan is None:
            booked = _new(parts, session, site, patient, contact_id, external_id, booking, times, actor, now)
        else:
            booked = _change(parts, session, scan, site, contact_id, booking, times, actor, now)
        if had and booking.zone != had.zone:
            _plan_by_his_clock(session, patient, booked, now)
        if had and patient.language != had.language:
            planning.word_anew(session, clinic_id, patient.id, "his language changed", now)
            audit.record(session, clinic_id, at=now, actor=actor, action="language", subject="patient",
                         subject_id=patient.id, language=patient.language, before=had.language)  # fmt: skip
        return booked


def _arrival(session: Session, clinic_id: int, external_id: str) -> datetime | None:
    return session.scalar(
        select(Scan.arrival_at).where(
            Scan.clinic_id == clinic_id, Scan.external_id == external_id, Scan.state != "cancelled"
        )
    )


def _site(session: Session, clinic_id: int, name: str | None) -> Site:
    statement = select(Site).where(Site.clinic_id == clinic_id).order_by(Site.id).limit(1)
    if name:
        statement = statement.where(Site.name == name)
    site = session.scalars(statement).one_or_none()
    if site is None:
        raise NotFound(f"this clinic has no site {name!r}" if name else "this clinic has no site yet")
    return site


def _patient(session: Session, clinic_id: int, booking: Booking, now: datetime) -> Patient:
    """The patient as the clinic tells of him; the language that he chose himself stays."""
    told = {"given_name": booking.given_name, "language": booking.language, "zone": booking.zone}
    keeps = case((Patient.language_chosen, Patient.language), else_=booking.language)
    return session.scalars(
        insert(Patient)
        .values(clinic_id=clinic_id, external_id=booking.patient_id, created_at=now, language_chosen=False, **told)
        .on_conflict_do_update(index_elements=["clinic_id", "external_id"], set_={**told, "language": keeps})
        .returning(Patient),
        execution_options={"populate_existing": True},
    ).one()


def _plan_by_his_clock(session: Session, patient: Patient, booked: Booked, now: datetime) -> None:
    """His time zone changed: what is planned for him lies in other hours now, in each of his visits."""
    waiting = exists().where(
        Reminder.clinic_id == Scan.clinic_id, Reminder.scan_id == Scan.id, Reminder.status == "planned"
    )
    planned = select(Scan.id).where(
        Scan.clinic_id == patient.clinic_id, Scan.patient_id == patient.id, Scan.state == "booked", waiting
    )
    if booked.outcome in ("new", "moved", "changed"):  # that one has just been planned
        planned = planned.where(Scan.id != booked.scan_id)
    for scan_id in session.scalars(planned.order_by(Scan.id)).all():
        focus = focus_on_scan(session, patient.clinic_id, scan_id)
        planning.lay(session, focus, now, why="his time zone changed")


def _locked(session: Session, clinic_id: int, external_id: str) -> Scan | None:
    return session.scalars(
        select(Scan).where(Scan.clinic_id == clinic_id, Scan.external_id == external_id).with_for_update()
    ).one_or_none()


def _new(
    parts: Parts,
    session: Session,
    site: Site,
    patient: Patient,
    contact_id: int,
    external_id: str,
    booking: Booking,
    times: tuple[datetime, datetime],
    actor: str,
    now: datetime,
) -> Booked:
    scan = Scan(
        clinic_id=site.clinic_id,
        external_id=external_id,
        patient_id=patient.id,
        contact_point_id=contact_id,
        site_id=site.id,
        arrival_at=times[0],
        starts_at=times[1],
        arrival_wall=booking.arrival_wall,
        zone=site.zone,
        tracer=booking.tracer,
        reason=booking.reason,
        state="booked",
        plan_version=0,
        arrival_version=1,
        created_at=now,
        changed_at=now,
    )
    session.add(scan)
    session.flush()
    focus = focus_on_booked(session, site.clinic_id, contact_id, patient.id, scan.id, now)
    _permission(session, focus, booking, now)
    _plan_or_ask(parts, session, focus, booking, now, why="booked")
    session.refresh(scan)
    _audit(session, scan, actor, "booked", now)
    return Booked(scan.id, "new")


def _permission(session: Session, focus: Focus, booking: Booking, now: datetime) -> None:
    if booking.permission is not None:
        audit.consent(
            session,
            focus.clinic_id,
            contact_point_id=focus.contact.id,
            patient_id=focus.patient.id if focus.patient else None,
            kind="permission",
            given=True,
            obtained_by=booking.permission.obtained_by,
            how=f"{booking.permission.how} ({booking.permission.at.isoformat()})",
            at=now,
        )


def _plan_or_ask(parts: Parts, session: Session, focus: Focus, booking: Booking, now: datetime, *, why: str) -> None:
    """Lay the plan, or without a recorded permission open a task instead of inviting him."""
    turn = Turn(session, focus, parts.scripts.of(focus.script), now)
    scan, contact = focus.scan, focus.contact
    ahead = scan is not None and scan.arrival_at > now
    if booking.permission is None and not focus.opted_in:
        turn.open_task("no_permission")
        if ahead:
            turn.open_task("phone_preparation", "no permission to text is recorded")
        return
    silenced = contact.opted_out_at is not None or contact.frozen_at is not None
    if scan and ahead and silenced and not planning.preparation_arrived(session, focus.clinic_id, scan):
        turn.open_task("phone_preparation", "he opted out of texts, or the number is wrong")
    if focus.patient is not None and focus.patient.stopped:
        turn.open_task("died", "a visit was booked or changed for a man who, we were told, has died: find out")
    planning.lay(session, focus, now, why=why)
    ring_after(session, "fire", focus.clinic_id)


def _change(
    parts: Parts,
    session: Session,
    scan: Scan,
    site: Site,
    contact_id: int,
    booking: Booking,
    times: tuple[datetime, datetime],
    actor: str,
    now: datetime,
) -> Booked:
    was_off = scan.state == "cancelled"
    moved = times[0] != scan.arrival_at or site.id != scan.site_id or was_off
    was = (scan.starts_at, scan.tracer, scan.reason, scan.contact_point_id)
    other = was != (times[1], booking.tracer, booking.reason, contact_id)
    if not moved and not other:
        return Booked(scan.id, "same")
    if scan.state in ("completed", "no_show"):
        raise Conflict(f"scan {scan.external_id} is over ({scan.state}); book the next one under its own id")
    if contact_id != scan.contact_point_id:
        tasks.follow_number(session, scan, contact_id, now)
    old = replace_times(scan, site, booking, times, contact_id, now)
    focus = focus_on_booked(session, scan.clinic_id, contact_id, scan.patient_id, scan.id, now, moved=moved)
    _permission(session, focus, booking, now)
    untold = planning.void(session, scan.clinic_id, scan.id, "the visit moved" if moved else "the booking changed", now)
    _plan_or_ask(parts, session, focus, booking, now, why="moved" if moved else "changed")
    turn = Turn(session, focus, parts.scripts.of(focus.script), now)
    if moved:  # of moves that he has not heard of, the hour that counts is the first: he may still come then
        doubt = planning.moves_in_doubt(session, scan.clinic_id, scan.id)
        tell(turn, "moved", min([old, *doubt, *(notice.valid_until for notice in untold)]), scan.arrival_at)
    else:
        still_to_tell(turn, untold)
    session.refresh(scan)
    _audit(session, scan, actor, "moved" if moved else "changed", now)
    return Booked(scan.id, "moved" if moved else "changed")


def replace_times(
    scan: Scan, site: Site, booking: Booking, times: tuple[datetime, datetime], contact_id: int, now: datetime
) -> datetime:
    """Write the new facts into the scan; returns the arrival it had."""
    old = scan.arrival_at
    moved = (times[0], site.id, "booked") != (scan.arrival_at, scan.site_id, scan.state)
    if moved:
        scan.confirmed_at = None
    if moved or (booking.tracer != scan.tracer and old > now):  # another tracer is another preparation: said again
        scan.arrival_version = scan.plan_version + 1
    scan.arrival_at, scan.starts_at, scan.arrival_wall = times[0], times[1], booking.arrival_wall
    scan.site_id, scan.zone, scan.tracer, scan.reason = site.id, site.zone, booking.tracer, booking.reason
    scan.contact_point_id, scan.state, scan.changed_at = contact_id, "booked", now
    return old


def end(parts: Parts, clinic_id: int, external_id: str, state: str, *, actor: str, now: datetime) -> Booked:
    """Cancel, complete or no-show. Saying it twice changes nothing; raises NotFound, or Conflict between endings."""
    with parts.database.clinic(clinic_id) as session:
        scan = _locked(session, clinic_id, external_id)
        if scan is None:
            raise NotFound(f"this clinic has no scan {external_id}")
        if scan.state == state:
            return Booked(scan.id, "same")
        if scan.state != "booked":
            raise Conflict(f"scan {external_id} is already {scan.state.replace('_', ' ')}")
        scan.state, scan.changed_at = state, now
        ended = f"the visit is {state.replace('_', ' ')}"
        tasks.close_by_event(session, clinic_id, "two_numbers", scan_id=scan.id, outcome=ended, now=now)
        _audit(session, scan, actor, state, now)
        if state != "cancelled" and scan.arrival_at > now + A_DAY_EARLY:
            focus = focus_on_scan(session, clinic_id, scan.id)
            Turn(session, focus, parts.scripts.of(focus.script), now).open_task(
                "ended_early", f"it was marked: {state}"
            )
        if state == "completed":  # the texts after the visit go on, and may now say that it took place
            planning.void(session, clinic_id, scan.id, "the visit has taken place", now, AHEAD)
            return Booked(scan.id, state)
        untold = planning.void(session, clinic_id, scan.id, ended, now)
        untold_moves = bool(untold or planning.moves_in_doubt(session, clinic_id, scan.id))
        if state == "cancelled" and scan.arrival_at > now:
            scan.arrival_version = scan.plan_version = scan.plan_version + 1  # what was worded before speaks of an hour
            session.flush()
            focus = focus_on_scan(session, clinic_id, scan.id)
            tell_it_is_off(Turn(session, focus, parts.scripts.of(focus.script), now), moved_untold=untold_moves)
        talk_about_the_next(session, scan, now)
        return Booked(scan.id, state)


def _audit(session: Session, scan: Scan, actor: str, action: str, now: datetime) -> None:
    audit.record(
        session,
        scan.clinic_id,
        at=now,
        actor=actor,
        action=action,
        subject="scan",
        subject_id=scan.id,
        arrival_at=scan.arrival_at.astimezone(ZoneInfo(scan.zone)).isoformat(),
        plan_version=scan.plan_version,
    )
