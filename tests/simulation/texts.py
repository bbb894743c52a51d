"""What patients text in the simulation: a fixed list, each with what it means and what a router makes of it.

The rules judge by `means`, written down here by hand, never by what the service made of a text. The real safety rules
decide beside the listed decision; topics are listed, because a trained model costs time and changes with its training.
"""

from dataclasses import dataclass, field

from flows.model import Decision, Safety
from flows.router import Context
from flows.safety import safety


@dataclass(frozen=True)
class Canned:
    """One text: its words, what it means to the rules, and what it is about."""

    body: str
    means: frozenset[str] = frozenset()
    tier: str = "unknown"
    topics: tuple[str, ...] = ()
    sensed: frozenset[Safety] = field(default=frozenset())
    caution: tuple[str, ...] = ()


def _means(body: str, *kinds: str) -> Canned:
    return Canned(body, frozenset(kinds))


def _asks(body: str, *topics: str) -> Canned:
    return Canned(body, tier="answer" if len(topics) == 1 else "choose", topics=topics)


ANSWERS = tuple(Canned(body) for body in ("1", "2", "3", "C", "R", "0", "5", "yes", "no", "MORE", "menu"))
CONSENT = tuple(Canned(body) for body in ("detail", "general", "espanol", "english", "guide"))
QUESTIONS = (
    _asks("does it hurt", "hurt"),
    _asks("what is this scan for", "what_is"),
    _asks("what does a positive result mean", "positive_meaning"),
    _asks("how do I get ready", "prep"),
    _asks("where do I park", "location_arrival"),
    _asks("is the radiation dangerous for my grandchildren", "around_others"),
    _asks("the drink and the tube, and how it is", "prep", "hurt", "what_is"),
    _asks("I need another day for my visit", "reschedule"),
    _asks("stuck in traffic, running late", "running_late"),
    _asks("can somebody call me", "contact_human"),
    _asks("thank you very much", "smalltalk"),
    Canned("what do my results mean"),
)
NONSENSE = (Canned("blorp"), Canned("qux zap florp grint"), Canned("???"), Canned("\U0001f44d"), Canned("x" * 700))
SAFETY = (
    _means("I want to die", "crisis"),
    _means("I can't breathe", "urgent"),
    _means("no quiero vivir", "crisis"),
    _means("I want to die and I can't breathe", "crisis", "urgent"),
    Canned("they would all have it easier", frozenset({"sensed"}), "safety", sensed=frozenset({Safety.CRISIS})),
    Canned("nothing is worth it lately", tier="unknown", caution=("crisis",)),
)
STOPS = (
    _means("STOP", "stop", "keyword"),
    _means("stop", "stop", "keyword"),
    _means("please stop texting me", "stop"),
    _means("no me manden mas mensajes", "stop"),
    _means("CANCEL", "stop", "keyword"),
    _means("Stop, I want to die", "stop", "crisis"),
    _means("STOP. I can't breathe", "stop", "urgent"),
)
KEYWORDS = (
    _means("START", "start", "keyword"),
    _means("UNSTOP", "start", "keyword"),
    _means("HELP", "help", "keyword"),
)
WRONG = (
    _means("wrong number", "wrong"),
    _means("you have the wrong person", "wrong"),
    _means("wrong number, and I can't breathe", "wrong", "urgent"),
    _means("wrong number, stop texting me", "wrong", "stop"),
)
DEATH = (_means("my husband died last week", "died"), _means("he passed away, please stop texting", "died", "stop"))

GROUPS = {
    "answers": ANSWERS,
    "consent": CONSENT,
    "questions": QUESTIONS,
    "nonsense": NONSENSE,
    "safety": SAFETY,
    "stops": STOPS,
    "keywords": KEYWORDS,
    "wrong": WRONG,
    "death": DEATH,
}
BY_BODY = {text.body: text for group in GROUPS.values() for text in group}


def route(body: str, context: Context) -> Decision:
    """The router's part, from the list."""
    known = BY_BODY[body]
    found = safety(body) | known.sensed
    if found:
        return Decision("safety", (), found, known.caution, sensed=known.sensed)
    return Decision(known.tier, known.topics, frozenset(), known.caution)


def broken(body: str, context: Context) -> Decision:
    """A router with a fault of its own."""
    raise RuntimeError("a fault of ours")
