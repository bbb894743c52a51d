"""STOP, START and HELP, who answers them, and those we may not text: the rules a carrier and the law hold us to."""

import pytest

from flows.engine import step
from flows.limits import IDENTICAL_CRIES, IDENTICAL_TEXTS, REPLIES_PER_BURST
from flows.model import Conversation, Keywords, Note, OpenTask, Resubscribe, Safety, Say, Standing, Step, Suppress
from flows.model import TextReceived as Text
from flows.router import Context, route
from flows.shipped import script

STATES = sorted(script().states)
CARRIERS = [Keywords.DEFAULT, Keywords.ADVANCED]


def _reply(conversation: Conversation, body: str, tag: str = "", recent: int = 0, same: int = 0) -> Step:
    text = Text(body, route(body, Context()), opt_out_type=tag, recent_texts=recent, identical_texts=same)
    return step(script(), conversation, text)


def _said(taken: Step) -> list[str]:
    return [effect.key for effect in taken.effects if isinstance(effect, Say)]


def _tasks(taken: Step) -> list[str]:
    return [effect.kind for effect in taken.effects if isinstance(effect, OpenTask)]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("body", ["STOP", "please stop texting me", "no más"])
def test_stop_in_any_state_suppresses_with_one_confirmation(state: str, body: str) -> None:
    taken = _reply(Conversation(state), body)
    assert taken.conversation.standing is Standing.STOPPED
    assert len(taken.of(Suppress)) == 1
    assert (_said(taken), _tasks(taken)) == (["stopped"], [])


def test_the_ledger_tells_a_keyword_from_his_own_words() -> None:
    assert _reply(Conversation("ready"), "Stop.").of(Suppress) == (Suppress("carrier keyword"),)
    assert _reply(Conversation("ready"), "leave me alone").of(Suppress) == (Suppress("own words"),)


def test_a_second_stop_is_not_confirmed_again() -> None:
    taken = _reply(Conversation("ready", Standing.STOPPED), "STOP")
    assert (_said(taken), taken.conversation.standing) == ([], Standing.STOPPED)
    assert taken.of(Suppress)


@pytest.mark.parametrize("body", ["CANCEL", "cancel.", "Cancelar"])
def test_a_bare_cancel_suppresses_and_a_person_asks_whether_he_meant_the_visit(body: str) -> None:
    taken = _reply(Conversation("confirm"), body)
    assert taken.conversation.standing is Standing.STOPPED
    assert taken.of(Suppress)
    assert (_said(taken), _tasks(taken)) == (["stopped_cancel"], ["cancel_or_stop"])
    by_carrier = _reply(Conversation("confirm", keywords=Keywords.DEFAULT), "cancel")
    assert _tasks(by_carrier) == ["cancel_or_stop"]


@pytest.mark.parametrize("body", ["cancel my scan", "can I cancel my scan?", "cancel the appointment"])
def test_cancelling_the_scan_is_a_change_request(body: str) -> None:
    taken = _reply(Conversation("ready"), body)
    assert (_said(taken), _tasks(taken)) == (["change_noted"], ["reschedule"])
    assert taken.conversation.standing is Standing.PATIENT


def test_stop_with_a_cry_for_help_suppresses_and_answers_safety_first() -> None:
    taken = _reply(Conversation("confirm"), "stop, I want to die")
    assert taken.effects[:2] == (Say("crisis", "general"), OpenTask("crisis"))
    assert taken.of(Suppress)
    assert taken.conversation.standing is Standing.STOPPED
    assert _said(taken) == ["crisis"]


@pytest.mark.parametrize("keywords", [*CARRIERS, Keywords.TOLL_FREE])
def test_when_the_carrier_would_block_the_safety_reply_a_person_is_told_to_phone(keywords: Keywords) -> None:
    both = _reply(Conversation("ready", keywords=keywords), "stop texting me, I want to die")
    assert "cannot_reach" in _tasks(both)
    stopped = _reply(Conversation("ready", Standing.STOPPED, keywords=keywords), "I can't breathe")
    assert _tasks(stopped) == ["urgent", "cannot_reach"]
    ours = _reply(Conversation("ready", Standing.STOPPED), "I can't breathe")
    assert (_said(ours), _tasks(ours)) == (["urgent"], ["urgent"])


