"""The plan of a journey: which touchpoints a visit gets, when each is due, and when it has become worthless.

Moments are laid out as wall times at the site and become UTC here, so both changes of the clock are survived. The
window binds automated texts in the patient's own zone. A late booking is compressed, not skipped: what still matters
before the visit is folded into as few texts as possible; what no longer does stays in the plan with the reason.
"""

from collections.abc import Iterator, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows.limits import URGENT_WINDOW, WINDOW

MORNING = time(10)
LEAD = timedelta(hours=2)  # with less than this left, "today" comes too late to help
WAY = timedelta(hours=1)  # with less than this left he has set out
OVER = timedelta(hours=1)  # before this much of the scan has passed, "after" comes too early
CHECK_BEFORE = timedelta(hours=48)
ASK_AGAIN = timedelta(hours=24)  # after the first invitation
BEFORE_VISIT = ("prepare", "tomorrow", "today")
# Said, or looked after, only of a visit that is still ahead: worth nothing once it has taken place, however early.
AHEAD = frozenset({"invite", "invite_again", "about", "moved", "preparation_check", *BEFORE_VISIT})
TIMELESS = ("invite", "invite_again", "about")  # what they say is true whenever the visit is
NOTICES = frozenset({"moved", "cancelled"})
DAYS = frozenset({"tomorrow", "today"})  # held until they are worthless it is too late to phone


@dataclass(frozen=True)
class Visit:
    """A booked scan as the plan sees it. Moments are aware UTC; `window` is the local span for automated texts."""

    arrival_at: datetime
    starts_at: datetime
    site_zone: ZoneInfo
    patient_zone: ZoneInfo
    window: tuple[time, time] = WINDOW
    results_days: int | None = None  # days after the visit by which the site says he hears


@dataclass(frozen=True)
class Planned:
    """One planned text: due, worthless after, what is folded into it; or the reason why it will not be sent."""

    touchpoint: str
    due_at: datetime
    valid_until: datetime
    merged: tuple[str, ...] = ()
    skipped: str = ""


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A wall time as UTC. In the gap of a spring change the clock has jumped: the same moment by the old offset."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def exists(day: date, at: time, zone: ZoneInfo) -> bool:
    """Whether this wall time is ever shown by a clock in `zone`."""
    return moment(day, at, zone).astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at)


def next_open(at: datetime, zone: ZoneInfo, window: tuple[time, time]) -> datetime:
    """`at` itself if the window is open then, else the next moment it opens."""
    local = at.astimezone(zone)
    opens = moment(local.date(), window[0], zone)
    if at < opens:
        return opens
    if at < moment(local.date(), window[1], zone):
        return at
    return moment(local.date() + timedelta(days=1), window[0], zone)


def window_of(
    touchpoint: str, now: datetime, zone: ZoneInfo, window: tuple[time, time], valid_until: datetime | None
) -> tuple[time, time]:
    """The texting hours of a touchpoint: the site's; wider for a notice that would be useless by the next morning."""
    opens = next_open(now, zone, window)
    hurries = touchpoint in NOTICES and valid_until is not None and opens + LEAD >= valid_until
    return URGENT_WINDOW if hurries else window


def fits(state: str, touchpoint: str) -> bool:
    """Whether a text of this touchpoint may be said of a scan in this state."""
    return touchpoint == "cancelled" or state == "booked" or (state == "completed" and touchpoint not in AHEAD)


def closes(at: datetime, zone: ZoneInfo, window: tuple[time, time]) -> datetime:
    """The moment the window closes on the local day of `at`."""
    return moment(at.astimezone(zone).date(), window[1], zone)


def _last_hour_before(at: datetime, zone: ZoneInfo, window: tuple[time, time]) -> datetime:
    """An hour before the window last closed."""
    close = closes(at, zone, window)
    if close > at:
        close = moment(at.astimezone(zone).date() - timedelta(days=1), window[1], zone)
    return close - timedelta(hours=1)


def plan(visit: Visit, now: datetime, *, opted_in: bool, asked_at: datetime | None = None) -> tuple[Planned, ...]:
    """Lay out what is still to come, in order of its due time.

    Before he has opted in the plan starts with the invitations, the second a day after the first (`asked_at`, if it has
    been said); the rest shows what he will get if he agrees.
    """
    rows = _catch_up(visit, _before_and_after(visit), now)
    if not opted_in:
        rows += _invitations(visit, now, asked_at)
    check = max(now, visit.arrival_at - CHECK_BEFORE)
    if now < visit.arrival_at:
        rows.append(Planned("preparation_check", check, visit.arrival_at))
    if visit.results_days is not None:
        rows.append(_results_check(visit))
    return tuple(sorted(rows, key=lambda row: row.due_at))


def _results_check(visit: Visit) -> Planned:
    """The promised day has passed: staff ask whether he has heard. No text, so no window."""
    assert visit.results_days is not None
    day = visit.arrival_at.astimezone(visit.site_zone).date() + timedelta(days=visit.results_days + 1)
    due = moment(day, MORNING, visit.site_zone)
    return Planned("results_check", due, due + timedelta(days=14))


