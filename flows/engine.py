"""The conversation as a pure function: `step(script, conversation, event)` -> the next conversation and its effects.

Order matters and is the design (DESIGN 5): safety first, every kind that matches; then the loop guard; then HELP and
START; then who he is to us; then the open question; then the commands; then topics. Illegal input cannot happen: any
text at all has a reply or a reason for silence.
"""

from dataclasses import replace

from flows import limits
from flows.model import (
    Consent,
    Conversation,
    Effect,
    Event,
    Freeze,
    Keywords,
    Note,
    OpenTask,
    Resubscribe,
    Safety,
    Say,
    Standing,
    Step,
    StopPlans,
    Suppress,
    TextReceived,
    TouchpointDue,
)
from flows.router import told_by
from flows.safety import CANCEL_WORDS, CARRIER_HELP_WORDS, CARRIER_STOP_WORDS, HELP_WORDS, START_WORDS
from flows.script import PENDING, SAME, Answer, Script
from flows.words import plain

TOLD = "told"  # a stranger has had the one neutral reply
_POLITE = frozenset({"please", "thanks", "thank", "you", "sir", "maam", "por", "favor", "gracias"})


def step(script: Script, conversation: Conversation, event: Event) -> Step:
    """Decide what `event` does. Pure: the same arguments give the same step."""
    match event:
        case TextReceived():
            return _on_text(script, conversation, event)
        case TouchpointDue():
            return _on_touchpoint(script, conversation, event)


# Safety -------------------------------------------------------------------------------------------------------------


def safety_step(conversation: Conversation, body: str, found: frozenset[Safety], opt_out_type: str = "") -> Step | None:
    """The effects of every safety route that a text takes, or None if it takes none.

    Also used alone when the rest of a turn failed: a STOP or a cry for help must survive any bug.
    """
    words = plain(body)
    by_carrier = opt_out_type.upper() == "STOP"
    wants_stop = by_carrier or Safety.OPT_OUT in found
    effects: list[Effect] = []
    after = conversation
    for kind in (Safety.CRISIS, Safety.URGENT):
        if kind in found:
            effects += [Say(kind.value, conversation.form), OpenTask(kind.value)]
            after = replace(after, care_pause=True)
    spoke = bool(effects)
    if spoke and _carrier_blocks(conversation, wants_stop):
        effects.append(OpenTask("cannot_reach"))
    if wants_stop:
        stop_effects, after = _stop(after, words, by_carrier=by_carrier, spoke=spoke)
        effects += stop_effects
        spoke = True
    # After an opt-out or a wrong number he gets no more courtesies: only safety speaks.
    spoke = spoke or conversation.standing in (Standing.STOPPED, Standing.FROZEN)
    if Safety.WRONG_NUMBER in found:
        effects += [Freeze(), OpenTask("wrong_number"), *([] if spoke else [Say("declined", "general")])]
        after, spoke = replace(after, standing=Standing.FROZEN, state="ready"), True
    if Safety.DIED in found:
        effects += [StopPlans("died"), OpenTask("died"), *([] if spoke else [Say("condolence", "general")])]
    return Step(after, tuple(effects)) if effects else None


def _carrier_blocks(conversation: Conversation, stopping: bool) -> bool:
    """Whether the carrier will refuse to carry our reply, because it honours a STOP itself."""
    return conversation.keywords is not Keywords.OURS and (stopping or conversation.standing is Standing.STOPPED)


def _stop(before: Conversation, words: str, *, by_carrier: bool, spoke: bool) -> tuple[list[Effect], Conversation]:
    effects: list[Effect] = [Suppress("carrier keyword" if words in CARRIER_STOP_WORDS or by_carrier else "own words")]
    if words in CANCEL_WORDS:
        effects.append(OpenTask("cancel_or_stop"))
    answered = by_carrier or (words in CARRIER_STOP_WORDS and before.keywords is not Keywords.OURS)
    if not (answered or spoke or before.standing is Standing.STOPPED):
        may_mean_visit = words in CANCEL_WORDS and before.standing is Standing.PATIENT
        effects.append(Say("stopped_cancel" if may_mean_visit else "stopped", "general"))
    standing = Standing.FROZEN if before.standing is Standing.FROZEN else Standing.STOPPED
    return effects, replace(before, standing=standing, attempts=0)


# A text -------------------------------------------------------------------------------------------------------------


def _on_text(script: Script, before: Conversation, event: TextReceived) -> Step:
    safe = safety_step(before, event.body, event.decision.safety, event.opt_out_type)
    if safe:
        return safe
    words = plain(event.body)
    carrier_answers = before.keywords in (Keywords.DEFAULT, Keywords.ADVANCED) or bool(event.opt_out_type)
    if words in HELP_WORDS:
        answered = carrier_answers and (words in CARRIER_HELP_WORDS or bool(event.opt_out_type))
        return Step(before, (Note("help"), *([] if answered else [Say("help", "general")])))
    if words in START_WORDS:
        return _start(before, carrier_answers=carrier_answers)
    if event.recent_texts >= limits.REPLIES_PER_BURST or event.identical_texts >= limits.IDENTICAL_TEXTS:
        return Step(before, (Note("loop guard: not answered"), OpenTask("loop")))
    match before.standing:
        case Standing.STOPPED:
            return Step(before, (Note("wrote after opting out"), OpenTask("after_stop")))
        case Standing.FROZEN:
            return Step(before, (Note("wrote from a frozen number"), OpenTask("stranger")))
        case Standing.STRANGER:
            neutral = [] if before.state == TOLD else [Say("stranger", "general")]
            return Step(replace(before, state=TOLD, attempts=0), (OpenTask("stranger"), *neutral))
        case Standing.PATIENT:
            return _on_patient_text(script, before, event, words)


