"""The conversation as a pure function: `step(script, conversation, event)` -> the next conversation and its effects.

Order matters and is the design (DESIGN 5): safety first (flows/first.py), every kind that matches; then HELP and START;
then the loop guard; then who he is to us; then his language; then the open question; then the commands; then topics.
Illegal input cannot happen: any text at all has a reply or a reason for silence. One event gives one step, and no step is
an event: a conversation cannot run in circles by itself.
"""

from dataclasses import replace

from flows import limits
from flows.first import safety_step
from flows.model import (
    ChooseVisit,
    Consent,
    Conversation,
    Decision,
    Effect,
    Event,
    Freeze,
    Keywords,
    Note,
    OpenTask,
    Safety,
    Say,
    Standing,
    Step,
    TextReceived,
    TouchpointDue,
)
from flows.moments import on_touchpoint
from flows.safety import CARRIER_HELP_WORDS, HELP_WORDS, LANGUAGE_WORDS, START_WORDS
from flows.script import NEXT, PENDING, SAME, Answer, Script
from flows.silence import URGENT_WORDS, in_a_loop, to_a_machine
from flows.which import OF_A_VISIT, STATE, ask_which, chosen, listed_anew, turned_to
from flows.wishes import in_his_language, speak, start
from flows.words import plain

TOLD = "told"  # a stranger has had the one neutral reply
_POLITE = frozenset({"please", "thanks", "thank", "you", "sir", "maam", "por", "favor", "gracias"})


def step(script: Script, conversation: Conversation, event: Event) -> Step:
    """Decide what `event` does. Pure: the same arguments give the same step."""
    match event:
        case TextReceived():
            conversation = _present(conversation)
            return in_his_language(conversation, event, _on_text(script, conversation, event))
        case TouchpointDue():
            return on_touchpoint(script, conversation, event)


def _present(before: Conversation) -> Conversation:
    """What was asked of a visit ahead is open no more once its hour has come."""
    if before.over and before.state in OF_A_VISIT - {STATE}:
        return replace(before, state="ready", attempts=0, reasked=False)
    return before


# A text -------------------------------------------------------------------------------------------------------------


def _on_text(script: Script, before: Conversation, event: TextReceived) -> Step:
    words = plain(event.body)
    event, safe = _safely(script, before, event)
    if safe:
        return to_a_machine(safe, event.identical_texts)
    carrier_answers = before.keywords in (Keywords.DEFAULT, Keywords.ADVANCED) or bool(event.opt_out_type)
    if words in HELP_WORDS:
        answered = carrier_answers and (words in CARRIER_HELP_WORDS or bool(event.opt_out_type))
        return Step(before, (Note("help"), *([] if answered else [Say("help", "general")])))
    if words in START_WORDS:
        return start(before, carrier_answers=carrier_answers)
    if in_a_loop(event.recent_texts, event.identical_texts, exact=is_exact(script, before, words)):
        many = event.recent_texts == limits.REPLIES_PER_BURST and event.identical_texts < limits.IDENTICAL_TEXTS
        told = [Say("too_many", "general")] if many and before.standing is Standing.PATIENT else []
        return Step(before, (Note("loop guard: not answered"), OpenTask("loop"), *told))
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


def _safely(script: Script, before: Conversation, event: TextReceived) -> tuple[TextReceived, Step | None]:
    """The event without what a detector only imagined, and the step of every safety route that it takes."""
    decision = event.decision
    if decision.sensed and is_exact(script, before, plain(event.body)):
        decision = replace(decision, safety=decision.safety - decision.sensed)
        event = replace(event, decision=decision)
    return event, safety_step(before, event.body, decision.safety, event.opt_out_type)


def late_step(script: Script, before: Conversation, event: TextReceived) -> Step:
    """A text that reached us late: safety is answered and a wish to stop holds; a person reads all the rest.

    Nothing else is said or done: the words were about a moment that has passed, an answer may be to a question that has
    been asked anew, and a START may be older than a STOP.
    """
    event, safe = _safely(script, before, event)
    cautious = event.decision if before.standing is Standing.PATIENT else replace(event.decision, caution=())
    taken = to_a_machine(safe, event.identical_texts) if safe else _cautious(cautious, Step(before, ()))
    language = event.decision.language
    kept = [e for e in taken.effects if not isinstance(e, Say) or e.key in URGENT_WORDS]
    return Step(taken.conversation, tuple(replace(e, language=language) if isinstance(e, Say) else e for e in kept))


def is_exact(script: Script, before: Conversation, words: str) -> bool:
    """Whether a text is, to the letter, an answer to the open question or a command: then it means nothing beside that.

    "No" to "is this visit yours" is no wish to die, whatever a detector makes of two letters. Rules still hold.
    """
    before = _present(before)
    state = script.states[before.state]
    known = words in HELP_WORDS | START_WORDS or _core(words) in LANGUAGE_WORDS
    return known or bool(
        _accepted(state.answers, _core(words), before.form)
        or (state.topics is None and _accepted(script.anywhere, _core(words), before.form))
    )


def _core(words: str) -> str:
    return " ".join(word for word in words.split() if word not in _POLITE) or words


