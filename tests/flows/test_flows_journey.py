"""The plan of a visit in wall times, early and late bookings, both changes of the clock, and the news of a move."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from flows.journey import WAY, Planned, Visit, closes, exists, moment, next_open, notice, plan, unsaid
from flows.limits import WINDOW

NY, LA = ZoneInfo("America/New_York"), ZoneInfo("America/Los_Angeles")


def _at(wall: str, zone: ZoneInfo = NY) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=zone).astimezone(UTC)


def _visit(arrival: str, patient: ZoneInfo = NY, site: ZoneInfo = NY) -> Visit:
    at = _at(arrival, site)
    return Visit(at, at + timedelta(hours=1), site, patient)


def _wall(at: datetime, zone: ZoneInfo = NY) -> str:
    return f"{at.astimezone(zone):%m-%d %H:%M}"


def _rows(
    visit: Visit, now: datetime, *, opted_in: bool = True, asked_at: datetime | None = None
) -> dict[str, Planned]:
    rows = plan(visit, now, opted_in=opted_in, asked_at=asked_at)
    assert [row.due_at for row in rows] == sorted(row.due_at for row in rows)
    assert len({row.touchpoint for row in rows}) == len(rows)
    return {row.touchpoint: row for row in rows}


def _laid(visit: Visit, now: datetime) -> dict[str, tuple[str, str, tuple[str, ...]]]:
    zone = visit.patient_zone
    sent = {name: row for name, row in _rows(visit, now).items() if not row.skipped}
    return {name: (_wall(row.due_at, zone), _wall(row.valid_until, zone), row.merged) for name, row in sent.items()}


def test_a_visit_booked_in_good_time_gets_the_whole_plan() -> None:
    assert _laid(_visit("2027-03-18 09:15"), _at("2027-03-08 12:00")) == {
        "about": ("03-11 10:00", "03-14 10:00", ()),
        "prepare": ("03-15 10:00", "03-17 10:00", ()),
        "preparation_check": ("03-16 09:15", "03-18 09:15", ()),
        "tomorrow": ("03-17 10:00", "03-17 20:00", ("today",)),
        "after": ("03-18 13:15", "03-18 20:00", ()),
        "results": ("03-19 10:00", "03-22 10:00", ()),
        "questions": ("03-22 10:00", "04-05 10:00", ()),
        "goodbye": ("04-01 10:00", "05-01 10:00", ()),
    }


def test_a_visit_booked_the_day_before_gets_what_matters_in_one_text_at_once() -> None:
    rows = _rows(_visit("2027-03-18 09:15"), _at("2027-03-17 13:15"))
    laid = _laid(_visit("2027-03-18 09:15"), _at("2027-03-17 13:15"))
    assert laid["prepare"] == ("03-17 13:15", "03-18 09:15", ("tomorrow", "today"))
    assert laid["preparation_check"] == ("03-17 13:15", "03-18 09:15", ())
    assert rows["about"].skipped
    assert set(laid) == {"prepare", "preparation_check", "after", "results", "questions", "goodbye"}


@pytest.mark.parametrize(
    ("arrival", "today", "after", "hosts"),
    [
        ("07:30", "", "03-18 11:30", {"tomorrow": ("today",)}),
        ("09:15", "", "03-18 13:15", {"tomorrow": ("today",)}),
        ("10:59", "", "03-18 14:59", {"tomorrow": ("today",)}),
        ("11:00", "03-18 09:00", "03-18 15:00", {}),
        ("14:00", "03-18 11:00", "03-18 18:00", {}),
        ("17:29", "03-18 14:29", "03-18 19:30", {}),
        ("18:00", "03-18 15:00", "", {"today": ("after",)}),
    ],
)
def test_the_day_of_the_visit_by_its_arrival(
    arrival: str, today: str, after: str, hosts: dict[str, tuple[str]]
) -> None:
    laid = _laid(_visit(f"2027-03-18 {arrival}"), _at("2027-03-08 12:00"))
    assert laid.get("today", ("",))[0] == today
    assert laid.get("after", ("",))[0] == after
    assert {name: row[2] for name, row in laid.items() if row[2]} == hosts


@pytest.mark.parametrize(
    ("arrival", "booked", "check", "dues"),
    [
        ("2027-03-15 09:15", "2027-03-05 12:00", "03-13 08:15",
         ["03-08 10:00", "03-12 10:00", "03-14 10:00", "03-15 13:15", "03-16 10:00", "03-19 10:00", "03-29 10:00"]),
        ("2026-11-02 09:15", "2026-10-20 12:00", "10-31 10:15",
         ["10-26 10:00", "10-30 10:00", "11-01 10:00", "11-02 13:15", "11-03 10:00", "11-06 10:00", "11-16 10:00"]),
    ],
)  # fmt: skip
def test_wall_times_hold_over_both_changes_of_the_clock(arrival: str, booked: str, check: str, dues: list[str]) -> None:
    laid = _laid(_visit(arrival), _at(booked))
    assert laid.pop("preparation_check")[0] == check
    assert [row[0] for row in laid.values()] == dues


@pytest.mark.parametrize(("day", "offset"), [("2027-03-14", 4), ("2026-11-01", 5)])
def test_on_the_day_the_clock_changes_the_window_opens_on_the_new_time(day: str, offset: int) -> None:
    visit = _visit(f"{day} 14:00")
    rows = _rows(visit, visit.arrival_at - timedelta(days=10))
    assert rows["today"].due_at == datetime.fromisoformat(f"{day}T{11 + offset}:00+00:00")
    assert next_open(_at(f"{day} 03:30"), NY, WINDOW) == datetime.fromisoformat(f"{day}T{9 + offset:02}:00+00:00")


def test_a_patient_in_another_zone_is_texted_on_his_own_clock() -> None:
    laid = _laid(_visit("2027-03-18 09:15", patient=LA), _at("2027-03-08 12:00"))
    assert laid["prepare"] == ("03-15 09:00", "03-17 07:00", ())
    assert laid["tomorrow"] == ("03-17 09:00", "03-17 20:00", ("today",))
    assert laid["after"] == ("03-18 10:15", "03-18 20:00", ())


@pytest.mark.parametrize(
    ("site", "patient"), [("America/New_York", "Asia/Tokyo"), ("Pacific/Guam", "America/New_York")]
)
def test_a_patient_far_away_is_told_the_day_before_while_it_is_of_use(site: str, patient: str) -> None:
    visit = _visit("2027-04-08 14:00", patient=ZoneInfo(patient), site=ZoneInfo(site))
    row = _rows(visit, visit.arrival_at - timedelta(days=10))["tomorrow"]
    assert row.due_at < row.valid_until


def test_booked_on_the_day_the_rest_still_comes_in_time() -> None:
    laid = _laid(_visit("2027-03-18 15:00"), _at("2027-03-18 10:30"))
    assert laid["prepare"] == ("03-18 10:30", "03-18 15:00", ("tomorrow",))
    assert laid["today"] == ("03-18 12:00", "03-18 15:00", ())
    late = _laid(_visit("2027-03-18 18:00"), _at("2027-03-18 16:50"))
    assert late["prepare"] == ("03-18 16:50", "03-18 18:00", ("tomorrow", "today", "after"))


@pytest.mark.parametrize(
    ("arrival", "booked"), [("2027-03-19 08:00", "2027-03-18 21:00"), ("2027-03-18 07:30", "2027-03-18 07:00")]
)
def test_with_no_time_left_inside_the_window_it_is_skipped_with_the_reason_and_checked_at_once(
    arrival: str, booked: str
) -> None:
    rows = _rows(_visit(arrival), _at(booked))
    assert "no time left" in rows["prepare"].skipped
    assert rows["prepare"].merged == ("tomorrow", "today")
    assert rows["preparation_check"].due_at == _at(booked)
    assert not rows["after"].skipped


def test_booked_in_the_night_it_waits_for_the_morning() -> None:
    laid = _laid(_visit("2027-03-19 14:00"), _at("2027-03-18 23:00"))
    assert laid["prepare"] == ("03-19 09:00", "03-19 14:00", ("tomorrow",))
    assert laid["today"][0] == "03-19 11:00"


def test_what_is_late_but_still_of_use_comes_at_once() -> None:
    assert _laid(_visit("2027-03-18 09:15"), _at("2027-03-12 15:00"))["about"][0] == "03-12 15:00"
    assert _laid(_visit("2027-03-18 09:15"), _at("2027-03-12 21:00"))["about"][0] == "03-13 09:00"
    assert "about" not in _laid(_visit("2027-03-18 09:15"), _at("2027-03-13 21:00") + timedelta(days=1))


def test_after_the_visit_nothing_before_it_is_sent() -> None:
    rows = _rows(_visit("2027-03-18 09:15"), _at("2027-03-18 12:00"))
    assert {rows[name].skipped for name in ("prepare", "tomorrow")} == {"the visit is over"}
    assert "preparation_check" not in rows
    assert not rows["after"].skipped


def test_the_invitation_goes_at_booking_and_once_more_after_a_day() -> None:
    visit = _visit("2027-03-18 09:15")
    rows = _rows(visit, _at("2027-03-08 12:00"), opted_in=False)
    assert _wall(rows["invite"].due_at) == "03-08 12:00"
    assert _wall(rows["invite_again"].due_at) == "03-09 12:00"
    assert {_wall(rows[name].valid_until) for name in ("invite", "invite_again")} == {"03-18 07:15"}
    night = _rows(visit, _at("2027-03-08 22:00"), opted_in=False)
    assert _wall(night["invite"].due_at) == "03-09 09:00"
    assert _wall(night["invite_again"].due_at) == "03-10 09:00"


def test_who_agreed_is_not_invited() -> None:
    assert not {"invite", "invite_again"} & _rows(_visit("2027-03-18 09:15"), _at("2027-03-08 12:00")).keys()


@pytest.mark.parametrize(("asked", "again"), [("03-08 09:30", "03-09 09:30"), ("03-05 09:30", "03-08 12:00")])
def test_the_second_invitation_comes_a_day_after_the_first_however_often_the_plan_is_laid(
    asked: str, again: str
) -> None:
    at = _at(f"2027-{asked}")
    rows = _rows(_visit("2027-03-18 09:15"), _at("2027-03-08 12:00"), opted_in=False, asked_at=at)
    assert _wall(rows["invite_again"].due_at) == again


def test_an_invitation_without_time_is_skipped_with_the_reason() -> None:
    rows = _rows(_visit("2027-03-18 14:00"), _at("2027-03-17 13:00"), opted_in=False)
    assert not rows["invite"].skipped
    assert rows["invite_again"].skipped
    early = _rows(_visit("2027-03-18 10:30"), _at("2027-03-17 21:00"), opted_in=False)
    assert early["invite"].skipped


@pytest.mark.parametrize(
    ("now", "old", "new", "due"),
    [
        ("03-17 12:00", "03-18 09:15", "03-20 09:15", "03-17 12:00"),
        ("03-17 21:00", "03-18 14:00", "03-20 09:15", "03-18 09:00"),
        ("03-17 21:00", "03-18 08:30", "03-20 09:15", "03-17 21:00"),
        ("03-17 21:00", "03-20 08:30", "03-18 08:30", "03-17 21:00"),
        ("03-17 21:00", "03-18 09:00", None, "03-17 21:00"),
        ("03-17 23:00", "03-18 08:30", "03-20 09:15", "03-18 07:00"),
        ("03-17 20:30", "03-18 14:00", "03-18 09:05", "03-17 20:30"),
        ("03-17 23:00", "03-18 14:00", "03-18 10:55", "03-18 07:00"),
        ("03-18 06:00", "03-18 07:01", None, "03-18 07:00"),
        ("03-17 23:00", "03-18 06:30", "03-20 09:15", None),
        ("03-18 06:00", "03-18 07:00", None, None),
        ("03-18 12:00", "03-18 09:15", None, None),
        ("03-18 12:00", "03-18 09:15", "03-20 09:15", "03-18 12:00"),
    ],
)
def test_a_move_is_told_in_time_or_a_person_phones(now: str, old: str, new: str | None, due: str | None) -> None:
    arrivals = _at(f"2027-{old}"), _at(f"2027-{new}") if new else None
    told, phone = notice("moved", _visit("2027-03-20 09:15"), *arrivals, _at(f"2027-{now}"))
    assert phone is (told is None or bool(told.due_at > _at(f"2027-{now}") and told.valid_until - told.due_at <= WAY))
    assert (_wall(told.due_at) if told else None) == due
    if told:
        assert told.touchpoint == "moved"
        assert told.valid_until == min(at for at in arrivals if at and at > _at(f"2027-{now}"))


def test_the_window_includes_its_opening_and_not_its_closing() -> None:
    assert next_open(_at("2027-03-17 09:00"), NY, WINDOW) == _at("2027-03-17 09:00")
    assert next_open(_at("2027-03-17 20:00"), NY, WINDOW) == _at("2027-03-18 09:00")
    assert closes(_at("2027-03-17 23:59"), NY, WINDOW) == _at("2027-03-17 20:00")


def test_a_wall_time_in_the_gap_does_not_exist_and_one_shown_twice_does() -> None:
    assert not exists(date(2027, 3, 14), time(2, 30), NY)
    assert exists(date(2027, 3, 14), time(3, 0), NY)
    assert exists(date(2026, 11, 1), time(1, 30), NY)
    assert moment(date(2027, 3, 14), time(2, 30), NY) == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)


def test_what_was_folded_into_a_text_already_said_is_not_lost_with_it() -> None:
    row = Planned("tomorrow", _at("2027-03-17T10:00"), _at("2027-03-17T20:00"), ("today", "after"))
    assert [(r.touchpoint, r.merged) for r in unsaid((row,), {"tomorrow"})] == [("today", ("after",))]
    assert [(r.touchpoint, r.merged) for r in unsaid((row,), {"today"})] == [("tomorrow", ("after",))]
    (late,) = unsaid((row,), {"tomorrow", "today"})
    assert (late.touchpoint, bool(late.skipped)) == ("after", True)
    assert unsaid((row,), {"tomorrow", "today", "after"}) == ()
