"""A planned moment's words: what is skipped with a reason in general mode, merged into one text, or said once done."""

import pytest

from flows.engine import step
from flows.model import Conversation, Note, Reason, Say, Step, TouchpointDue
from flows.shipped import script

DISCREET = [
    "invite",
    "invite_again",
    "prepare",
    "tomorrow",
    "today",
    "after",
    "results",
    "goodbye",
    "moved",
    "cancelled",
]


def _due(conversation: Conversation, touchpoint: str, *merged: str, done: bool = False) -> Step:
    return step(script(), conversation, TouchpointDue(touchpoint, merged, done))


def _said(taken: Step) -> list[str]:
    return [effect.key for effect in taken.effects if isinstance(effect, Say)]


@pytest.mark.parametrize("touchpoint", ["about", "questions"])
@pytest.mark.parametrize("reason", list(Reason))
def test_what_cannot_be_told_discreetly_is_skipped_with_its_reason(touchpoint: str, reason: Reason) -> None:
    before = Conversation("confirm", reason=reason)
    taken = _due(before, touchpoint)
    assert (_said(taken), taken.conversation) == ([], before)
    assert [type(effect) for effect in taken.effects] == [Note]
    assert "general" in taken.of(Note)[0].action  # type: ignore[union-attr]


@pytest.mark.parametrize("touchpoint", ["about", "questions"])
@pytest.mark.parametrize("reason", list(Reason))
def test_it_is_told_by_reason_to_him_who_allowed_it(touchpoint: str, reason: Reason) -> None:
    taken = _due(Conversation("ready", detail=True, reason=reason), touchpoint)
    assert taken.effects == (Say(f"{touchpoint}_{reason}", "detailed"),)


@pytest.mark.parametrize("touchpoint", DISCREET)
@pytest.mark.parametrize("detail", [False, True])
def test_every_other_moment_has_words_in_both_forms(touchpoint: str, detail: bool) -> None:
    before = Conversation("ready", detail=detail)
    taken = _due(before, touchpoint)
    assert _said(taken)[0] == touchpoint
    assert all(effect.form == before.form for effect in taken.effects if isinstance(effect, Say))


@pytest.mark.parametrize(
    ("touchpoint", "opens"),
    [("invite", "invited"), ("invite_again", "invited"), ("prepare", "confirm"), ("tomorrow", "check"),
     ("results", "results"), ("goodbye", "rating")],
)  # fmt: skip
def test_a_moment_opens_its_question_afresh(touchpoint: str, opens: str) -> None:
    stale = Conversation("choose", attempts=1, reasked=True, options=("hurt",), pending="accuracy")
    assert _due(stale, touchpoint).conversation == Conversation(opens)


@pytest.mark.parametrize("touchpoint", ["about", "today", "after", "moved", "cancelled"])
def test_a_moment_without_a_question_leaves_the_open_one(touchpoint: str) -> None:
    before = Conversation("check", detail=True, attempts=1)
    assert _due(before, touchpoint).conversation == before


def test_the_day_before_asks_its_check_question_in_the_same_text() -> None:
    assert _said(_due(Conversation("ready"), "tomorrow")) == ["tomorrow", "check_ask"]


@pytest.mark.parametrize(
    ("lead", "merged", "keys"),
    [
        ("tomorrow", ("today",), ["tomorrow", "today_folded", "check_ask"]),
        ("today", ("after",), ["today", "after_early"]),
        ("tomorrow", ("today", "after"), ["tomorrow", "today_folded", "after_early", "check_ask"]),
        ("prepare", ("tomorrow",), ["prepare", "tomorrow_folded"]),
        ("prepare", ("tomorrow", "today"), ["prepare", "tomorrow_folded", "today_folded"]),
        ("prepare", ("tomorrow", "today", "after"), ["prepare", "tomorrow_folded", "today_folded", "after_early"]),
    ],
)
def test_merged_moments_are_said_once_in_their_folded_words(
    lead: str, merged: tuple[str, ...], keys: list[str]
) -> None:
    assert _said(_due(Conversation("ready"), lead, *merged)) == keys


def test_a_late_booking_still_asks_whether_he_will_come() -> None:
    assert _due(Conversation("ready"), "prepare", "tomorrow", "today").conversation.state == "confirm"


def test_after_a_completed_visit_it_is_not_said_with_an_if() -> None:
    assert _said(_due(Conversation("ready"), "after")) == ["after"]
    assert _said(_due(Conversation("ready"), "after", done=True)) == ["after_done"]
    assert _said(_due(Conversation("ready"), "today", done=True)) == ["today"]


def test_during_a_care_pause_the_logistics_are_told_and_nothing_is_asked() -> None:
    before = Conversation("ready", care_pause=True)
    taken = _due(before, "tomorrow", "today")
    assert _said(taken) == ["tomorrow", "today_folded"]
    assert taken.conversation == before


def test_logistics_and_day_texts_are_marked_as_such() -> None:
    touchpoints = script().touchpoints
    assert {name for name, t in touchpoints.items() if t.logistics} == {"tomorrow", "today", "moved", "cancelled"}
    outside_the_caps = {"invite", "invite_again", "tomorrow", "today", "after", "moved", "cancelled"}
    assert {name for name, t in touchpoints.items() if t.day} == outside_the_caps
