"""Tasks: what a person must look at. Opened at most once a kind and phone, announced until someone has seen it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flows.limits import SAFETY_APART, SAFETY_ESCALATE_AFTER, SAFETY_OFTEN, SAFETY_REPEAT, SAFETY_REPEAT_LATER
from flows.tasks import TASKS
from service.errors import NotFound
from service.store import audit
from service.store.database import ring_after
from service.store.journeys import Scan
from service.store.people import Patient
from service.store.texts import Outbound, Task

IN_TIME = timedelta(minutes=30)  # before the arrival, at the latest
WHY_AT_MOST = 500  # characters of all the reasons of one task
TO_PHONE = ("phone_preparation", "phone_change")


def open_task(
    session: Session,
    clinic_id: int,
    kind: str,
    *,
    now: datetime,
    why: str = "",
    contact_point_id: int | None = None,
    patient_id: int | None = None,
    scan_id: int | None = None,
    site_id: int | None = None,
    inbound_id: int | None = None,
) -> int:
    """Open a task, or count it once more on the open one of the same kind and phone, which then says this `why` as well.

    An urgent one announces itself to the on-call contact at once, and each time that it is raised anew: what was urgent
    twice is news. If somebody had seen it, it begins like a new one: he may have gone home since.
    """
    spec = TASKS[kind]
    insertion = insert(Task).values(
        clinic_id=clinic_id,
        kind=kind,
        urgent=spec.urgent,
        operators=spec.operators,
        why=why,
        times=1,
        contact_point_id=contact_point_id,
        patient_id=patient_id,
        scan_id=scan_id,
        site_id=site_id,
        inbound_id=inbound_id,
        opened_at=now,
        due_at=_due(session, clinic_id, scan_id, now, now + spec.within),
        announce_at=now if spec.urgent else None,
        announced=0,
    )
    task_id = session.execute(
        insertion.on_conflict_do_update(
            index_elements=["clinic_id", "kind", "contact_point_id", "scan_id"],
            index_where=text("closed_at is null"),
            set_={
                "times": Task.times + 1,
                "why": _both(insertion.excluded.why),
                "inbound_id": func.coalesce(insertion.excluded.inbound_id, Task.inbound_id),
                "announce_at": func.least(
                    Task.announce_at, func.greatest(insertion.excluded.announce_at, Task.announced_at + SAFETY_APART)
                )
                if spec.urgent
                else None,
                "announced": case((Task.acknowledged_at.is_not(None), 0), else_=Task.announced),
                "acknowledged_at": None,
                "acknowledged_by": None,
            },
        ).returning(Task.id)
    ).scalar_one()
    if spec.urgent:
        ring_after(session, "announce", clinic_id)
    return task_id


def _both(why: ColumnElement[str]) -> ColumnElement[str]:
    """The reasons so far and the new one, unless they say it already or have grown too long to be read."""
    joined = func.concat_ws("; ", func.nullif(Task.why, ""), why)
    news = (func.strpos(Task.why, why) == 0) & (func.length(joined) <= WHY_AT_MOST)
    return case((news, joined), else_=Task.why)


def _due(session: Session, clinic_id: int, scan_id: int | None, now: datetime, usual: datetime) -> datetime:
    """What is about a visit ahead is due before it, with time left to do it."""
    scan = session.get(Scan, (clinic_id, scan_id)) if scan_id is not None else None
    if scan is None or scan.arrival_at <= now:
        return usual
    return min(usual, max(now, scan.arrival_at - IN_TIME))


def follow_number(session: Session, scan: Scan, contact_point_id: int, now: datetime) -> None:
    """The scan's number was corrected: nobody shall phone the old one about what is still to be done."""
    others = select(Task.kind).where(
        Task.clinic_id == scan.clinic_id, Task.scan_id == scan.id, Task.contact_point_id == contact_point_id,
        Task.closed_at.is_(None),
    )  # fmt: skip
    session.execute(
        update(Task)
        .where(Task.clinic_id == scan.clinic_id, Task.scan_id == scan.id, Task.closed_at.is_(None))
        .where(Task.kind.in_(TO_PHONE), Task.kind.not_in(others.scalar_subquery()))
        .values(contact_point_id=contact_point_id)
    )
    close_by_event(session, scan.clinic_id, "two_numbers", scan_id=scan.id, outcome="its number was changed", now=now)
    _ask_about_others(session, scan, contact_point_id, now)


