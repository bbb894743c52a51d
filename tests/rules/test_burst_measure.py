"""The judge of the nine o'clock benchmark: what counts as late, and what as sent before the number could carry it."""

from bench.burst import EACH, PACE, SEGMENTS, measure

STEP = SEGMENTS / PACE


def test_texts_at_the_very_pace_are_neither_late_nor_ahead() -> None:
    found = measure([[100 + k * STEP for k in range(EACH)]], 100)
    assert (max(found.late), found.ahead) == (0, 0)


def test_a_late_start_makes_all_late_by_as_much_and_none_ahead() -> None:
    found = measure([[104 + k * STEP for k in range(EACH)]], 100)
    assert round(min(found.late), 6) == round(max(found.late), 6) == 4
    assert found.ahead == 0


def test_what_one_second_may_carry_may_leave_together_and_no_more() -> None:
    together = [100 + k * STEP // 1 for k in range(EACH)]
    assert measure([together], 100).ahead == 0
    assert measure([[100.0] * EACH], 100).ahead == EACH - 1 - round(1 / STEP)


def test_a_number_that_stood_still_may_not_make_up_for_it() -> None:
    assert measure([[110.0] * EACH], 100).ahead > 0