@pytest.mark.parametrize("keywords", CARRIERS)
def test_what_the_carrier_answers_itself_we_do_not_answer_again(keywords: Keywords) -> None:
    for state in STATES:
        stopped = _reply(Conversation(state, keywords=keywords), "STOP")
        assert _said(stopped) == []
        assert stopped.of(Suppress)
        helped = _reply(Conversation(state, keywords=keywords), "HELP")
        assert helped.effects == (Note("help"),)
    assert _said(_reply(Conversation("ready", Standing.STOPPED, keywords=keywords), "START")) == []


@pytest.mark.parametrize("keywords", CARRIERS)
def test_a_wish_the_carrier_does_not_understand_is_confirmed_by_us(keywords: Keywords) -> None:
    assert _said(_reply(Conversation("ready", keywords=keywords), "please stop texting me")) == ["stopped"]


@pytest.mark.parametrize(("body", "key"), [("ayuda", "help"), ("no mas", "stopped"), ("alto", "stopped")])
def test_a_spanish_keyword_unknown_to_the_carriers_own_list_is_answered_by_us(body: str, key: str) -> None:
    assert _said(_reply(Conversation("ready", keywords=Keywords.DEFAULT), body)) == [key]


def test_a_keyword_the_carrier_tagged_was_answered_by_it() -> None:
    assert _reply(Conversation("ready"), "HELP", tag="HELP").effects == (Note("help"),)
    started = _reply(Conversation("ready", Standing.STOPPED), "START", tag="START")
    assert started.effects == (Resubscribe(),)


def test_a_toll_free_network_answers_stop_and_leaves_help_to_us() -> None:
    here = Conversation("ready", keywords=Keywords.TOLL_FREE)
    assert _said(_reply(here, "STOP")) == []
    assert _said(_reply(here, "HELP")) == ["help"]


@pytest.mark.parametrize("keywords", list(Keywords))
@pytest.mark.parametrize("body", ["hello", "basta ya", "when do I stop drinking water?"])
def test_the_carriers_stop_tag_adds_suppression_and_no_reply(keywords: Keywords, body: str) -> None:
    taken = _reply(Conversation("ready", keywords=keywords), body, tag="STOP")
    assert taken.effects == (Suppress("carrier keyword"),)
    assert taken.conversation.standing is Standing.STOPPED


@pytest.mark.parametrize("body", ["YES", "yes", "1", "hello", "subscribe"])
def test_the_carriers_start_tag_never_resubscribes(body: str) -> None:
    taken = _reply(Conversation("invited", Standing.STOPPED, keywords=Keywords.ADVANCED), body, tag="START")
    assert not taken.of(Resubscribe)
    assert taken.conversation.standing is Standing.STOPPED


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("body", ["START", "unstop", "Start."])
def test_start_resubscribes_from_stopped(state: str, body: str) -> None:
    taken = _reply(Conversation(state, Standing.STOPPED), body)
    assert taken.of(Resubscribe) == (Resubscribe(),)
    assert _said(taken) == ["started"]
    assert taken.conversation == Conversation(state)


@pytest.mark.parametrize("standing", [Standing.PATIENT, Standing.STRANGER, Standing.FROZEN])
def test_start_resubscribes_only_from_stopped(standing: Standing) -> None:
    taken = _reply(Conversation("ready", standing), "START")
    assert not taken.of(Resubscribe)
    assert taken.conversation.standing is standing


def test_start_from_a_frozen_number_is_for_a_person_and_gets_no_word() -> None:
    taken = _reply(Conversation("ready", Standing.FROZEN), "START")
    assert (_said(taken), _tasks(taken)) == ([], ["stranger"])


@pytest.mark.parametrize("body", ["hello", "1", "menu", "does it hurt", "yes"])
def test_after_stop_ordinary_texts_get_no_answer_but_a_person_sees_them(body: str) -> None:
    taken = _reply(Conversation("menu", Standing.STOPPED), body)
    assert (_said(taken), _tasks(taken)) == ([], ["after_stop"])
    assert taken.of(Note)


@pytest.mark.parametrize("body", ["wrong number", "he has died"])
def test_after_stop_nothing_but_safety_help_and_start_is_ever_said(body: str) -> None:
    taken = _reply(Conversation("ready", Standing.STOPPED), body)
    assert _tasks(taken)
    assert _said(taken) == []