def _invitations(visit: Visit, now: datetime, asked_at: datetime | None) -> Iterator[Planned]:
    until = visit.arrival_at - LEAD
    for name, due in (("invite", now), ("invite_again", max(now, (asked_at or now) + ASK_AGAIN))):
        opens = next_open(due, visit.patient_zone, visit.window)
        late = "" if opens < until else "no time left to ask him by text before the visit"
        yield Planned(name, min(opens, until), until, skipped=late)


def _before_and_after(visit: Visit) -> list[Planned]:
    """The plan of a visit booked in good time, before anything is late."""
    zone, day = visit.site_zone, visit.arrival_at.astimezone(visit.site_zone).date()

    def at(days: int, hour: time = MORNING) -> datetime:
        return moment(day + timedelta(days=days), hour, zone)

    def row(name: str, due: datetime, until: datetime) -> Planned:
        opens = next_open(due, visit.patient_zone, visit.window)
        if opens >= until:  # far from the site, the window opens too late: the evening before is better than never
            opens = _last_hour_before(due, visit.patient_zone, visit.window)
        return Planned(name, opens, until)

    rows = [
        row("about", at(-7), at(-4)),
        row("prepare", at(-3), at(-1)),
        row("tomorrow", at(-1), closes(at(-1), visit.patient_zone, visit.window)),
        Planned(
            "today",
            next_open(visit.arrival_at - timedelta(hours=3), visit.patient_zone, visit.window),
            visit.arrival_at,
        ),
    ]
    if visit.arrival_at - rows[-1].due_at < LEAD:
        rows = _fold(rows, "today", "tomorrow")
    evening = closes(visit.starts_at, visit.patient_zone, visit.window)
    due = min(visit.starts_at + timedelta(hours=3), evening - timedelta(minutes=30))
    if due < visit.starts_at + OVER:
        host = "today" if any(r.touchpoint == "today" for r in rows) else "tomorrow"
        rows = _fold([*rows, Planned("after", due, evening)], "after", host)
    else:
        rows.append(row("after", due, evening))
    rows += [
        row("results", at(1), at(4)),
        row("questions", at(4), at(18)),
        row("goodbye", at(14), at(44)),
    ]
    return rows


def _fold(rows: list[Planned], name: str, host: str) -> list[Planned]:
    """Take `name` out of the plan and let `host` say it too."""
    gone = next(row for row in rows if row.touchpoint == name)
    kept = [row for row in rows if row.touchpoint != name]
    return [
        replace(row, merged=(*row.merged, gone.touchpoint, *gone.merged)) if row.touchpoint == host else row
        for row in kept
    ]


def _catch_up(visit: Visit, rows: list[Planned], now: datetime) -> list[Planned]:
    """Compress what is late: one text for all that still matters before the visit, the rest at once or not at all."""
    late = [row for row in rows if row.touchpoint in BEFORE_VISIT and row.due_at <= now]
    done: list[Planned] = []
    if late and now < visit.arrival_at:
        done.append(_merge(visit, late, now))
    elif late:
        done += [replace(row, skipped="the visit is over") for row in late]
    for row in rows:
        if row in late:
            continue
        if row.due_at > now:
            done.append(row)
            continue
        opens = next_open(now, visit.patient_zone, visit.window)
        in_time = opens < row.valid_until
        done.append(replace(row, due_at=opens) if in_time else replace(row, skipped="booked too late for it"))
    return done


def _merge(visit: Visit, late: list[Planned], now: datetime) -> Planned:
    names = [name for row in late for name in (row.touchpoint, *row.merged)]
    opens = next_open(now, visit.patient_zone, visit.window)
    skipped = "" if opens < visit.arrival_at else "no time left inside the texting hours before the visit"
    return Planned(names[0], min(opens, visit.arrival_at), visit.arrival_at, tuple(names[1:]), skipped)


def unsaid(rows: tuple[Planned, ...], said: Set[str]) -> tuple[Planned, ...]:
    """The plan without what he has been told already; what was folded into such a text and is still news stays."""
    left = []
    for row in rows:
        names = [name for name in (row.touchpoint, *row.merged) if name not in said]
        if names and names[0] == row.touchpoint:
            left.append(replace(row, merged=tuple(names[1:])))
        elif names == ["after"]:  # on its own it would come before the visit
            left.append(replace(row, touchpoint="after", merged=(), skipped="too late that day to say it afterwards"))
        elif names:
            left.append(replace(row, touchpoint=names[0], merged=tuple(names[1:])))
    return tuple(left)


def notice(
    name: str, visit: Visit, old_arrival: datetime, new_arrival: datetime | None, now: datetime
) -> tuple[Planned | None, bool]:
    """The text that a visit moved or is off, and whether a person must phone instead because no text comes in time.

    If the old or new arrival falls before the window next opens, or so soon after it that he may be on his way, 07:00 to
    22:00 applies; beyond that, a phone call. A text that has to wait for 07:00 and finds him on his WAY is not enough: a
    person phones as well.
    """
    ahead = [at for at in (old_arrival, new_arrival) if at is not None and at > now]
    if not ahead:
        return None, True
    opens = next_open(now, visit.patient_zone, visit.window)
    if min(ahead) <= opens + LEAD:
        opens = next_open(now, visit.patient_zone, URGENT_WINDOW)
        if min(ahead) <= opens:
            return None, True
    return Planned(name, opens, min(ahead)), now < opens and min(ahead) <= opens + WAY
