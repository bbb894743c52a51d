"""A conversation, turn by turn: each question's answers, digressions, failures and the way to a person."""

from dataclasses import replace

import pytest

from flows import limits
from flows.engine import step
from flows.model import (
    Consent,
    Conversation,
    Decision,
    Freeze,
    LayJourney,
    Note,
    OpenTask,
    Safety,
    Say,
    Standing,
    Step,
    StopPlans,
    Suppress,
    TextReceived,
)
from flows.router import Context, route
from flows.shipped import script


def _reply(conversation: Conversation, body: str) -> Step:
    return step(script(), conversation, TextReceived(body, route(body, Context())))


def _said(taken: Step) -> list[str]:
    return [effect.key for effect in taken.effects if isinstance(effect, Say)]


def _tasks(taken: Step) -> list[str]:
    return [effect.kind for effect in taken.effects if isinstance(effect, OpenTask)]


@pytest.mark.parametrize("body", ["1", "1.", "Yes", "yes it is", "one", "Yes please", "It is mine"])
def test_yes_to_the_invitation_opts_in_and_asks_for_detail(body: str) -> None:
    taken = _reply(Conversation("invited"), body)
    assert taken.conversation == Conversation("detail")
    assert _said(taken) == ["welcome", "detail_ask"]
    assert [(e.kind, e.given) for e in taken.effects if isinstance(e, Consent)] == [("texts", True)]
    assert taken.of(LayJourney) == (LayJourney(),)


@pytest.mark.parametrize("body", ["2", "no", "Not me!", "not mine"])
def test_no_to_the_invitation_freezes_the_number_and_says_sorry(body: str) -> None:
    taken = _reply(Conversation("invited"), body)
    assert taken.conversation.standing is Standing.FROZEN
    assert _said(taken) == ["declined"]
    assert taken.of(Freeze) == (Freeze(),)
    assert _tasks(taken) == ["wrong_number"]
    assert [(e.kind, e.given) for e in taken.effects if isinstance(e, Consent)] == [("texts", False)]


@pytest.mark.parametrize("state", ["invited", "detail", "ready", "menu", "confirm"])
def test_a_wrong_number_reply_in_any_state_freezes_with_one_apology(state: str) -> None:
    taken = _reply(Conversation(state), "you have the wrong number")
    assert (taken.conversation.standing, taken.conversation.state) == (Standing.FROZEN, "ready")
    assert (_said(taken), _tasks(taken)) == (["declined"], ["wrong_number"])
    assert taken.of(Freeze)


def test_a_frozen_number_that_says_so_again_gets_no_second_apology() -> None:
    assert _said(_reply(Conversation("ready", Standing.FROZEN), "I said wrong number")) == []


@pytest.mark.parametrize(
    "body", ["menu", "what is a psma scan", "confirm", "details", "hello", "parking and metformin"]
)
def test_nothing_about_the_visit_is_told_before_he_says_it_is_his(body: str) -> None:
    taken = _reply(Conversation("invited"), body)
    assert taken.conversation.state == "invited"
    assert _said(taken) == ["invite_retry"]


def test_before_opting_in_he_may_ask_who_is_texting_and_for_a_person() -> None:
    who = _reply(Conversation("invited"), "who is this?")
    assert _said(who) == ["about_service", "invite_retry"]
    person = _reply(Conversation("invited"), "please call me")
    assert _tasks(person) == ["contact_human"]
    assert person.conversation.state == "invited"


def test_yes_to_detail_is_kept_and_spoken_in_the_new_form() -> None:
    taken = _reply(Conversation("detail"), "yes")
    assert taken.conversation == Conversation("ready", detail=True)
    assert taken.effects == (Consent("detail", True, "detail_retry"), Say("detail_yes", "detailed"))


def test_no_to_detail_keeps_the_texts_general() -> None:
    taken = _reply(Conversation("detail", detail=True), "2")
    assert taken.conversation == Conversation("ready", detail=False)
    assert taken.of(Say) == (Say("detail_no", "general"),)
    assert [(e.kind, e.given) for e in taken.effects if isinstance(e, Consent)] == [("detail", False)]


def test_general_and_detail_can_be_asked_for_at_any_time() -> None:
    assert _reply(Conversation("menu", detail=True), "GENERAL").conversation == Conversation("ready")
    opened = _reply(Conversation("confirm"), "Details")
    assert (opened.conversation.state, _said(opened)) == ("detail", ["detail_ask"])


