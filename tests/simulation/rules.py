"""The rules (DESIGN 8, with its exceptions and no others), checked as each text is taken, as it arrives, and after each step.

They judge by what phones got and by what the story knows, and read the service's rows only to learn what a text is about.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, text

from flows.outcomes import RANK
from messages.catalog import DISCLOSING
from messages.speech import spoken_day
from service.conversation import Arrived
from tests.simulation.carrier import Carried, Carrier
from tests.simulation.texts import Canned
from tests.simulation.truth import PhoneTruth, ScanTruth, Truth

HUSH = timedelta(minutes=15)
CONFIRM_WITHIN = timedelta(minutes=5)
USELESS_SOON = timedelta(hours=1)  # waiting out the hush would leave less than this: it may go
TIMELESS = {"invite", "invite_again", "about"}  # said once to a phone, wherever the visit moves
EXEMPT = {"invite", "invite_again", "tomorrow", "today", "after", "moved", "cancelled"}  # from the caps
MATTERS = {"prepare", "tomorrow", "today", "moved", "cancelled"}
SAFE_WORDS = {"crisis", "urgent", "help"}
PHONE_TASKS = ("phone_preparation", "phone_change", "not_delivered")
CARRIER_HAS_IT = RANK["accepted"]


class Violation(BaseException):
    """A broken rule: its name, and what was seen. Found inside the service's own calls too, which must not catch it."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule


_ABOUT = text("""
    select o.id, o.clinic_id, o.key, o.automated, o.valid_until, o.form, o.language, o.contact_point_id, o.scan_id,
           o.reminder_id, r.touchpoint, r.merged, s.external_id, cp.opted_out_at, cp.frozen_at, i.body as said,
           i.message_sid, st.window_start, st.window_end, p.external_id as patient, p.stopped_at,
           coalesce((select k.given from consents k where k.clinic_id = o.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'detail' order by k.id desc limit 1), false) as detail,
           coalesce((select k.given from consents k where k.clinic_id = o.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'texts' order by k.id desc limit 1), false) as agreed
    from outbound o
    left join reminders r on r.clinic_id = o.clinic_id and r.id = o.reminder_id
    left join scans s on s.clinic_id = o.clinic_id and s.id = o.scan_id
    left join sites st on st.clinic_id = o.clinic_id and st.id = s.site_id
    left join patients p on p.clinic_id = o.clinic_id and p.id = s.patient_id
    left join contact_points cp on cp.clinic_id = o.clinic_id and cp.id = o.contact_point_id
    left join inbound i on i.clinic_id = o.clinic_id and i.id = o.inbound_id
    where o.clinic_id = :clinic and o.ref = :ref
""")
_CHANGED = text("""
    select o.id, o.clinic_id, o.ref, o.status, o.key, o.scan_id, o.contact_point_id, o.reason, r.touchpoint, r.merged
    from outbound o left join reminders r on r.clinic_id = o.clinic_id and r.id = o.reminder_id
    where o.changed_at >= :since
""")
_TASK = text("""
    select count(*) from tasks where clinic_id = :clinic and kind = any(:kinds) and (not :open or closed_at is null)
      and (scan_id is not distinct from :scan or contact_point_id is not distinct from :contact)
""")
_PREPARED = text("""
    select exists (select from tasks t join scans s on s.clinic_id = t.clinic_id and s.id = t.scan_id
                   where s.clinic_id = :clinic and s.external_id = :scan
                     and t.kind in ('phone_preparation', 'no_permission', 'phone_change', 'died')
                     and (t.opened_at >= :since or t.closed_at is null or t.closed_at >= :since))
""")

_CLEARED = text("""
    select o.ref, s.external_id from outbound o left join scans s on s.clinic_id = o.clinic_id and s.id = o.scan_id
    where o.clinic_id = :clinic and o.phone = :phone and o.status = 'sending'
""")


def _opens(local: datetime, opens: time, closes: time) -> datetime:
    """When the window opens next on this clock; now if it is open."""
    day = local.date() + timedelta(days=local.time() >= closes)
    return max(local, datetime.combine(day, opens, tzinfo=local.tzinfo))