@pytest.mark.parametrize("body", ["hello", "1", "menu"])
def test_a_frozen_number_gets_no_answer_but_a_person_sees_it(body: str) -> None:
    taken = _reply(Conversation("ready", Standing.FROZEN), body)
    assert (_said(taken), _tasks(taken)) == ([], ["stranger"])
    assert taken.of(Note)


def test_a_stop_from_a_frozen_number_keeps_it_frozen() -> None:
    taken = _reply(Conversation("ready", Standing.FROZEN), "STOP")
    assert taken.of(Suppress)
    assert taken.conversation.standing is Standing.FROZEN


def test_a_stranger_gets_one_neutral_reply_and_then_only_a_task() -> None:
    first = _reply(Conversation("ready", Standing.STRANGER), "does it hurt")
    assert (_said(first), _tasks(first)) == (["stranger"], ["stranger"])
    second = _reply(first.conversation, "menu")
    assert (_said(second), _tasks(second)) == ([], ["stranger"])


@pytest.mark.parametrize("standing", list(Standing))
def test_stop_help_and_safety_work_for_everyone(standing: Standing) -> None:
    here = Conversation("ready", standing)
    assert _said(_reply(here, "HELP")) == ["help"]
    assert _said(_reply(here, "I want to die")) == ["crisis"]
    assert _said(_reply(here, "I can't breathe")) == ["urgent"]
    assert _reply(here, "STOP").of(Suppress)


@pytest.mark.parametrize(("recent", "same"), [(REPLIES_PER_BURST + 1, 0), (0, IDENTICAL_TEXTS), (99, 99)])
@pytest.mark.parametrize("standing", list(Standing))
def test_a_machine_like_sender_is_not_answered(recent: int, same: int, standing: Standing) -> None:
    taken = _reply(Conversation("menu", standing), "Does it hurt?", recent=recent, same=same)
    assert (_said(taken), _tasks(taken)) == ([], ["loop"])
    assert taken.of(Note)
    assert taken.conversation == Conversation("menu", standing)


@pytest.mark.parametrize("standing", list(Standing))
def test_who_asks_too_fast_is_told_so_once_if_he_is_a_patient(standing: Standing) -> None:
    taken = _reply(Conversation("menu", standing), "Does it hurt?", recent=REPLIES_PER_BURST)
    assert _said(taken) == (["too_many"] if standing is Standing.PATIENT else [])
    assert _tasks(taken) == ["loop"]


def test_an_answer_or_a_command_counts_however_fast_he_texts() -> None:
    assert _said(_reply(Conversation("confirm"), "C", recent=99)) == ["confirmed"]
    assert _tasks(_reply(Conversation("ready"), "R", recent=99)) == ["reschedule"]


def test_the_same_cry_again_and_again_is_told_to_people_and_no_more_answered() -> None:
    taken = _reply(Conversation("ready"), "If this is an emergency call 911", recent=99, same=IDENTICAL_CRIES)
    assert (_said(taken), _tasks(taken)) == ([], ["urgent"])


def test_one_text_below_the_limits_is_still_answered() -> None:
    assert _said(_reply(Conversation("menu"), "1", recent=REPLIES_PER_BURST - 1, same=IDENTICAL_TEXTS - 1)) == ["prep"]


@pytest.mark.parametrize(("body", "key"), [("HELP", "help"), ("STOP", "stopped"), ("I want to die", "crisis"),
                                           ("I can't breathe", "urgent")])  # fmt: skip
def test_the_loop_guard_never_applies_to_stop_help_and_safety(body: str, key: str) -> None:
    assert _said(_reply(Conversation("ready"), body, recent=1000, same=IDENTICAL_CRIES - 1)) == [key]


def test_start_works_in_a_burst() -> None:
    assert _reply(Conversation("ready", Standing.STOPPED), "START", recent=1000, same=1000).of(Resubscribe)


def test_a_stop_with_a_wrong_number_is_confirmed_once_and_ends_frozen() -> None:
    taken = _reply(Conversation("ready"), "wrong number, stop texting me")
    assert taken.conversation.standing is Standing.FROZEN
    assert taken.of(Suppress)
    assert len(_said(taken)) == 1
    assert Safety.WRONG_NUMBER in route("wrong number, stop texting me", Context()).safety