GENERAL_MENU = ["prep", "location_arrival", "hurt", "radiation_safety", "around_others", "after_scan"]
DETAILED_MENU = ["what_is", "prep", "hurt", "radiation_safety", "accuracy", "positive_meaning", "questions_to_ask"]
MENUS = [(False, n, key) for n, key in enumerate(GENERAL_MENU, 1)]
MENUS += [(True, n, key) for n, key in enumerate(DETAILED_MENU, 1)]


@pytest.mark.parametrize(("detail", "digit", "key"), MENUS)
def test_a_menu_digit_means_what_the_menu_of_his_form_says(detail: bool, digit: int, key: str) -> None:
    before = Conversation("menu", detail=detail)
    taken = _reply(before, str(digit))
    assert taken.effects == (Say(key, before.form),)
    assert taken.conversation == replace(before, more=f"{key}_2")


@pytest.mark.parametrize("detail", [False, True])
def test_zero_in_the_menu_calls_a_person_and_the_menu_opens_from_anywhere(detail: bool) -> None:
    taken = _reply(Conversation("menu", detail=detail), "0")
    assert (_said(taken), _tasks(taken), taken.conversation.state) == (["person_noted"], ["contact_human"], "ready")
    for state in set(script().states) - {"invited", "results", "results_menu"}:
        assert _said(_reply(Conversation(state, detail=detail), "Menu")) == ["menu"]


def test_seven_is_no_choice_of_the_general_menu() -> None:
    assert _said(_reply(Conversation("menu"), "7")) == ["menu"]


def test_what_cannot_be_told_discreetly_is_offered_and_answered_once_allowed() -> None:
    offered = _reply(Conversation("ready"), "how accurate is it")
    assert (_said(offered), offered.conversation.state) == (["offer_detail"], "offer")
    assert offered.conversation.pending == "accuracy"
    allowed = _reply(offered.conversation, "1")
    assert allowed.of(Say) == (Say("accuracy", "detailed"),)
    assert allowed.conversation == Conversation("ready", detail=True, more="accuracy_2")
    assert [(e.kind, e.given) for e in allowed.effects if isinstance(e, Consent)] == [("detail", True)]
    kept = _reply(offered.conversation, "2")
    assert (_said(kept), kept.conversation.detail) == (["detail_no"], False)


def test_another_undiscreet_question_while_asking_for_permission_asks_for_it_once() -> None:
    taken = _reply(Conversation("offer", pending="accuracy"), "what is a psma scan")
    assert taken.conversation.pending == "what_is"
    assert _said(taken) == ["offer_detail"]


@pytest.mark.parametrize("body", ["C", "c.", "Yes", "I will be there", "ok thanks", "1"])
def test_a_confirmation_is_noted(body: str) -> None:
    taken = _reply(Conversation("confirm"), body)
    assert (_said(taken), taken.conversation.state) == (["confirmed"], "ready")
    assert taken.of(Note) == (Note("confirmed"),)
    assert _tasks(taken) == []


@pytest.mark.parametrize("body", ["R", "no", "2", "change", "I can't come", "cancel my scan", "I need to reschedule"])
def test_a_wish_to_change_the_visit_is_a_task_not_an_opt_out(body: str) -> None:
    taken = _reply(Conversation("confirm"), body)
    assert _said(taken) == ["change_noted"]
    assert _tasks(taken) == ["reschedule"]
    assert not taken.of(Suppress)
    assert taken.conversation.standing is Standing.PATIENT


@pytest.mark.parametrize(
    ("body", "key", "tasks"),
    [("1", "check_right", []), ("2", "check_wrong", []), ("not sure", "check_wrong", ["check_missed"]),
     ("3", "check_wrong", ["check_missed"]), ("I don\u2019t know", "check_wrong", ["check_missed"])],
)  # fmt: skip
def test_the_teach_back_corrects_kindly_and_hands_doubt_to_a_person(body: str, key: str, tasks: list[str]) -> None:
    taken = _reply(Conversation("check"), body)
    assert (_said(taken), _tasks(taken), taken.conversation.state) == ([key], tasks, "ready")


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
def test_a_rating_is_noted_and_thanked(score: int) -> None:
    taken = _reply(Conversation("rating"), str(score))
    assert (_said(taken), taken.conversation.state) == (["rating_thanks"], "ready")
    assert taken.of(Note) == (Note(f"rating:{score}"),)


