"""How fast a sender may hand over texts, in segments a second, its answers counted."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.gate import Priority
from flows.pace import pace

NOW = datetime(2027, 3, 11, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_number_that_rested_has_saved_up_one_second_only() -> None:
    for busy_until in (None, NOW - timedelta(days=3)):
        rested = pace(3, busy_until, [], NOW)
        assert (rested.room(NOW), rested.may_go(Priority.BULK, NOW)) == (4, True)


def test_each_segment_takes_its_part_of_a_second() -> None:
    spent = pace(2, NOW, [], NOW).after(6)
    assert spent.busy_until == NOW + 3 * SECOND
    assert spent.room(NOW) == 0
    assert [spent.may_go(priority, NOW) for priority in (Priority.REPLY, Priority.BULK)] == [True, False]
    assert spent.may_go(Priority.BULK, NOW + 3 * SECOND)


@pytest.mark.parametrize(
    ("replies", "wait"),
    [
        pytest.param([(3600, 300)], 0, id="an hour ago"),
        pytest.param([(day * 60, 40) for day in range(300, 60, -1)], 0, id="a busy night"),
        pytest.param([(0, 10)], 9, id="just now"),
        pytest.param([(4, 10)], 5, id="four seconds ago"),
        pytest.param([(3600, 300), (4, 10)], 5, id="long ago and just now"),
        pytest.param([(8, 10), (4, 10)], 11, id="twice in a row"),
    ],
)
def test_answers_hold_up_what_is_planned_only_as_long_as_they_take_to_carry(
    replies: list[tuple[int, int]], wait: int
) -> None:
    moments = [(NOW - ago * SECOND, segments) for ago, segments in replies]
    busy = pace(1, NOW - timedelta(days=1), moments, NOW).busy_until
    assert max(busy, NOW) == NOW + wait * SECOND


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 6)), max_size=40), st.integers(1, 3))
def test_charged_one_by_one_or_all_at_the_end_comes_to_the_same(said: list[tuple[int, int]], per_second: int) -> None:
    replies = sorted((NOW - ago * SECOND, segments) for ago, segments in said)
    at_once = pace(per_second, None, replies, NOW)
    step = pace(per_second, None, [], replies[0][0] if replies else NOW)
    for moment, segments in replies:
        step = pace(per_second, step.busy_until, [(moment, segments)], moment)
    assert abs(pace(per_second, step.busy_until, [], NOW).busy_until - at_once.busy_until) < timedelta(milliseconds=1)
