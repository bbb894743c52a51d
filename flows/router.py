"""Free text to an approved topic: `route(text, context) -> Decision`.

A keyword router behind the final signature: it answers when one topic clearly leads, offers up to three when several
do, and otherwise says that it does not know. It never guesses, and it never sees the open question: the engine asks it
only when the question did not take the text.
"""

import re
from dataclasses import dataclass

from flows.model import Decision
from flows.safety import safety
from flows.words import plain


@dataclass(frozen=True)
class Context:
    """What routing may depend on beside the words."""

    language: str = "en"


# topic -> phrases; a phrase counts its words, so that "bone scan" outweighs "scan".
_PHRASES: dict[str, tuple[str, ...]] = {
    "what_is": ("what is a psma", "what is psma pet", "what is this scan", "what is the scan", "what is a pet", "what kind of scan", "about the scan", "explain the scan"),
    "vs_ct_bone": ("ct", "cat scan", "bone scan", "mri", "better than", "other scan", "older scan", "regular scan"),
    "accuracy": ("accurate", "accuracy", "how good", "reliable", "how exact", "sensitivity", "specificity", "trust the scan"),
    "when_ordered": ("why do i need", "why was it ordered", "when do doctors order", "why this scan", "why the scan", "why am i getting", "right for me", "why did my doctor order"),
    "psa_level": ("psa level", "psa number", "what psa", "psa cutoff", "psa high enough", "psa too low", "my psa is"),
    "radiation_safety": ("radiation", "radioactive", "is it safe", "dangerous", "safe"),
    "prep": ("prepare", "preparation", "get ready", "prep", "instructions", "what do i do before", "do before"),
    "food_drink": ("eat", "drink", "food", "fast", "fasting", "coffee", "breakfast", "water", "alcohol", "beer", "lunch", "dinner"),
    "medications": ("medicine", "medicines", "medication", "medications", "meds", "pills", "pill", "metformin", "insulin", "blood thinner", "lupron", "blood pressure", "tablets"),
    "scan_day": ("what happens", "on the day", "during the scan", "the steps", "what will they do", "how does it go"),
    "duration": ("how long", "long does it take", "how much time", "hours will", "take long"),
    "hurt": ("hurt", "hurts", "painful", "pain", "needle", "sting", "does it hurt"),
    "around_others": ("grandkids", "grandchildren", "grandson", "granddaughter", "pregnant", "baby", "kids", "children", "wife", "dog", "near people", "around people", "hug"),
    "after_scan": ("after the scan", "afterwards", "go back to work", "golf", "exercise", "after my scan", "after the visit"),
    "results_timing": ("when do i get", "when will i get", "how soon", "results", "when will i hear", "when do i hear", "how long for results", "portal"),
    "positive_meaning": ("positive mean", "psma positive", "positive result", "if it is positive", "positive scan"),
    "negative_meaning": ("negative mean", "negative scan", "clear scan", "all clear", "if it is negative", "nothing shows"),
    "false_positive": ("wrong", "false positive", "mistake", "hot spot", "false alarm", "always cancer"),
    "theranostics": ("pluvicto", "theranostics", "treatment choice", "lutetium", "radioligand", "decide treatment", "targeted therapy", "guide treatment"),
    "questions_to_ask": ("questions to ask", "what should i ask", "ask my doctor", "ask the doctor"),
    "location_arrival": ("where", "address", "parking", "park", "what time", "directions", "when is my", "when should i arrive", "location"),
    "reschedule": ("reschedule", "cancel my", "cancel the", "change my appointment", "change the appointment", "another day", "different day", "move my", "can not make it", "cannot make it", "cant make it", "can't make it"),
    "running_late": ("running late", "be late", "stuck in traffic", "im late", "i am late", "i'm late", "on my way but"),
    "contact_human": ("call me", "talk to someone", "talk to a person", "speak to", "speak with", "real person", "phone number", "a nurse", "human being"),
    "about_service": ("who is this", "who are you", "are you a bot", "is this a robot", "how did you get my number", "privacy", "real person texting"),
    "confirm": ("i will be there", "see you there", "ill be there", "i'll be there", "i will come"),
    "smalltalk": ("thanks", "thank you", "hello", "hi", "good morning", "good afternoon", "ok", "okay", "great", "got it", "thx", "ty", "hey"),
}  # fmt: skip
# Topics whose facts stand in another topic's text, because the site's own instructions hold them.
_TOLD_BY = {"food_drink": "prep", "duration": "scan_day"}
# Found as whole words: `plain()` text has single spaces between words and nothing else.
_WEIGHTED = [
    (topic, [(f" {phrase} ", len(phrase.split())) for phrase in phrases]) for topic, phrases in _PHRASES.items()
]
_ORDER = {topic: place for place, topic in enumerate(_PHRASES)}
_EMOJI_ONLY = re.compile(r"^\W+$")


def told_by(topic: str) -> str:
    """The text that answers `topic`; its own unless another one holds its facts."""
    return _TOLD_BY.get(topic, topic)


def route(text: str, context: Context) -> Decision:
    """Decide what to do with `text`: tier, topics (best first), and every safety route it takes.

    `context` is what later routers weigh beside the words; keywords are the same in every language so far.
    """
    del context
    found = safety(text)
    words = f" {plain(text)} "
    scores: dict[str, int] = {}
    for topic, phrases in _WEIGHTED:
        score = sum(weight for phrase, weight in phrases if phrase in words)
        if score:
            scores[topic] = score
    if len(scores) > 1:  # a greeting before a question is only a greeting
        scores.pop("smalltalk", None)
    if not scores and text.strip() and _EMOJI_ONLY.match(text.strip()) and "?" not in text:
        scores["smalltalk"] = 1
    ranked = sorted(scores, key=lambda topic: (-scores[topic], _ORDER[topic]))
    topics = tuple(dict.fromkeys(ranked))[:3]
    if found:
        return Decision("safety", topics, found)
    if not topics:
        return Decision("unknown")
    if len(topics) > 1 and scores[topics[0]] == scores[topics[1]]:
        return Decision("choose", topics)
    return Decision("answer", topics[:1])