def test_the_results_menu_tells_who_calls_and_stays_open() -> None:
    taken = _reply(Conversation("results"), "1")
    assert (_said(taken), taken.conversation.state) == (["results_who"], "results")
    assert _tasks(_reply(taken.conversation, "2")) == ["contact_human"]


@pytest.mark.parametrize("state", ["invited", "detail", "confirm", "check", "rating", "menu", "offer"])
def test_two_failed_answers_bring_a_person(state: str) -> None:
    assert limits.ATTEMPTS == 2
    first = _reply(Conversation(state, pending="accuracy"), "zzz")
    assert (_said(first), first.conversation.state) == ([script().states[state].asks], state)
    assert _tasks(first) == []
    second = _reply(first.conversation, "zzz")
    assert (_said(second), _tasks(second)) == (["handover"], ["not_understood"])
    assert second.conversation.attempts == 0
    assert second.conversation.state == ("invited" if state == "invited" else "ready")


def test_a_good_answer_forgets_the_failed_ones() -> None:
    failed = _reply(Conversation("menu"), "zzz").conversation
    assert _reply(failed, "1").conversation.attempts == 0


def test_a_digression_is_answered_and_the_question_asked_again_once_only() -> None:
    first = _reply(Conversation("confirm"), "can I eat breakfast")
    assert (_said(first), first.conversation.state) == (["food_drink", "confirm_ask"], "confirm")
    second = _reply(first.conversation, "does it hurt")
    assert (_said(second), second.conversation.state) == (["hurt"], "confirm")
    assert _said(_reply(second.conversation, "C")) == ["confirmed"]


def test_a_question_nobody_approved_an_answer_to_goes_to_a_person_and_the_question_stays() -> None:
    taken = _reply(Conversation("confirm"), "what is the capital of France")
    assert (_said(taken), _tasks(taken)) == (["unknown", "confirm_ask"], ["question"])


def test_several_topics_are_offered_by_number() -> None:
    offered = Decision("choose", ("medications", "location_arrival"))
    asked = step(script(), Conversation("ready"), TextReceived("hm, that thing", offered))
    assert asked.of(Say) == (Say("choose", "general", ("medications", "location_arrival")),)
    assert _said(_reply(asked.conversation, "2")) == ["location_arrival"]
    assert _reply(asked.conversation, "2").conversation.state == "ready"
    assert "unknown" in _said(_reply(asked.conversation, "3"))
    assert _tasks(_reply(asked.conversation, "0")) == ["contact_human"]


@pytest.mark.parametrize("body", ["what does my result mean", "do I have cancer", "my report says SUV 12"])
@pytest.mark.parametrize("detail", [False, True])
def test_his_own_result_is_kindly_not_interpreted(body: str, detail: bool) -> None:
    before = Conversation("ready", detail=detail)
    assert _reply(before, body).effects == (Say("results_personal", before.form),)


def test_running_late_is_an_urgent_task_and_keeps_the_open_question() -> None:
    taken = _reply(Conversation("check", reasked=True), "running late, stuck in traffic")
    assert (_said(taken), _tasks(taken), taken.conversation.state) == (["late_noted"], ["running_late"], "check")


def test_a_death_stops_every_plan_with_one_condolence() -> None:
    taken = _reply(Conversation("confirm"), "my husband passed away")
    assert (_said(taken), _tasks(taken)) == (["condolence"], ["died"])
    assert taken.of(StopPlans) == (StopPlans("died"),)


@pytest.mark.parametrize("kind", [Safety.CRISIS, Safety.URGENT])
@pytest.mark.parametrize("state", sorted(script().states))
def test_a_safety_reply_comes_alone_and_asks_nothing(kind: Safety, state: str) -> None:
    taken = step(script(), Conversation(state), TextReceived("?", Decision("safety", safety=frozenset({kind}))))
    assert taken.effects == (Say(kind.value, "general"), OpenTask(kind.value))
    assert taken.conversation == Conversation(state, care_pause=True)


@pytest.mark.parametrize("body", ["can I eat breakfast", "should I wear a hat on the way", "hm"])
def test_after_a_safety_reply_no_question_is_repeated(body: str) -> None:
    hurt = _reply(Conversation("confirm"), "I want to die").conversation
    assert hurt.care_pause
    assert "confirm_ask" not in _said(_reply(hurt, body))


def test_releasing_the_care_pause_asks_again() -> None:
    released = replace(_reply(Conversation("confirm"), "I want to die").conversation, care_pause=False)
    assert "confirm_ask" in _said(_reply(released, "can I eat breakfast"))