def _ask_about_others(session: Session, scan: Scan, contact_point_id: int, now: datetime) -> None:
    """His other visits ahead keep their number, as a man may have two phones: a person asks him, at the new one."""
    if session.get_one(Patient, (scan.clinic_id, scan.patient_id)).stopped_at is not None:
        return
    asked = exists().where(
        Task.clinic_id == Scan.clinic_id, Task.scan_id == Scan.id, Task.kind == "two_numbers", Task.closed_at.is_(None)
    )
    others = select(Scan).where(
        Scan.clinic_id == scan.clinic_id, Scan.patient_id == scan.patient_id, Scan.id != scan.id,
        Scan.state == "booked", Scan.arrival_at > now, or_(Scan.contact_point_id == scan.contact_point_id, asked),
    )  # fmt: skip
    for other in session.scalars(others.order_by(Scan.id)):
        outcome = "his number was changed once more"
        close_by_event(session, other.clinic_id, "two_numbers", scan_id=other.id, outcome=outcome, now=now)
        if other.contact_point_id != contact_point_id:
            open_task(
                session,
                other.clinic_id,
                "two_numbers",
                now=now,
                why=f"his visit {scan.external_id} was given this number; this visit has another",
                contact_point_id=contact_point_id,
                patient_id=other.patient_id,
                scan_id=other.id,
            )


def acknowledge(session: Session, clinic_id: int, task_id: int, *, by: str, now: datetime) -> None:
    """Someone has seen it: the announcements stop, those that still wait too, the task stays open."""
    task = _get(session, clinic_id, task_id)
    if task.acknowledged_at is None and task.closed_at is None:
        task.acknowledged_at, task.acknowledged_by, task.announce_at = now, by, None
        _take_back(session, task, now)
        audit.record(session, clinic_id, at=now, actor=by, action="acknowledged", subject="task", subject_id=task_id)


def close(session: Session, clinic_id: int, task_id: int, *, by: str, outcome: str, now: datetime) -> Task:
    """It is done; `outcome` says how. Closing a closed task changes nothing."""
    task = _get(session, clinic_id, task_id)
    if task.closed_at is None:
        task.closed_at, task.closed_by, task.outcome, task.announce_at = now, by, outcome[:500], None
        task.acknowledged_at = task.acknowledged_at or now
        _take_back(session, task, now)
        audit.record(session, clinic_id, at=now, actor=by, action="closed", subject="task", subject_id=task_id)
    return task


def _take_back(session: Session, task: Task, now: datetime) -> None:
    """Announcements that have not left yet: nobody is to be rung of what was seen to."""
    session.execute(
        update(Outbound)
        .where(Outbound.clinic_id == task.clinic_id, Outbound.task_id == task.id, Outbound.status == "queued")
        .values(status="refused", reason="somebody has seen the task", changed_at=now)
    )


def close_by_event(session: Session, clinic_id: int, kind: str, *, scan_id: int, outcome: str, now: datetime) -> None:
    """Close what an event has made needless, such as "phone him the preparation" once the text has arrived."""
    session.execute(
        update(Task)
        .where(Task.clinic_id == clinic_id, Task.kind == kind, Task.scan_id == scan_id, Task.closed_at.is_(None))
        .values(closed_at=now, closed_by="system", outcome=outcome, announce_at=None)
    )


def due_announcements(session: Session, clinic_id: int, now: datetime, limit: int = 50) -> list[Task]:
    """Urgent tasks whose on-call contact must be told now, locked for this transaction."""
    return list(
        session.scalars(
            select(Task)
            .where(Task.clinic_id == clinic_id, Task.announce_at <= now, Task.closed_at.is_(None))
            .order_by(Task.announce_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
    )


def announced(task: Task, now: datetime) -> bool:
    """Note one announcement and when the next is due; returns whether the second contact must be told too."""
    task.announced += 1
    task.announced_at = now
    task.announce_at = now + (SAFETY_REPEAT if task.announced < SAFETY_OFTEN else SAFETY_REPEAT_LATER)
    return task.announced > SAFETY_ESCALATE_AFTER


def _get(session: Session, clinic_id: int, task_id: int) -> Task:
    task = session.get(Task, (clinic_id, task_id), with_for_update=True)
    if task is None:
        raise NotFound(f"there is no task {task_id}")
    return task


def overdue_by(task: Task, now: datetime) -> timedelta:
    """How long past its due moment an open task is; negative while there is still time."""
    return now - task.due_at
