"""Days and hours as people say them, on the clock of the place they are about."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from messages.speech import spoken_day, spoken_short, spoken_time

NOON = datetime(2027, 3, 18, 16, 0, tzinfo=UTC)
ZONES = ("America/New_York", "America/Chicago", "America/Phoenix", "America/Los_Angeles", "Pacific/Honolulu")


def test_one_instant_is_another_hour_in_another_zone() -> None:
    said = [spoken_time(NOON.astimezone(ZoneInfo(zone)), "en") for zone in ZONES]
    assert said == ["12:00 pm", "11:00 am", "9:00 am", "9:00 am", "6:00 am"]


def test_one_instant_may_be_another_day_in_another_zone() -> None:
    late = datetime(2027, 3, 19, 5, 0, tzinfo=UTC)
    said = [spoken_day(late.astimezone(ZoneInfo(zone)), "en") for zone in ("America/New_York", "America/Los_Angeles")]
    assert said == ["Friday, March 19", "Thursday, March 18"]


def test_spanish_days_and_hours_and_lines_of_a_list() -> None:
    local = NOON.astimezone(ZoneInfo("America/New_York"))
    assert spoken_day(local, "es") == "jueves, 18 de marzo"
    assert (spoken_short(local, "en"), spoken_short(local, "es")) == ("Mar 18, 12:00 pm", "18 mar, 12:00 p.m.")


@given(st.integers(0, 3 * 366 * 24 * 4), st.sampled_from(ZONES))
def test_whatever_was_said_before_the_hour_is_the_one_on_the_clock_of_the_place(quarters: int, zone: str) -> None:
    local = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarters)).astimezone(ZoneInfo(zone))
    hour = local.hour % 12 or 12
    assert spoken_time(local, "en") == f"{hour}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"
