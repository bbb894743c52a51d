"""Prove the flow before anyone can talk to it: reachable, no dead end, every key exists, STOP and safety from anywhere."""

from flows.engine import TOLD, step
from flows.model import Conversation, Decision, Keywords, Reason, Safety, Say, Standing, Suppress, TextReceived
from flows.safety import safety
from flows.script import NEXT, PENDING, SAME, Answer, Script, ScriptError, located
from flows.which import STATE as WHICH
from messages.catalog import FORMS

# Every topic that the router may answer: DESIGN's list of topics, and an urgent kind of `location_arrival` of our own.
TOPICS = frozenset({
    "what_is", "psma_protein", "how_it_works", "tracer_names", "pet_ct_mri", "vs_ct_bone", "accuracy",
    "small_spread", "when_ordered", "staging", "recurrence", "psa_level", "prep", "food_drink", "medications",
    "wear_bring", "scan_day", "duration", "hurt", "claustrophobia", "lying_still", "companion", "implants",
    "allergy_kidney", "side_effects", "radiation_safety", "around_others", "after_scan", "driving", "results_timing",
    "positive_meaning", "negative_meaning", "false_positive", "report_terms", "theranostics", "next_steps",
    "questions_to_ask", "cost_insurance", "location_arrival", "reschedule", "contact_human", "about_service",
    "confirm", "smalltalk", "running_late",
})  # fmt: skip
ALWAYS = ("crisis", "urgent", "stopped", "stopped_cancel", "help", "started", "declined", "condolence", "stranger",
          "choose", "unknown", "unknown_again", "handover", "offer_detail", "fallback", "results_personal", "on_call",
          "caution_crisis", "caution_urgent", "language_set", "language_offer", "more_none", "guide_link",
          "which_visit", "too_many")  # fmt: skip


def prove(script: Script) -> None:
    """Raise ScriptError for the first thing that is not true of a sound flow, with its line."""
    try:
        _targets(script)
        _reachable(script)
        _keys(script)
        for state in script.states:
            _always_possible(script, state)
    except ScriptError as error:
        raise located(script.source, error) from None


def _answers(script: Script) -> list[tuple[str, Answer]]:
    own = [(f"states.{name}", answer) for name, state in script.states.items() for answer in state.answers]
    shared = [("anywhere", answer) for answer in script.anywhere]
    routed = [(f"routes.{topic}", answer) for topic, answer in script.routes.items()]
    return own + shared + routed


def _targets(script: Script) -> None:
    if script.start not in script.states:
        raise ScriptError(f"start: {script.start!r} is no state")
    for place, answer in _answers(script):
        if answer.to != SAME and answer.to not in script.states:
            raise ScriptError(f"{place}: goes to {answer.to!r}, which is no state: add it or mend the name")
    for name, touchpoint in script.touchpoints.items():
        if touchpoint.opens and touchpoint.opens not in script.states:
            raise ScriptError(f"touchpoints.{name}: opens {touchpoint.opens!r}, which is no state")
    for name, state in script.states.items():
        if state.insists and not state.asks:
            raise ScriptError(f"states.{name}: insists, so it needs `asks`")
        if state.topics is not None and all(answer.to in (name, SAME) for answer in state.answers):
            raise ScriptError(f"states.{name}: a dead end: no answer leads out of it")


def _reachable(script: Script) -> None:
    """From the start by answers, touchpoints and the engine's own moves to `offer`, `choose`, `which`, `told` and `ready`."""
    opened = {t.opens for t in script.touchpoints.values() if t.opens}
    reached = {script.start, "ready", "offer", "choose", WHICH, TOLD} | opened
    reached |= {answer.to for place, answer in _answers(script) if not place.startswith("states.")} - {SAME}
    while True:
        more = {answer.to for name in reached for answer in script.states[name].answers} - reached - {SAME}
        if not more:
            break
        reached |= more
    lost = script.states.keys() - reached
    if lost:
        raise ScriptError(f"states.{sorted(lost)[0]}: unreachable: lead to it or remove it")


def _keys(script: Script) -> None:
    used = [("always", key) for key in ALWAYS]
    used += [(f"states.{name}", state.asks) for name, state in script.states.items() if state.asks]
    for place, answer in _answers(script):
        used += [(place, key) for key in answer.say if key not in (PENDING, NEXT)] + (
            [(place, answer.topic)] if answer.topic and answer.topic not in script.routes else []
        )
    for name, touchpoint in script.touchpoints.items():
        keys = (*touchpoint.say, *touchpoint.folded, *touchpoint.done, *([touchpoint.ask] if touchpoint.ask else []))
        used += [(f"touchpoints.{name}", key.format(reason=reason)) for key in keys for reason in Reason]
    for place, key in used:
        for language, entries in script.texts.entries.items():
            if key not in entries:
                raise ScriptError(f"{place}: says {key!r}, which has no text in {language!r}: write it or mend the key")


def _always_possible(script: Script, state: str) -> None:
    """STOP suppresses, HELP answers and a cry for help is met in every state, in both forms."""
    for detail in (False, True):
        here = Conversation(state=state, detail=detail, keywords=Keywords.OURS)
        stopped = step(script, here, TextReceived("STOP", Decision("safety", safety=safety("STOP"))))
        if not stopped.of(Suppress) or stopped.conversation.standing is not Standing.STOPPED:
            raise ScriptError(f"states.{state}: STOP does not stop")
        if not step(script, here, TextReceived("HELP", Decision("unknown"))).of(Say):
            raise ScriptError(f"states.{state}: HELP is not answered")
        for kind in (Safety.CRISIS, Safety.URGENT):
            cry = step(script, here, TextReceived("?", Decision("safety", safety=frozenset({kind}))))
            if cry.effects[0] != Say(kind.value, here.form):
                raise ScriptError(f"states.{state}: {kind} does not come first")


def unanswered_topics(script: Script, topics: frozenset[str]) -> list[str]:
    """Topics without an approved text in some language; `answer` topics of the router must have none."""
    return sorted(
        topic
        for topic in topics
        if topic not in script.routes and any(topic not in entries for entries in script.texts.entries.values())
    )


def forms_of(script: Script, key: str, language: str) -> tuple[str, ...]:
    """The forms in which `key` can be said; the diagram and the proof pack list them."""
    return tuple(form for form in FORMS if script.texts.sayable(key, language, form))
