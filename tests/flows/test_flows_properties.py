"""For any text, state, standing and form: never an exception, never silence without a reason, never a way to be stuck."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.check import TOPICS as ALL_TOPICS
from flows.engine import step
from flows.first import safety_step
from flows.model import (
    Conversation,
    Keywords,
    Note,
    OpenTask,
    Reason,
    Resubscribe,
    Safety,
    Say,
    Standing,
    Step,
    Suppress,
    TextReceived,
    TouchpointDue,
)
from flows.router import Context, route
from flows.safety import STOP_WORDS, safety
from flows.shipped import script
from flows.words import plain
from training.phrasings import SAFETY, UNKNOWN, collect, sources

STATES = sorted(script().states)
TOPICS = sorted(ALL_TOPICS)
WORDS = sorted({word for state in script().states.values() for answer in state.answers for word in answer.words})
PHRASES = sorted(p.text for p in collect(sources(), ALL_TOPICS | {*SAFETY, UNKNOWN}))[::37]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(WORDS),
    st.sampled_from(["menu", "STOP", "START", "HELP", "details", "general", "c", "r", "person", "0", "9", "", "zzz"]),
    st.lists(st.sampled_from(PHRASES + WORDS), max_size=4).map(" ".join),
    st.sampled_from(["I want to die", "stop texting me", "wrong number", "he died", "my chest hurts", "has it spread"]),
)
CONVERSATIONS = st.builds(
    Conversation,
    state=st.sampled_from(STATES),
    standing=st.sampled_from(list(Standing)),
    detail=st.booleans(),
    reason=st.sampled_from(list(Reason)),
    attempts=st.integers(0, 1),
    reasked=st.booleans(),
    options=st.lists(st.sampled_from(TOPICS), max_size=3, unique=True).map(tuple),
    pending=st.sampled_from(TOPICS),
    care_pause=st.booleans(),
    keywords=st.sampled_from(list(Keywords)),
)
TAGS = st.sampled_from(["", "", "STOP", "START", "HELP", "nonsense"])


def _reply(conversation: Conversation, body: str, tag: str = "", recent: int = 0) -> Step:
    return step(script(), conversation, TextReceived(body, route(body, Context()), tag, recent_texts=recent))


def _sound(before: Conversation, taken: Step) -> None:
    """What holds of any step: words that exist in the form they are said in, and a state that exists."""
    after = taken.conversation
    assert after.state in script().states
    assert (after.language, after.reason, after.keywords) == (before.language, before.reason, before.keywords)
    for effect in taken.effects:
        if isinstance(effect, Say):
            assert script().texts.sayable(effect.key, after.language, effect.form), effect
            assert after.detail or effect.form == "general", "detailed words to one who did not agree"


@given(CONVERSATIONS, TEXTS, TAGS, st.sampled_from([0, 0, 50]))
@settings(max_examples=400, deadline=None)
def test_any_text_is_answered_or_has_a_reason_for_silence(
    before: Conversation, body: str, tag: str, recent: int
) -> None:
    taken = _reply(before, body, tag, recent)
    _sound(before, taken)
    assert any(isinstance(effect, Say | Note | OpenTask | Suppress | Resubscribe) for effect in taken.effects)
    assert taken == _reply(before, body, tag, recent)


@given(CONVERSATIONS, st.sampled_from(sorted(STOP_WORDS)), TAGS, st.sampled_from([0, 999]))
@settings(deadline=None)
def test_a_stop_word_stops_from_anywhere(before: Conversation, body: str, tag: str, recent: int) -> None:
    taken = _reply(before, body.upper() + " ", tag, recent)
    wanted = Standing.FROZEN if before.standing is Standing.FROZEN else Standing.STOPPED
    assert taken.conversation.standing is wanted
    assert len(taken.of(Suppress)) == 1


@given(CONVERSATIONS, TEXTS, TAGS)
@settings(max_examples=300, deadline=None)
def test_only_start_or_unstop_ever_brings_the_texts_back(before: Conversation, body: str, tag: str) -> None:
    stopped = replace(before, standing=Standing.STOPPED)
    taken = _reply(stopped, body, tag)
    if plain(body) not in ("start", "unstop") or tag == "STOP":
        assert not taken.of(Resubscribe)
        assert taken.conversation.standing is not Standing.PATIENT


@given(CONVERSATIONS, TEXTS, st.sets(st.sampled_from(list(Safety))))
@settings(max_examples=200, deadline=None)
def test_safety_words_come_first_whatever_else_a_text_says(before: Conversation, body: str, kinds: set[Safety]) -> None:
    found = frozenset(kinds) | safety(body)
    taken = safety_step(before, body, found)
    if taken is None:
        assert found <= {Safety.RESULTS}
        return
    _sound(before, taken)
    urgent = [kind for kind in (Safety.CRISIS, Safety.URGENT) if kind in found]
    firsts = [effect for kind in urgent for effect in (Say(kind.value, before.form), OpenTask(kind.value))]
    assert list(taken.effects[: len(firsts)]) == firsts
    assert len(taken.of(Say)) <= max(1, len(urgent))
    assert taken.conversation.care_pause == (before.care_pause or bool(urgent))


MERGED = st.lists(st.sampled_from(["tomorrow", "today", "after", "about"]), unique=True, max_size=3)


@given(CONVERSATIONS, st.sampled_from(sorted(script().touchpoints)), MERGED, st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_planned_moment_is_said_or_has_a_reason(
    before: Conversation, touchpoint: str, merged: list[str], done: bool
) -> None:
    taken = step(script(), before, TouchpointDue(touchpoint, tuple(merged), done))
    _sound(before, taken)
    assert taken.of(Say) or taken.of(Note)
    assert taken.conversation.standing is before.standing


DUE = st.sampled_from([name for name in sorted(script().touchpoints) if not name.startswith("invite")])


@given(st.lists(TEXTS | DUE.map(TouchpointDue), max_size=12), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_patient_is_never_stuck_whatever_he_said_before(events: list[str | TouchpointDue], detail: bool) -> None:
    here = Conversation("ready", detail=detail)
    for event in events:
        taken = _reply(here, event) if isinstance(event, str) else step(script(), here, event)
        _sound(here, taken)
        if taken.conversation.standing is Standing.PATIENT:
            here = taken.conversation
    menu = _reply(here, "MENU")
    which = "results_menu" if here.state in ("results", "results_menu") else "menu"
    assert menu.effects == (Say(which, here.form),)
    assert menu.conversation.state == which
    assert OpenTask("contact_human") in _reply(menu.conversation, "0").effects


@given(st.lists(TEXTS, max_size=8))
@settings(max_examples=100, deadline=None)
def test_an_invited_man_can_always_still_say_yes_or_no(bodies: list[str]) -> None:
    here = Conversation("invited")
    for body in bodies:
        after = _reply(here, body).conversation
        if after.standing is Standing.PATIENT and after.state == "invited":
            here = after
    assert _reply(here, "1").conversation.state == "detail"
    assert _reply(here, "2").conversation.standing is Standing.FROZEN
