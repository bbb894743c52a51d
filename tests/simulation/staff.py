"""What clinic systems, staff and operators do in a story, through the same use cases as the web doors."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from service import booking, care, tasks
from service.clinics import AddedClinic, add_clinic
from service.demo_data import SITE
from service.errors import Conflict, Invalid, NotFound
from service.intake import Permission, read_booking
from service.store.people import Sender, Site
from service.switches import set_switch
from service.wiring import Parts
from tests.simulation.story import Clinic, Journey
from tests.simulation.truth import ScanTruth, Truth

SITES = ("Riverside Imaging", "Hill Street Imaging")
_SILENCED = text("""
    select opted_out_at is not null or frozen_at is not null from contact_points where clinic_id = :clinic and phone = :phone
""")


def open_clinic(parts: Parts, number: int, clinic: Clinic, now: datetime) -> tuple[AddedClinic, str]:
    """A live clinic with two sites; returns it and its phone number."""
    window: dict[str, Any] = {"window_start": time(8), "window_end": time(21)} if clinic.late_window else {}
    facts = replace(SITE, name=SITES[0], zone=clinic.zone, **window)
    phone = f"+1212555010{number}"
    added = add_clinic(parts.database, f"Clinic {number}", phone, facts, keywords=clinic.keywords, now=now)
    with parts.database.clinic(added.clinic_id) as session:
        session.get_one(Sender, (added.clinic_id, added.sender_id)).segments_per_second = clinic.pace
        first = session.get_one(Site, (added.clinic_id, added.site_id))
        columns = {c.name: getattr(first, c.name) for c in Site.__table__.columns if c.name != "id"}
        session.add(Site(**columns | {"name": SITES[1], "address": "9 Hill Street"}))
    return added, phone


def arrival_wall(at: datetime, zone: ZoneInfo, now: datetime) -> datetime:
    """A likely arrival on the site's clock: on the quarter, between 7:00 and 16:45, ahead of now."""
    local = at.astimezone(zone)
    wall = local.replace(hour=7 + local.hour % 10, minute=local.minute // 15 * 15, second=0, microsecond=0)
    while wall <= now:
        wall = (wall.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return wall


class Desk:
    """The clinic's side of one story."""

    def __init__(
        self,
        parts: Parts,
        owner: Connection,
        truth: Truth,
        clinics: list[AddedClinic],
        zones: list[str],
        start: datetime,
    ) -> None:
        self.parts, self.owner, self.truth, self.clinics, self.zones = parts, owner, truth, clinics, zones
        self.start = start
        self.asked: dict[int, dict[str, Any]] = {}  # what each journey was booked with last

    def ids(self, journey: Journey) -> tuple[int, str]:
        """The clinic's id and the scan's own."""
        return self.clinics[journey.clinic].clinic_id, f"S-{journey.name}"

    def book(self, journey: Journey, how: dict[str, Any], now: datetime) -> None:
        """Book or change a scan; what a booking does not say stays as it was. Sets the truth once it is committed."""
        clinic_id, external_id = self.ids(journey)
        zone = ZoneInfo(self.zones[journey.clinic])
        asked: dict[str, Any] = {"arrival": None, "length": 3600, "site": 0, "phone": journey.phone, "zone": journey.zone,
                 "language": journey.language, "tracer": journey.tracer, "reason": journey.reason}  # fmt: skip
        asked |= self.asked.get(journey.name, {})
        if how.get("arrival") is not None:
            how = how | {"arrival": arrival_wall(self.start + timedelta(seconds=how["arrival"]), zone, now).isoformat()}
        asked |= how
        if asked["arrival"] is None:
            return
        arrival = datetime.fromisoformat(asked["arrival"])
        permission = Permission("front desk", "asked by phone", now) if journey.permission else None
        read = read_booking(
            patient_id=journey.patient, given_name="Walter", phone=asked["phone"], language=asked["language"],
            zone=asked["zone"], arrival_at=arrival.isoformat(),
            starts_at=(arrival + timedelta(seconds=asked["length"])).isoformat(), tracer=asked["tracer"],
            reason=asked["reason"], site=SITES[asked["site"]], permission=permission,
        )  # fmt: skip
        database = self.parts.database
        try:
            booking.book(self.parts, clinic_id, external_id, read, actor="simulation", now=now)
        except (Invalid, Conflict):
            return
        finally:
            if getattr(database, "committed", True):
                self.asked[journey.name] = asked
                self._booked(clinic_id, external_id, journey, asked, arrival, now)

    def _booked(
        self,
        clinic_id: int,
        external_id: str,
        journey: Journey,
        asked: dict[str, Any],
        arrival: datetime,
        now: datetime,
    ) -> None:
        self.truth.zones[clinic_id, journey.patient] = asked["zone"]
        key, site = (clinic_id, external_id), SITES[asked["site"]]
        scan = self.truth.scans.get(key)
        if scan is None:
            scan = ScanTruth(external_id, journey.patient, asked["phone"], "booked", arrival, site,
                             self.zones[journey.clinic], asked["tracer"], booked_at=now, settled_at=now,
                             permission=journey.permission)  # fmt: skip
            scan.arrivals.append((arrival, site))
            self.truth.scans[key] = scan
            return
        moved = (arrival, site, "booked") != (scan.arrival_at, scan.site, scan.state)
        changed = moved or asked["phone"] != scan.phone or asked["tracer"] != scan.tracer
        if moved or (asked["tracer"] != scan.tracer and scan.arrival_at > now):
            scan.epoch += 1
        if changed:
            scan.booked_at = now
        if moved:
            scan.settled_at = now
        scan.phone, scan.state, scan.tracer = asked["phone"], "booked", asked["tracer"]
        scan.arrival_at, scan.site = arrival, site
        scan.arrivals.append((arrival, site))

    def end(self, journey: Journey, how: dict[str, Any], now: datetime) -> None:
        """Cancel, complete, no-show."""
        clinic_id, external_id = self.ids(journey)
        scan = self.truth.scans.get((clinic_id, external_id))
        if how["state"] != "cancelled" and scan is not None and scan.arrival_at > now:
            return  # nobody completes a visit that is still to come
        try:
            booking.end(self.parts, clinic_id, external_id, how["state"], actor="simulation", now=now)
        except (Conflict, NotFound):
            return
        finally:
            if scan is not None and getattr(self.parts.database, "committed", True) and scan.state == "booked":
                scan.state = how["state"]
                if scan.state == "cancelled":
                    scan.settled_at = now

    def release(self, journey: Journey, now: datetime) -> None:
        """Someone has spoken to him after a safety reply."""
        if self.ids(journey) in self.truth.scans:
            care.release(self.parts, *self.ids(journey), actor="simulation", now=now)

    def stop_texts(self, journey: Journey, how: dict[str, Any], now: datetime) -> None:
        """He told the clinic that he wants no more texts; nothing is said about that by text."""
        del how
        clinic_id, external_id = self.ids(journey)
        care.stop_texts(self.parts, clinic_id, external_id, "by phone", actor="simulation", now=now)
        phone = self.truth.phone(clinic_id, self.truth.scans[clinic_id, external_id].phone)
        if phone.stopped_at is None:
            phone.stopped_at, phone.confirmed = now, True

    def pause_everything(self, value: bool, now: datetime) -> None:
        """The operators' switch."""
        with self.parts.database.cross() as connection:
            set_switch(connection, "pause", "on" if value else "off", by="simulation", now=now)
        self.truth.pause(0, "", value)

    def pause_clinic(self, value: bool, now: datetime) -> None:
        """One clinic's switch."""
        values = {"at": now if value else None, "id": self.clinics[0].clinic_id}
        self.owner.execute(text("update clinics set paused_at = :at where id = :id"), values)
        self.truth.pause(self.clinics[0].clinic_id, "", value)

    def pause_patient(self, journey: Journey, value: bool, now: datetime) -> None:
        """Staff hold one patient's automated texts."""
        clinic_id, _ = self.ids(journey)
        values = {"at": now if value else None, "id": journey.patient, "clinic": clinic_id}
        self.owner.execute(
            text("update patients set paused_at = :at where clinic_id = :clinic and external_id = :id"), values
        )
        self.truth.pause(clinic_id, journey.patient, value)

    def mend(self, clinic_id: int) -> None:
        """Operators let a stopped number send again."""
        with self.parts.database.clinic(clinic_id) as session:
            for sender in session.query(Sender):
                sender.paused_reason = None

    def silenced(self, clinic: int, phone: str) -> bool:
        """Whether the carrier or the man himself has told this clinic to say no more to a number."""
        asked = {"clinic": self.clinics[clinic].clinic_id, "phone": phone}
        return bool(self.owner.execute(_SILENCED, asked).scalar())

    def acknowledge(self, clinic_id: int, now: datetime) -> None:
        """Someone has seen every urgent task that was announced twice."""
        with self.parts.database.clinic(clinic_id) as session:
            due = session.execute(
                text("select id from tasks where announced >= 2 and acknowledged_at is null and closed_at is null")
            ).scalars()
            for task in due.all():
                tasks.acknowledge(session, clinic_id, task, by="simulation", now=now)