def _start(before: Conversation, *, carrier_answers: bool) -> Step:
    if before.standing is Standing.FROZEN:
        return Step(before, (Note("START from a frozen number"), OpenTask("stranger")))
    said = [] if carrier_answers else [Say("started", "general")]
    if before.standing is Standing.STOPPED:
        return Step(replace(before, standing=Standing.PATIENT, attempts=0), (Resubscribe(), *said))
    return Step(before, (Note("START while subscribed"), *said))


def _on_patient_text(script: Script, before: Conversation, event: TextReceived, words: str) -> Step:
    state = script.states[before.state]
    core = " ".join(word for word in words.split() if word not in _POLITE) or words
    answer = _accepted(state.answers, core, before.form)
    if answer:
        return _take(script, before, answer)
    if state.topics is None:
        answer = _accepted(script.anywhere, core, before.form)
        if answer:
            return _take(script, before, answer)
    if Safety.RESULTS in event.decision.safety and state.topics is None:
        return _again(script, before, Step(before, (Say("results_personal", before.form),)))
    return _on_topics(script, before, event, words)


def _accepted(answers: tuple[Answer, ...], words: str, form: str) -> Answer | None:
    return next((a for a in answers if words in a.words and a.form in ("", form)), None)


def _on_topics(script: Script, before: Conversation, event: TextReceived, words: str) -> Step:
    state, decision = script.states[before.state], event.decision
    if state.topics is not None and not (decision.topics and decision.topics[0] in state.topics):
        return _failed(script, before, asked_something=False)
    if decision.tier == "answer":
        route = script.routes.get(decision.topics[0])
        if route:
            return _again(script, before, _take(script, before, route))
        return _again(script, before, _say_topic(script, before, decision.topics[0]))
    if decision.tier == "choose":
        after = replace(before, state="choose", options=decision.topics, attempts=0, reasked=False)
        return Step(after, (Say("choose", before.form, decision.topics),))
    return _failed(script, before, asked_something=len(words.split()) > 3 or event.media)


def _take(script: Script, before: Conversation, answer: Answer) -> Step:
    """Carry out an accepted answer: consent first, so that what is said next already has the new form."""
    to = before.state if answer.to == SAME else answer.to
    detail = next((e.given for e in answer.effects if isinstance(e, Consent) and e.kind == "detail"), before.detail)
    after = replace(before, state=to, detail=detail, attempts=0, reasked=False)
    asked = script.states[before.state].asks
    effects = tuple(replace(e, text_key=asked) if isinstance(e, Consent) else e for e in answer.effects)
    if any(isinstance(effect, Freeze) for effect in effects):
        after = replace(after, standing=Standing.FROZEN)
    topic = answer.topic
    if answer.option:
        topic = before.options[answer.option - 1] if answer.option <= len(before.options) else ""
        if not topic:
            return _failed(script, before, asked_something=False)
    if answer.say == (PENDING,):
        topic, after = before.pending, replace(after, pending="")
    if topic:
        spoken = _say_topic(script, after, topic)
        return Step(spoken.conversation, (*effects, *spoken.effects))
    return Step(after, (*effects, *(Say(key, after.form) for key in answer.say)))


def _say_topic(script: Script, before: Conversation, topic: str) -> Step:
    """Answer a topic, or first ask for permission to name the scan if it cannot be told discreetly."""
    key = told_by(topic)
    if script.texts.sayable(key, before.language, before.form):
        return Step(before, (Say(key, before.form),))
    return Step(
        replace(before, state="offer", pending=topic, attempts=0, reasked=False), (Say("offer_detail", before.form),)
    )


def _again(script: Script, before: Conversation, taken: Step) -> Step:
    """After a digression ask the open question again, once."""
    state, after = script.states[before.state], taken.conversation
    asks_already = after.pending != before.pending
    if after.state != before.state or not state.insists or before.reasked or before.care_pause or asks_already:
        return taken
    return Step(replace(after, reasked=True), (*taken.effects, Say(state.asks, after.form)))


def _failed(script: Script, before: Conversation, *, asked_something: bool) -> Step:
    """Nothing matched: a failed answer to an open question, or a question that no approved text answers."""
    state = script.states[before.state]
    if state.asks and not asked_something and not before.care_pause:
        if before.attempts + 1 < limits.ATTEMPTS:
            return Step(replace(before, attempts=before.attempts + 1), (Say(state.asks, before.form),))
        to = before.state if state.topics is not None else "ready"
        after = replace(before, state=to, attempts=0, reasked=False)
        return Step(after, (Say("handover", before.form), OpenTask("not_understood")))
    return _again(script, before, Step(before, (Say("unknown", before.form), OpenTask("question"))))


# A planned moment ---------------------------------------------------------------------------------------------------


def _on_touchpoint(script: Script, before: Conversation, event: TouchpointDue) -> Step:
    """Say a touchpoint and what is folded into it, as one text; open its question unless he needs care first."""
    lead = script.touchpoints[event.touchpoint]
    keys = [key.format(reason=before.reason) for key in (lead.done if event.done else lead.say)]
    for name in event.merged:
        keys += [key.format(reason=before.reason) for key in script.touchpoints[name].folded]
    sayable = [key for key in keys if script.texts.sayable(key, before.language, before.form)]
    if not sayable:
        return Step(before, (Note("not said: he chose general texts, and this cannot be told discreetly"),))
    if lead.ask and not before.care_pause:
        sayable.append(lead.ask)
    after = before
    if lead.opens and not before.care_pause:
        after = replace(before, state=lead.opens, attempts=0, reasked=False, options=(), pending="")
    return Step(after, tuple(Say(key, before.form) for key in sayable))
