"""Short answers in people's own words: whose visit it is, when he arrives, and how helpful we were."""

import pytest

from flows.engine import step
from flows.model import Conversation, Note, OpenTask, Say, Step, TextReceived
from flows.router import Context, route
from flows.shipped import script


@pytest.mark.parametrize("text", ["idk", "no idea", "I don't know", "no se", "ni idea"])
def test_who_does_not_know_his_hour_is_told_it(text: str) -> None:
    assert _said(_reply(Conversation("check"), text)) == ["check_wrong"]


def test_a_clock_time_is_asked_again_by_number() -> None:
    assert _said(_reply(Conversation("check"), "9:15")) == ["check_ask"]


@pytest.mark.parametrize(
    "text", ["yes thats me", "Yes, that's me", "It's my visit", "this is me", "sí, es mi cita", "así es"]
)
def test_he_may_say_in_many_ways_that_the_visit_is_his(text: str) -> None:
    assert _said(_reply(Conversation("invited"), text))[:2] == ["welcome", "detail_ask"]


@pytest.mark.parametrize("text", ["ten", "6", "10", "siete"])
def test_a_rating_off_the_scale_is_asked_again_and_the_next_number_counts(text: str) -> None:
    taken = _reply(Conversation("rating"), text)
    assert (_said(taken), taken.conversation.state) == (["rating_retry"], "rating")
    assert Note("rating:5") in _reply(taken.conversation, "5").effects


@pytest.mark.parametrize("text", ["no", "hmm", "No thanks", "nada"])
def test_who_gives_no_rating_is_let_go_and_nobody_is_called(text: str) -> None:
    taken = _reply(Conversation("rating"), text)
    assert (_said(taken), taken.conversation.state) == (["smalltalk"], "ready")
    assert not taken.of(OpenTask)


def _reply(conversation: Conversation, body: str) -> Step:
    return step(script(), conversation, TextReceived(body, route(body, Context())))


def _said(taken: Step) -> list[str]:
    return [effect.key for effect in taken.effects if isinstance(effect, Say)]