class Rules:
    """Looks after one story."""

    def __init__(self, look: Connection, truth: Truth, carrier: Carrier, now: Callable[[], datetime]) -> None:
        self.look, self.truth, self.carrier, self.now = look, truth, carrier, now
        self.about: dict[str, dict[str, Any]] = {}  # carrier's ref -> what the text is about, when it was taken
        self.got: Counter[tuple[Any, ...]] = Counter()
        self.apologies: dict[tuple[int, int], int] = {}  # clinic and number -> the row of the one apology
        self.capped: list[tuple[datetime, int, str, int]] = []
        self.seen: dict[int, tuple[str, str]] = {}
        self.since = now()
        self.cleared: dict[str, tuple[int, Any]] = {}  # by ref, of the batch under way: its epoch and its visit's state
        self.inbound: list[tuple[int, Arrived, Canned, str]] = []
        # Arrivals to look at when they come, and the phone that the booking had then.
        self.visits: dict[tuple[int, str, int], tuple[datetime, str]] = {}

    def meanwhile(self, clinic_id: int, phone: str) -> None:
        """Something befalls this phone in the middle of a batch: what is cleared for it already leaves as it was judged."""
        for row in self.look.execute(_CLEARED, {"clinic": clinic_id, "phone": phone}):
            scan = self.truth.scans.get((clinic_id, row.external_id or ""))
            self.cleared[row.ref] = (scan.epoch, scan.stands()) if scan else (0, None)

    # As a text is taken ---------------------------------------------------------------------------------------------

    def taking(self, carried: Carried) -> None:
        """The carrier takes a text at this moment: may it go?"""
        row = self.look.execute(_ABOUT, {"clinic": carried.clinic_id, "ref": carried.ref}).mappings().one_or_none()
        if row is None:
            raise Violation("known", f"a text that no row knows: {carried.body[:60]!r}")
        about = dict(row)
        self.about[carried.ref] = about
        if about["contact_point_id"] is None:
            return  # to the on-call contact
        phone = self.truth.phone(carried.clinic_id, carried.to)
        scan = self.truth.scans.get((carried.clinic_id, about["external_id"] or ""))
        about["epoch"], about["stands"] = (scan.epoch, scan.stands()) if scan else (0, None)
        if carried.ref in self.cleared:  # judged before what happened in the middle of its batch
            about["epoch"], about["stands"] = self.cleared[carried.ref]
            return
        self._after_stop(about, phone)
        self._disclosing(about, carried)
        if scan is not None:
            self._right_arrival(about, carried, scan)
        if about["automated"]:
            assert scan is not None, "automated texts are about a scan"
            self._automated(about, carried, phone, scan)

    def _after_stop(self, about: dict[str, Any], phone: PhoneTruth) -> None:
        key, where = about["key"], f"{about['key']} (text {about['id']})"
        if key in SAFE_WORDS and about["said"] is not None:
            return
        asks_to_stop = phone.stopped_at is not None or about["opted_out_at"] is not None
        once_only = not phone.confirmed or phone.confirmed_by == (about["clinic_id"], about["id"])
        if asks_to_stop and key in ("stopped", "stopped_cancel") and once_only:
            # The one confirmation of an opt-out, also to a number that is wrong; a new attempt of it is no second one.
            phone.confirmed, phone.confirmed_by = True, (about["clinic_id"], about["id"])
            if phone.stopped_at is not None and self.now() > phone.stopped_at + CONFIRM_WITHIN:
                raise Violation("stop", f"confirmed {self.now() - phone.stopped_at} after he said so")
        elif phone.wrong_at is not None or about["frozen_at"] is not None:
            # One apology; a new attempt of it, where the first did not arrive, is no second one.
            row = self.apologies.setdefault((about["clinic_id"], about["contact_point_id"]), about["id"])
            if key != "declined" or row != about["id"]:
                raise Violation("wrong number", where)
        elif asks_to_stop:
            raise Violation("stop", where)
        if phone.died_at is not None and key == "condolence":
            phone.condolences += 1
            if phone.condolences > 1:
                raise Violation("died", "a second condolence")

    def _disclosing(self, about: dict[str, Any], carried: Carried) -> None:
        told = DISCLOSING.search(carried.body)
        if told and not about["detail"]:
            raise Violation("discreet", f"{about['key']} says {told.group()!r} without his consent")

    def _right_arrival(self, about: dict[str, Any], carried: Carried, scan: ScanTruth) -> None:
        zone, names = ZoneInfo(scan.site_zone), {about["touchpoint"], *(about["merged"] or ())}
        day = {spoken_day(scan.arrival_at.astimezone(zone), language) for language in ("en", "es")}
        old = {spoken_day(at.astimezone(zone), language) for at, _ in scan.arrivals for language in ("en", "es")} - day
        for other in old:
            if other in carried.body and not any(said in carried.body for said in day):
                raise Violation("moved", f"{about['key']} says {other}, and it is {sorted(day)[0]}")
        local = scan.arrival_at.astimezone(zone)  # said anew here, so that no fault of the service's own words hides
        hour, half = f"{local.hour % 12 or 12}:{local.minute:02}", "a" if local.hour < 12 else "p"
        hours = [f"{hour} {half}m", f"{hour} {half}.m."]
        if names & {"tomorrow", "today", "moved"} and not any(hour in carried.body for hour in hours):
            raise Violation("moved", f"{about['key']} does not say {hours[0]}: {carried.body[:100]!r}")
        if about["automated"]:
            others = {site for _, site in scan.arrivals} - {scan.site}
            if any(site in carried.body for site in others):
                raise Violation("moved", f"{about['key']} names a site that it is not at any more")

    def _automated(self, about: dict[str, Any], carried: Carried, phone: PhoneTruth, scan: ScanTruth) -> None:
        name, now, where = about["touchpoint"], self.now(), f"{about['touchpoint']} (text {about['id']})"
        if self.truth.holds(carried.clinic_id, scan.patient):
            raise Violation("pause", where)
        if scan.state not in ("booked", "completed") and name != "cancelled":
            raise Violation("moved", f"{where} about a visit that is {scan.state}")
        if scan.state == "booked" and name == "cancelled":
            raise Violation("moved", f"{where} about a visit that is booked")
        if carried.to != scan.phone:
            raise Violation("moved", f"{where} to a number that the booking has left")
        # Another man at that phone is texted about his own visit once START has asked for it; he who died, never.
        if about["stopped_at"] is not None or phone.mourns(scan.booked_at):
            raise Violation("died", where)
        if not (scan.permission if name in ("invite", "invite_again") else about["agreed"]):
            raise Violation("consent", where)
        zone = ZoneInfo(self.truth.zones.get((about["clinic_id"], scan.patient)) or scan.site_zone)
        local = now.astimezone(zone)
        window = (about["window_start"], about["window_end"])
        useful = about["valid_until"] - timedelta(hours=2) if name in ("moved", "cancelled") else None
        if useful is not None and _opens(local, window[0], window[1]) >= useful:
            window = (time(7), time(22))  # by the next morning it would be useless, or he on his way
        if not window[0] <= local.time() < window[1]:
            raise Violation("window", f"{where} at {local:%H:%M} on his clock")
        until = about["valid_until"]
        if until is not None and now >= until:
            raise Violation("useless", f"{where} at {now}, useless since {until}")
        heard = phone.heard_at
        if heard is not None and now < heard + HUSH and (until is None or heard + HUSH + USELESS_SOON < until):
            raise Violation("hush", f"{where} {now - heard} after his text")
        self._caps(about, carried, scan, zone)

    def _caps(self, about: dict[str, Any], carried: Carried, scan: ScanTruth, zone: ZoneInfo) -> None:
        now = self.now()
        site = ZoneInfo(scan.site_zone)
        ahead = (scan.arrival_at.astimezone(site).date() - now.astimezone(site).date()).days
        if {about["touchpoint"], *about["merged"]} & EXEMPT or ahead in (0, 1):
            return
        mine = {  # by row: a new attempt is no second text
            row: at
            for at, clinic, to, row in self.capped
            if (clinic, to) == (about["clinic_id"], carried.to) and row != about["id"]
        }
        today = now.astimezone(zone).date()
        days = [at.astimezone(zone).date() for at in mine.values()]
        if today in days:
            raise Violation("daily cap", f"{about['touchpoint']} (text {about['id']}) is the second on {today}")
        if sum(day > today - timedelta(days=7) for day in days) >= 3:
            raise Violation("weekly cap", f"{about['touchpoint']} (text {about['id']}) on {today}, after {days}")
        self.capped.append((now, about["clinic_id"], carried.to, about["id"]))

    # As it arrives --------------------------------------------------------------------------------------------------

    def arrived(self, carried: Carried) -> tuple[str, str]:
        """A phone got it; returns its key and the scan it is about."""
        about = self.about[carried.ref]
        self._once(("row", carried.clinic_id, about["id"]), about["key"])
        if about["automated"]:
            scan = about["external_id"]
            for name in (about["touchpoint"], *about["merged"]):
                epoch = 0 if name in TIMELESS else about["epoch"]
                if name == "invite":  # who texted START and has not agreed is asked anew
                    epoch = self.truth.phone(carried.clinic_id, carried.to).starts
                self._once((carried.clinic_id, carried.to, scan, epoch, name), f"{name} of {scan}")
        return about["key"], about["external_id"] or ""

    def _once(self, what: tuple[Any, ...], words: str) -> None:
        self.got[what] += 1
        if self.got[what] > 1:
            raise Violation("twice", f"{words} {what}")

    # After each step ------------------------------------------------------------------------------------------------

    def heard(self, clinic_id: int, arrived: Arrived, canned: Canned, fault: str) -> None:
        """A text of his has been taken in."""
        self.inbound.append((clinic_id, arrived, canned, fault))

    def watch(self, clinic_id: int, external_id: str) -> None:
        """A scan was booked or changed: look at it when its arrival comes."""
        scan = self.truth.scans.get((clinic_id, external_id))
        if scan is not None and scan.arrival_at > self.now():  # a number corrected afterwards prepares nobody
            self.visits[clinic_id, external_id, scan.epoch] = scan.arrival_at, scan.phone

    def after_step(self) -> None:
        """No status fell, every failure that matters has its task, and nobody arrives unprepared and unphoned."""
        for row in self.look.execute(_CHANGED, {"since": self.since}):
            ref, old = self.seen.get(row.id, (row.ref, "planned"))
            self.seen[row.id] = (row.ref, row.status)
            if old == row.status:
                continue
            fell = RANK.get(row.status, 9) < RANK[old] if row.status != "refused" else RANK[old] >= CARRIER_HAS_IT
            if old == "delivered" or (fell and RANK[old] >= CARRIER_HAS_IT and ref == row.ref):
                raise Violation("status", f"text {row.id} ({row.key}) fell from {old} to {row.status}")
            if row.status in ("failed", "undelivered") and {row.touchpoint, *(row.merged or ())} & MATTERS:
                self._has_task(row)
        self.since = self.now()
        for visit, (at, phone) in [item for item in self.visits.items() if item[1][0] <= self.now()]:
            del self.visits[visit]
            self._prepared_or_phoned(*visit, at, phone)

    def _has_task(self, row: Any) -> None:
        values = {"clinic": row.clinic_id, "kinds": list(PHONE_TASKS), "open": True, "scan": row.scan_id,
                  "contact": row.contact_point_id}  # fmt: skip
        if not self.look.execute(_TASK, values).scalar():
            raise Violation("failed without a task", f"text {row.id} ({row.key}): {row.reason}")

    def _prepared_or_phoned(self, clinic_id: int, external_id: str, epoch: int, at: datetime, phone: str) -> None:
        scan = self.truth.scans[clinic_id, external_id]
        died = self.truth.phone(clinic_id, phone).died_at
        if scan.epoch != epoch or scan.state == "cancelled" or died:
            return
        got = self.got[clinic_id, phone, external_id, epoch, "prepare"]
        since = {"clinic": clinic_id, "scan": external_id, "since": scan.booked_at}
        if not got and not self.look.execute(_PREPARED, since).scalar():
            raise Violation("unprepared", f"{external_id} arrives at {at} without preparation, and nobody phones")

    # At the end -----------------------------------------------------------------------------------------------------

    def at_the_end(self, stored: dict[str, str]) -> None:
        """Quiet: nothing is left open, nothing is merely absent."""
        from tests.simulation import ending

        ending.check(self, stored)
