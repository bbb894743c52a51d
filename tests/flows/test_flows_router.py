"""Free text goes to one approved topic, to a choice, or to an honest "I do not know": never to a guess."""

import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.check import TOPICS, unanswered_topics
from flows.encoder import heads, read_heads
from flows.model import Safety
from flows.router import ABOUT_RESULTS, Context, ranked, route
from flows.shipped import script

HERE = Context()


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("What is a PSMA PET scan?", "what_is"),
        ("is it better than a bone scan", "vs_ct_bone"),
        ("how accurate is it", "accuracy"),
        ("can I eat breakfast", "food_drink"),
        ("do I take my metformin", "medications"),
        ("how long does it take", "duration"),
        ("does it hurt", "hurt"),
        ("can I hug my grandkids", "around_others"),
        ("when will I get my results", "results_timing"),
        ("what does PSMA positive mean", "positive_meaning"),
        ("where do I park", "location_arrival"),
        ("can I cancel my scan?", "reschedule"),
        ("I need to reschedule", "reschedule"),
        ("running late, stuck in traffic", "running_late"),
        ("please call me", "contact_human"),
        ("who is this?", "about_service"),
        ("thanks", "smalltalk"),
        ("\U0001f44d", "smalltalk"),
        ("yes", "confirm"),
        ("duele mucho?", "hurt"),
        ("puedo desayunar ese dia", "food_drink"),
        ("cuando me dan los resultados", "results_timing"),
    ],
)
def test_a_plain_question_finds_its_topic(text: str, topic: str) -> None:
    decision = route(text, HERE)
    assert (decision.tier, decision.topics, decision.safety) == ("answer", (topic,), frozenset())


def test_two_clear_questions_in_one_text_get_both_answers_in_order() -> None:
    decision = route("Does it hurt? And where do I park?", HERE)
    assert (decision.tier, decision.topics) == ("answer", ("hurt", "location_arrival"))


@pytest.mark.parametrize("text", ["", "  ", "??", "\n", "1", "5", "asdf qwer zxcv", "who won the game last night"])
def test_what_matches_nothing_is_not_guessed(text: str) -> None:
    assert route(text, HERE).tier in ("unknown", "choose")


def test_safety_comes_first_and_keeps_the_topic_beside_it() -> None:
    decision = route("my chest hurts and I can't breathe", HERE)
    assert (decision.tier, decision.safety) == ("safety", frozenset({Safety.URGENT}))


@pytest.mark.parametrize(
    "text",
    ["what does my result mean", "my report says SUV 12 in the hip, is that bad", "que dice mi resultado, es malo?"],
)
def test_his_own_result_is_never_read_to_him(text: str) -> None:
    decision = route(text, HERE)
    assert Safety.RESULTS in decision.safety
    assert not set(decision.topics) & ABOUT_RESULTS


def test_the_language_of_a_text_is_told_where_it_is_plain() -> None:
    assert route("cuanto tiempo dura el examen", HERE).language == "es"
    assert route("how long does the exam take", HERE).language == "en"
    assert route("no", HERE).language == ""


def test_every_topic_the_router_names_has_an_approved_text_or_a_route() -> None:
    assert unanswered_topics(script(), TOPICS) == []
    assert unanswered_topics(script(), frozenset({"hurt", "no_such_topic"})) == ["no_such_topic"]
    assert set(ranked("hello")) == TOPICS


@given(st.text(max_size=400))
@settings(max_examples=150, deadline=None)
def test_any_text_gets_a_decision_of_a_known_shape_and_always_the_same(text: str) -> None:
    decision = route(text, HERE)
    counts = {"answer": (1, 2), "choose": (3, 3), "unknown": (0, 0), "safety": (0, 1)}[decision.tier]
    assert counts[0] <= len(decision.topics) <= counts[1]
    assert set(decision.topics) <= TOPICS
    assert (decision.tier == "safety") == bool(decision.safety)
    assert set(decision.caution) <= {"crisis", "urgent"}
    assert decision == route(text, HERE)


def test_without_the_encoders_package_the_n_grams_work_alone() -> None:
    alone = read_heads(None)
    assert alone.scores(["does it hurt"])[0].topics[0][0] == "hurt"
    assert alone.scores(["ya no quiero vivir mas"])[0].topics[0][0] == "crisis"
    assert heads().encoder is not None


def test_it_routes_with_no_network_at_all() -> None:
    """In a network namespace of its own there is nobody to ask."""
    code = "from flows.router import Context, route; print(route('does it hurt', Context()).topics[0])"
    command = ["unshare", "-rn", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine gives no network namespaces to us")
    assert done.stdout.strip() == "hurt", done.stderr


def test_the_command_prints_one_object_a_line_in_order_with_a_blank_line_too() -> None:
    lines = "does it hurt\n\nI want to die\nwrong number\n"
    command = [sys.executable, "-m", "service.cli", "route", "--json"]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=True)
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert [item["tier"] for item in objects] == ["answer", "unknown", "safety", "safety"]
    assert objects[0] == {"tier": "answer", "topics": ["hurt"], "safety": [], "caution": []}
    assert objects[2]["safety"] == ["crisis"]
    assert objects[3]["safety"] == ["opt_out"]