def _on_patient_text(script: Script, before: Conversation, event: TextReceived, words: str) -> Step:
    state = script.states[before.state]
    core = _core(words)
    if core in LANGUAGE_WORDS:
        return speak(script, before, LANGUAGE_WORDS[core])
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
    if state.topics is not None:  # before he has said that the visit is his, little is answered and nothing offered
        allowed = tuple(topic for topic in decision.topics[:1] if topic in state.topics)
        decision = replace(decision, tier="answer" if allowed else "unknown", topics=allowed)
        if not allowed:
            return _wish(script, before, event.decision) or _failed(script, before, asked_something=False)
    if decision.tier == "answer":
        return _cautious(decision, _again(script, before, _answer(script, before, decision.topics)))
    if decision.tier == "choose":
        back = before.state if state.insists else before.back
        after = replace(before, state="choose", options=decision.topics, attempts=0, reasked=False, back=back)
        return _cautious(decision, Step(after, (Say("choose", before.form, decision.topics),)))
    asked = len(words.split()) > 3 or event.media or bool(decision.caution)
    return _cautious(decision, _failed(script, before, asked_something=asked))


def _wish(script: Script, before: Conversation, decision: Decision) -> Step | None:
    """Before he has said that the visit is his, nothing is told; but that he is late, or cannot come, reaches a person."""
    route = script.routes.get(decision.topics[0]) if decision.tier == "answer" and decision.topics else None
    tasks = tuple(e for e in route.effects if isinstance(e, OpenTask)) if route else ()
    if not tasks:
        return None
    return _cautious(decision, _again(script, before, Step(before, (Say("person_noted", before.form), *tasks))))


def _cautious(decision: Decision, taken: Step) -> Step:
    """Where a text might be a cry for help: the line that helps goes before the answer, and a person looks at it."""
    if not decision.caution:
        return taken
    lines = tuple(Say(f"caution_{kind}", "general") for kind in decision.caution)
    return Step(taken.conversation, (*lines, OpenTask("worry"), *taken.effects))


def _answer(script: Script, before: Conversation, topics: tuple[str, ...]) -> Step:
    """One topic, or the two of a two-part text in the order he asked."""
    here = before
    effects: tuple[Effect, ...] = ()
    for topic in topics:
        spoken = _say_topic(script, here, topic)
        here, effects = spoken.conversation, (*effects, *spoken.effects)
        if here.state in ("offer", "which"):  # this question waits for his answer; the rest he asks again
            break
    return Step(here, effects)


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
    if answer.visit:
        picked = chosen(before, after, answer.visit)
        if picked is None:
            return _failed(script, before, asked_something=False)
        topic, after, effects = before.pending, picked, (*effects, ChooseVisit(before.options[answer.visit - 1]))
    if answer.option:
        topic = before.options[answer.option - 1] if answer.option <= len(before.options) else ""
        if not topic:
            return _failed(script, before, asked_something=False)
    if answer.say == (PENDING,):
        topic, after = before.pending, replace(after, pending="")
    if answer.say == (NEXT,):
        return _next_page(script, before)
    if topic:
        spoken = _say_topic(script, after, topic)
        return _back(script, before, answer, Step(spoken.conversation, (*effects, *spoken.effects)))
    return Step(after, (*effects, *(Say(key, after.form) for key in answer.say)))


def _back(script: Script, before: Conversation, answer: Answer, taken: Step) -> Step:
    """After a choice among topics: return to the question that it interrupted, and ask it again; not where he settled it."""
    after = taken.conversation
    if before.state != "choose" or not before.back or after.state != "ready" or before.care_pause:
        return taken
    if not answer.option:
        return Step(replace(after, back=""), taken.effects)
    asks = script.states[before.back].asks
    return Step(replace(after, state=before.back, back="", reasked=True), (*taken.effects, Say(asks, after.form)))


def _say_topic(script: Script, before: Conversation, topic: str) -> Step:
    """Answer a topic, do what it is for, or first ask for permission to name the scan if it cannot be told discreetly."""
    asked = ask_which(script, before, topic)
    if asked:
        return asked
    turned = turned_to(script, before, topic)
    if turned:
        about_it, ref = turned
        spoken = _say_topic(script, about_it, topic)
        return Step(spoken.conversation, (ChooseVisit(ref), *spoken.effects))
    if before.over and topic == "confirm":  # there is nothing ahead to come to
        topic = "smalltalk"
    if topic in script.routes:
        return _take(script, before, script.routes[topic])
    if script.texts.sayable(topic, before.language, before.form):
        after = replace(before, more=script.texts.next_page(topic, before.language, before.form))
        return Step(after, (Say(topic, before.form),))
    return Step(
        replace(before, state="offer", pending=topic, attempts=0, reasked=False), (Say("offer_detail", before.form),)
    )


def _next_page(script: Script, before: Conversation) -> Step:
    """MORE: the next page of the answer given last, if it has one in the form that he may be sent now."""
    key = before.more
    if not key or not script.texts.sayable(key, before.language, before.form):
        return Step(replace(before, more=""), (Say("more_none", before.form),))
    after = replace(before, more=script.texts.next_page(key, before.language, before.form))
    return Step(after, (Say(key, before.form),))


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
            after = listed_anew(replace(before, attempts=before.attempts + 1))
            return Step(after, (Say(state.asks, before.form),))
        to = before.state if state.topics is not None else "ready"
        after = replace(before, state=to, attempts=0, reasked=False)
        return Step(after, (Say("handover", before.form), OpenTask("not_understood")))
    key = "unknown_again" if before.attempts and not state.asks else "unknown"
    after = before if state.asks else replace(before, attempts=1)
    return _again(script, before, Step(after, (Say(key, before.form), OpenTask("question"))))
