"""Lay out a scan's plan as rows, and void the one it replaces. Voided rows stay, with the reason."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from flows.gate import REASONS
from flows.journey import TIMELESS, Planned, Visit, plan, unsaid
from flows.rank import INVITES
from service.store.database import ring_after
from service.store.facts import Focus, ScanFacts
from service.store.focus import focus_on_scan
from service.store.journeys import Reminder, Scan
from service.store.people import Patient
from service.store.texts import Outbound, Task

ARRIVED = frozenset({"accepted", "sending_at_carrier", "sent", "delivered"})

LEFT = ARRIVED | {"sending", "uncertain"}  # or may have: it is not in our hands any more
ASKED = LEFT | {"queued"}


def visit_of(focus: Focus) -> Visit:
    """The scan in focus as the planner sees it."""
    assert focus.scan is not None, "only a booked scan has a plan"
    return Visit(
        arrival_at=focus.scan.arrival_at,
        starts_at=focus.scan.starts_at,
        site_zone=ZoneInfo(focus.scan.zone),
        patient_zone=focus.zone,
        window=(focus.site.window_start, focus.site.window_end),
        results_days=focus.site.results_days,
    )


def lay(session: Session, focus: Focus, now: datetime, *, why: str, ask_anew: bool = False) -> None:
    """Void the scan's plan and lay the next version for what is still to come; what was said is not said again.

    Only `ask_anew` says the invitation once more to who had it and has not agreed: he wants texts, or it went wrong.
    """
    scan = focus.scan
    if scan is None or scan.state != "booked":
        return
    # First taken back, then asked what was said: a text that waits in the outbox has told him nothing yet.
    untold = void(session, focus.clinic_id, scan.id, f"planned anew: {why}", now)
    said = _said(session, focus.clinic_id, scan) - ({"invite"} if ask_anew else set())
    scan.plan_version += 1
    session.execute(
        update(Scan)
        .where(Scan.clinic_id == focus.clinic_id, Scan.id == scan.id)
        .values(plan_version=scan.plan_version, changed_at=now)
    )
    asked_at = None if focus.opted_in else _asked_at(session, focus)
    rows = plan(visit_of(focus), now, opted_in=focus.opted_in, asked_at=asked_at)
    if focus.patient is not None and focus.patient.stopped:  # nothing is sent, and the plan says why
        rows = tuple(replace(row, skipped=row.skipped or REASONS["died"]) for row in rows)
    keep(session, focus.clinic_id, scan, [*unsaid(rows, said), *untold], now)


def _asked_at(session: Session, focus: Focus) -> datetime | None:
    """When he was last invited at this number about this scan."""
    assert focus.scan is not None
    return session.scalar(
        select(func.max(Outbound.created_at))
        .where(Outbound.clinic_id == focus.clinic_id, Outbound.contact_point_id == focus.contact.id)
        .where(Outbound.scan_id == focus.scan.id, Outbound.key.in_(INVITES), Outbound.status.in_(ASKED))
    )


def keep(session: Session, clinic_id: int, scan: ScanFacts, rows: list[Planned], now: datetime) -> None:
    """Store planned rows under the scan's present version."""
    if rows:
        session.execute(
            insert(Reminder),
            [
                {
                    "clinic_id": clinic_id,
                    "scan_id": scan.id,
                    "plan_version": scan.plan_version,
                    "touchpoint": row.touchpoint,
                    "merged": list(row.merged),
                    "due_at": row.due_at,
                    "valid_until": row.valid_until,
                    "status": "skipped" if row.skipped else "planned",
                    "reason": row.skipped,
                    "changed_at": now,
                }
                for row in rows
            ],
        )


def void(
    session: Session,
    clinic_id: int,
    scan_id: int,
    reason: str,
    now: datetime,
    touchpoints: Collection[str] | None = None,
) -> list[Planned]:
    """Void what is still planned, and take back what was worded but not yet handed to the carrier; of `touchpoints`, or all.

    Returns the notices of a move that this keeps from being said, for whoever lays what comes next.
    """
    of_these = [] if touchpoints is None else [Reminder.touchpoint.in_(touchpoints)]
    named = (Reminder.touchpoint, Reminder.due_at, Reminder.valid_until)
    planned = session.execute(
        update(Reminder)
        .where(Reminder.clinic_id == clinic_id, Reminder.scan_id == scan_id, Reminder.status == "planned", *of_these)
        .values(status="void", reason=reason, changed_at=now)
        .returning(*named)
    ).all()
    taken_back = _take_back(session, clinic_id, scan_id, reason, now, *of_these)
    worded = session.execute(select(*named).where(Reminder.clinic_id == clinic_id, Reminder.id.in_(taken_back))).all()
    return [
        Planned(row.touchpoint, row.due_at, row.valid_until) for row in (*planned, *worded) if row.touchpoint == "moved"
    ]


def moves_in_doubt(session: Session, clinic_id: int, scan_id: int) -> list[datetime]:
    """Until when each notice of a move is of use that was handed over, and of which we do not know whether it was taken."""
    handed = _moves_told(clinic_id, scan_id).where(Outbound.status.in_(LEFT - ARRIVED))
    return [valid_until for valid_until, _, _ in session.execute(handed)]


