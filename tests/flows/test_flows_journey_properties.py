"""For any arrival and booking: inside the patient's window, of use when due, and nothing that matters merely absent."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.journey import BEFORE_VISIT, WAY, Planned, Visit, notice, plan
from flows.limits import URGENT_WINDOW

# Zones up to seven hours apart; farther ones have a test of their own.
ZONES = st.sampled_from(
    ["America/New_York", "America/Chicago", "America/Phoenix", "America/Los_Angeles", "America/Anchorage",
     "Pacific/Honolulu", "America/Puerto_Rico", "America/St_Johns"]
).map(ZoneInfo)  # fmt: skip
DAYS = st.integers(0, 170).map(lambda days: datetime(2026, 10, 20, tzinfo=UTC) + timedelta(days=days))


@st.composite
def visits(draw: st.DrawFn) -> Visit:
    site = draw(ZONES)
    wall = draw(DAYS).replace(hour=draw(st.integers(6, 19)), minute=draw(st.integers(0, 59)))
    arrival = wall.replace(tzinfo=site).astimezone(UTC)
    scan = arrival + timedelta(minutes=draw(st.sampled_from([0, 15, 30, 60, 90])))
    return Visit(arrival, scan, site, draw(ZONES))


BEFORE = st.one_of(st.timedeltas(timedelta(0), timedelta(days=20)), st.timedeltas(timedelta(0), timedelta(hours=30)))


def _inside(row: Planned, visit: Visit, window: tuple[time, time]) -> bool:
    return window[0] <= row.due_at.astimezone(visit.patient_zone).time() < window[1]


@given(visits(), BEFORE, st.booleans(), st.none() | st.timedeltas(timedelta(0), timedelta(days=3)))
@settings(max_examples=500, deadline=None)
def test_every_text_to_come_is_inside_the_window_and_of_use(
    visit: Visit, before: timedelta, opted_in: bool, asked: timedelta | None
) -> None:
    now = visit.arrival_at - before
    asked_at = None if asked is None else now - asked
    for row in plan(visit, now, opted_in=opted_in, asked_at=asked_at):
        if row.skipped:
            continue
        assert row.due_at >= now
        if row.touchpoint != "preparation_check":
            assert _inside(row, visit, visit.window), row
            assert row.due_at < row.valid_until, row


@given(visits(), BEFORE)
@settings(max_examples=500, deadline=None)
def test_nothing_that_matters_is_merely_absent(visit: Visit, before: timedelta) -> None:
    rows = plan(visit, visit.arrival_at - before, opted_in=True)
    told = [name for row in rows for name in (row.touchpoint, *row.merged)]
    assert len(set(told)) == len(told)
    assert {*BEFORE_VISIT, "about", "after", "results", "questions", "goodbye"} <= set(told)
    assert [row.due_at for row in rows] == sorted(row.due_at for row in rows)
    for row in rows:
        if row.touchpoint in BEFORE_VISIT:
            assert row.valid_until <= max(visit.arrival_at, row.due_at)
    if before > timedelta(0):
        check = next(row for row in rows if row.touchpoint == "preparation_check")
        assert check.due_at == max(visit.arrival_at - before, visit.arrival_at - timedelta(hours=48))


@given(visits(), BEFORE)
@settings(max_examples=300, deadline=None)
def test_a_man_is_never_sent_away_before_the_visit_for_want_of_a_plan(visit: Visit, before: timedelta) -> None:
    now = visit.arrival_at - before
    rows = [row for row in plan(visit, now, opted_in=True) if row.touchpoint in BEFORE_VISIT]
    for row in rows:
        opened = any(
            visit.window[0] <= (now + timedelta(minutes=step)).astimezone(visit.patient_zone).time() < visit.window[1]
            for step in range(0, int(before.total_seconds() // 60), 5)
        )
        assert not (row.skipped and opened), "skipped although the window was open before the visit"


@given(visits(), BEFORE, st.timedeltas(timedelta(days=-3), timedelta(days=10)), st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_notice_comes_before_what_it_is_about_or_a_person_phones(
    visit: Visit, before: timedelta, shift: timedelta, off: bool
) -> None:
    now = visit.arrival_at - before
    new = None if off else visit.arrival_at + shift
    row, phone = notice("moved", visit, visit.arrival_at, new, now)
    assert phone is (row is None or bool(row.due_at > now and row.valid_until - row.due_at <= WAY))
    if row:
        assert now <= row.due_at < row.valid_until
        assert _inside(row, visit, URGENT_WINDOW)
        assert all(at <= now or row.due_at < at for at in (visit.arrival_at, new) if at)
