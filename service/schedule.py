"""The staff's list of scans: what is wrong first, then by time, each with where its preparation stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session

from flows.gate import REASONS
from service.planning import preparation_arrived
from service.store.about import tasks_about
from service.store.journeys import Scan
from service.store.people import Consent, ContactPoint, Patient
from service.store.texts import Task

MOST = 500  # scans of one list; what is cut is what needs nobody
LOOK_BACK = timedelta(days=21)
STATES = {"booked": "booked", "cancelled": "off", "completed": "done", "no_show": "did not come"}

_OPTED_IN = (
    select(Consent.given)
    .where(
        Consent.clinic_id == ContactPoint.clinic_id,
        Consent.contact_point_id == ContactPoint.id,
        Consent.patient_id == Patient.id,
        Consent.kind == "texts",
    )
    .order_by(Consent.id.desc())
    .limit(1)
    .correlate(ContactPoint, Patient)
    .scalar_subquery()
)


@dataclass(frozen=True)
class Row:
    """One scan of the list. `standing` says in words where the texts stand; `tone` colours it."""

    scan: Scan
    name: str
    state: str
    standing: str
    tone: str
    urgent: int
    tasks: int

    @property
    def trouble(self) -> bool:
        """Whether somebody must do something about it."""
        return self.tasks > 0


def rows(session: Session, clinic_id: int, now: datetime, limit: int = MOST) -> list[Row]:
    """Scans from three weeks ago on: those with open tasks first, then what is ahead by arrival, then what is past."""
    tasks = (
        select(
            func.count().label("open"),
            func.count().filter(Task.urgent).label("urgent"),
        )
        .where(Task.clinic_id == clinic_id, Task.closed_at.is_(None), ~Task.operators, tasks_about(Scan))
        .lateral()
    )
    found = session.execute(
        select(Scan, Patient, ContactPoint, _OPTED_IN, tasks.c.open, tasks.c.urgent)
        .join(Patient, (Patient.clinic_id == Scan.clinic_id) & (Patient.id == Scan.patient_id))
        .join(ContactPoint, (ContactPoint.clinic_id == Scan.clinic_id) & (ContactPoint.id == Scan.contact_point_id))
        .join(tasks, true())
        .where(Scan.clinic_id == clinic_id, Scan.arrival_at > now - LOOK_BACK)
        .order_by(
            tasks.c.urgent.desc(),
            tasks.c.open == 0,
            Scan.arrival_at <= now,
            Scan.arrival_at,
            Scan.id,
        )
        .limit(limit)
    )
    listed = []
    for scan, patient, contact, opted_in, count, urgent in found:
        standing, tone = _standing(session, scan, patient, contact, opted_in, now)
        listed.append(Row(scan, patient.given_name, STATES[scan.state], standing, tone, urgent, count))
    return listed


def _standing(
    session: Session, scan: Scan, patient: Patient, contact: ContactPoint, opted_in: bool | None, now: datetime
) -> tuple[str, str]:
    if contact.frozen_at is not None:
        return f"No texts: {contact.frozen_why}", "bad"
    if contact.opted_out_at is not None:
        return "No texts: he opted out", "bad"
    if patient.stopped_at is not None:
        return f"No texts: {REASONS['died']}", "bad"
    if patient.paused_at is not None:
        return "His texts are held", "waiting"
    if opted_in is None:
        return "Has not answered the invitation", "waiting"
    if scan.state != "booked" or scan.arrival_at < now:
        return "", "quiet"
    if scan.confirmed_at is not None:
        return "Says he will come", "good"
    if preparation_arrived(session, scan.clinic_id, scan):
        return "Preparation sent", "good"
    return "Takes our texts", "waiting"