def moved_elsewhere(session: Session, clinic_id: int, scan: ScanFacts, now: datetime) -> bool:
    """Whether he was last told that the visit moved at a number that the booking has left, and nobody phones him since.

    Only while he may still come too early: not once he has confirmed the new hour, nor after the old one.
    """
    last = _moves_told(clinic_id, scan.id).where(Outbound.status.in_(ASKED)).order_by(Outbound.id.desc()).limit(1)
    told = session.execute(last).one_or_none()
    if told is None or told.valid_until <= now:
        return False
    here = exists().where(
        Scan.clinic_id == clinic_id, Scan.id == scan.id,
        or_(Scan.contact_point_id == told.contact_point_id, Scan.confirmed_at.is_not(None)),
    )  # fmt: skip
    phoned = exists().where(
        Task.clinic_id == clinic_id, Task.scan_id == scan.id, Task.kind == "phone_change",
        Task.opened_at >= told.created_at,
    )  # fmt: skip
    return not session.scalar(select(or_(here, phoned)))


def _moves_told(clinic_id: int, scan_id: int) -> Select[datetime, int | None, datetime]:
    """The texts of a scan that say that it moved: until when each is of use, to which number, worded when."""
    return (
        select(Reminder.valid_until, Outbound.contact_point_id, Outbound.created_at)
        .join(Outbound, (Outbound.clinic_id == Reminder.clinic_id) & (Outbound.reminder_id == Reminder.id))
        .where(Reminder.clinic_id == clinic_id, Reminder.scan_id == scan_id, Reminder.touchpoint == "moved")
    )


def word_anew(session: Session, clinic_id: int, patient_id: int, why: str, now: datetime) -> None:
    """Take back what waits for a patient in words that serve no more: its moment comes once more, in those that do."""
    his = select(Scan.id).where(Scan.clinic_id == clinic_id, Scan.patient_id == patient_id).order_by(Scan.id)
    for scan_id in session.scalars(his).all():
        focus_on_scan(session, clinic_id, scan_id)  # its lock: a text that is being worded this moment is seen as well
        taken_back = _take_back(session, clinic_id, scan_id, why, now)
        session.execute(
            update(Reminder)
            .where(Reminder.clinic_id == clinic_id, Reminder.id.in_(taken_back))
            .values(status="planned", due_at=now, reason=why, changed_at=now)
        )
    ring_after(session, "fire", clinic_id)


def _take_back(
    session: Session, clinic_id: int, scan_id: int, why: str, now: datetime, *of_these: ColumnElement[bool]
) -> Sequence[int | None]:
    """Refuse the planned texts about a scan that still wait in the outbox; returns the reminders they are of."""
    about = select(Reminder.id).where(Reminder.clinic_id == clinic_id, Reminder.scan_id == scan_id, *of_these)
    return session.scalars(
        update(Outbound)
        .where(
            Outbound.clinic_id == clinic_id,
            Outbound.scan_id == scan_id,
            Outbound.automated,
            Outbound.status == "queued",
            Outbound.reminder_id.in_(about),
        )
        .values(status="refused", reason=why, changed_at=now)
        .returning(Outbound.reminder_id)
    ).all()


def visits_ahead(session: Session, clinic_id: int, contact_id: int, now: datetime) -> list[Scan]:
    """Every visit ahead that is texted about at a number, whoever's it is, but of nobody who has died."""
    ahead = (
        select(Scan)
        .join(Patient, (Patient.clinic_id == Scan.clinic_id) & (Patient.id == Scan.patient_id))
        .where(Scan.clinic_id == clinic_id, Scan.contact_point_id == contact_id)
        .where(Scan.state == "booked", Scan.arrival_at > now, Patient.stopped_at.is_(None))
        .order_by(Scan.id)
    )
    return list(session.scalars(ahead))


def scans_of(session: Session, focus: Focus) -> list[int]:
    """Every scan that is texted about at the number in focus: booked, or completed with texts still to come."""
    return list(
        session.scalars(
            select(Scan.id).where(
                Scan.clinic_id == focus.clinic_id,
                Scan.contact_point_id == focus.contact.id,
                Scan.state.in_(("booked", "completed")),
            )
        )
    )


def _said(session: Session, clinic_id: int, scan: ScanFacts) -> set[str]:
    """Touchpoints already said. What depends on the time counts only for this very arrival, so that a move says it again."""
    rows = session.execute(
        select(Reminder.touchpoint, Reminder.merged)
        .join(Outbound, (Outbound.clinic_id == Reminder.clinic_id) & (Outbound.reminder_id == Reminder.id))
        .join(Scan, (Scan.clinic_id == Reminder.clinic_id) & (Scan.id == Reminder.scan_id))
        .where(
            Reminder.clinic_id == clinic_id,
            Reminder.scan_id == scan.id,
            Reminder.status == "said",
            Outbound.status != "refused",
            Outbound.contact_point_id == Scan.contact_point_id,  # what another number was told he has not heard
            or_(Reminder.plan_version >= scan.arrival_version, Reminder.touchpoint.in_(TIMELESS)),
        )
    )
    return {name for touchpoint, merged in rows for name in (touchpoint, *merged)}


def preparation_arrived(session: Session, clinic_id: int, scan: Scan | ScanFacts) -> bool:
    """Whether a text with the preparation for this arrival was taken by the carrier and did not fail since.

    What went to a number that the booking has left has prepared nobody.
    """
    spoken = (
        select(Outbound.id)
        .join(Reminder, (Reminder.clinic_id == Outbound.clinic_id) & (Reminder.id == Outbound.reminder_id))
        .join(Scan, (Scan.clinic_id == Outbound.clinic_id) & (Scan.id == Outbound.scan_id))
        .where(
            Outbound.clinic_id == clinic_id,
            Outbound.scan_id == scan.id,
            Outbound.contact_point_id == Scan.contact_point_id,
            Reminder.plan_version >= scan.arrival_version,
            Reminder.touchpoint == "prepare",
            Outbound.status.in_(ARRIVED),
        )
    )
    return bool(session.scalar(select(exists(spoken))))
