"""Free text goes to one approved topic, to a choice, or to an honest "I do not know": never to a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.check import unanswered_topics
from flows.model import Safety
from flows.router import _PHRASES, Context, route, told_by
from flows.safety import safety
from flows.shipped import script

HERE = Context()
TOPICS = frozenset(_PHRASES)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What is a PSMA PET scan?", "what_is"),
        ("is it better than a bone scan", "vs_ct_bone"),
        ("how accurate is it", "accuracy"),
        ("Is the radiation dangerous?", "radiation_safety"),
        ("can I eat breakfast", "food_drink"),
        ("do I take my metformin", "medications"),
        ("how long does it take", "duration"),
        ("does it hurt", "hurt"),
        ("can I hug my grandkids", "around_others"),
        ("when will I get my results", "results_timing"),
        ("what does PSMA positive mean", "positive_meaning"),
        ("where do I park", "location_arrival"),
        ("cancel my scan", "reschedule"),
        ("can I cancel my scan?", "reschedule"),
        ("I need to reschedule", "reschedule"),
        ("running late, stuck in traffic", "running_late"),
        ("please call me", "contact_human"),
        ("who is this?", "about_service"),
        ("thanks", "smalltalk"),
        ("👍", "smalltalk"),
        ("Hello, does it hurt?", "hurt"),
        ("Hi, parking?", "location_arrival"),
    ],
)
def test_a_plain_question_finds_its_topic(text: str, topic: str) -> None:
    decision = route(text, HERE)
    assert (decision.tier, decision.topics) == ("answer", (topic,))


def test_a_tie_is_offered_as_a_choice_best_first() -> None:
    decision = route("parking and metformin", HERE)
    assert decision.tier == "choose"
    assert decision.topics == ("medications", "location_arrival")


def test_at_most_three_topics_are_offered() -> None:
    assert len(route("parking metformin grandkids pluvicto breakfast", HERE).topics) == 3


@pytest.mark.parametrize("text", ["", "  ", "??", "asdf qwer", "should I wear a hat", "\n"])
def test_what_matches_nothing_is_not_guessed(text: str) -> None:
    assert (route(text, HERE).tier, route(text, HERE).topics) == ("unknown", ())


def test_safety_comes_first_and_keeps_the_topics_beside_it() -> None:
    decision = route("my chest hurts, where do I park", HERE)
    assert (decision.tier, decision.safety) == ("safety", frozenset({Safety.URGENT}))
    assert "location_arrival" in decision.topics


def test_every_topic_the_router_names_has_an_approved_text_or_a_route() -> None:
    assert unanswered_topics(script(), TOPICS) == []
    assert unanswered_topics(script(), frozenset({"hurt", "no_such_topic"})) == ["no_such_topic"]


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_a_topic_told_by_another_text_is_told_by_a_real_one(topic: str) -> None:
    assert topic in script().routes or told_by(topic) in script().texts.entries["en"]


@given(st.text(max_size=400) | st.lists(st.sampled_from(sorted(sum(_PHRASES.values(), ())))).map(" ".join))
def test_any_text_gets_a_decision_of_a_known_shape(text: str) -> None:
    decision = route(text, HERE)
    counts = {"answer": (1, 1), "choose": (2, 3), "unknown": (0, 0), "safety": (0, 3)}[decision.tier]
    assert counts[0] <= len(decision.topics) <= counts[1]
    assert set(decision.topics) <= TOPICS
    assert len(set(decision.topics)) == len(decision.topics)
    assert decision.safety == safety(text)
    assert (decision.tier == "safety") == bool(decision.safety)
    assert decision == route(text, HERE)
