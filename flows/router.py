"""Free text to approved topics: `route(text, context) -> Decision`. Deterministic, offline, about two milliseconds.

Exact words first; then the reviewed rules, of safety and of whether he comes (flows/coming.py); then the trained detectors
in two strengths, of which the hard one takes the route and the soft one only puts the line that helps before the answer;
then topics: answered where the gate is sure, offered as a numbered choice where the right one is probably among three, and
otherwise an honest "I do not know".
It never sees the open question: the engine asks it only when the question did not take the text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flows.coming import could_be_giving_up, in_doubt, said, says_no
from flows.encoder import Heads, Scores, heads
from flows.features import parts_of
from flows.model import Decision, Safety
from flows.safety import CONFIRM_WORDS, HELP_WORDS, NO_WORDS, safety, too_few_to_leave
from flows.words import plain


@dataclass(frozen=True)
class Context:
    """What routing may depend on beside the words."""

    language: str = "en"


@dataclass(frozen=True)
class Thresholds:
    """Where a score becomes an action. Chosen on the tuning split (`make eval`), never on the blind one."""

    answer: float  # sure at least this much: the approved text
    choose: float  # probably among three: the choice
    service: float  # the same for a topic of SERVICE, which tells no fact: a person is asked, or nothing is lost
    part: float  # each half of a two-part text must be this sure
    hard: dict[str, float]  # by safety kind: the route is taken
    reading: float  # his own result, where the first topic is one that would be taken as a reading of it
    leave: float  # opt-out and wrong number together: nothing more to this number; which of the two, the likelier says
    soft: dict[str, float]  # by safety kind: only the line that helps


WITH_ENCODER = Thresholds(
    answer=0.845,
    choose=0.15,
    part=0.84,
    service=0.77,
    hard={"crisis": 0.52, "urgent": 0.50, "results_personal": 0.42},
    reading=0.18,
    leave=0.30,
    soft={"crisis": 0.15, "urgent": 0.15},
)
ALONE = Thresholds(
    answer=0.845,
    choose=0.15,
    part=0.84,
    service=0.77,
    hard={"crisis": 0.48, "urgent": 0.42, "results_personal": 0.42},
    reading=0.18,
    leave=0.30,
    soft={"crisis": 0.12, "urgent": 0.15},
)
UNKNOWN = "unknown"
NO_TOPIC = frozenset({UNKNOWN, "crisis", "urgent", "opt_out", "wrong_number", "results_personal"})
SERVICE = frozenset({"confirm", "reschedule", "running_late", "contact_human", "smalltalk"})
# Never beside a refusal to read his own result: a fact about results would be taken as the reading.
ABOUT_RESULTS = frozenset({"positive_meaning", "negative_meaning", "report_terms", "false_positive", "accuracy",
                           "psa_level", "recurrence", "staging", "small_spread", "theranostics", "next_steps"})  # fmt: skip
LEAVING = frozenset({Safety.OPT_OUT, Safety.WRONG_NUMBER, Safety.DIED})
KINDS = {
    "crisis": Safety.CRISIS,
    "urgent": Safety.URGENT,
    "results_personal": Safety.RESULTS,
}
# A part that asks something says so; only then is it worth weighing by itself.
ASKS = re.compile(
    r"\b(?:what|when|where|who|why|how|which|can|could|do|does|did|is|are|will|would|should|may|tell|need|que|cuando|donde|"
    r"quien|como|cual|cuanto|cuanta|puedo|puede|hay|tengo|debo|necesito|duele|es|va)\b"
)
SPANISH, ENGLISH, WORDS_TO_TELL = 0.9, 0.1, 3
NOT_LISTED = frozenset({"contact_human"})  # every choice ends with "0 A person"


def route(text: str, context: Context) -> Decision:
    """Decide what to do with `text`: tier, topics (best first), and every safety route it takes."""
    words = plain(text)
    if not words:
        return Decision("answer", ("smalltalk",)) if text.strip(" ?\n\t") else Decision("unknown")
    if words.isdigit() or words in NO_WORDS:  # means what the open question says, and where none is open nothing
        return Decision("unknown")
    if words in HELP_WORDS:
        return Decision("answer", ("contact_human",))
    if words in CONFIRM_WORDS:
        return Decision("answer", ("confirm",))
    model = heads()
    levels = WITH_ENCODER if model.encoder else ALONE
    parts = _questions(model, text)
    scores, *of_parts = _scores(model, (text, *parts))
    ruled = safety(text)
    settled = bool(ruled & LEAVING) or (too_few_to_leave(text) and not model.known(text))
    found = ruled | _sensed(scores, levels, settled=settled)
    caution = tuple(
        kind for kind, level in levels.soft.items() if scores.safety[kind] >= level and KINDS[kind] not in found
    )
    if could_be_giving_up(text) and not {Safety.CRISIS} & found and "crisis" not in caution:
        caution = ("crisis", *caution)
    language = _language(scores, words)
    if found:
        return Decision("safety", _beside(found, scores, levels), found, caution, language, found - ruled)
    doubt = not model.known(text) and in_doubt(text)
    tier, topics = _act(scores, of_parts, levels, no=doubt and says_no(text), doubt=doubt)
    return Decision(tier, topics, frozenset(), caution, language)


def _scores(model: Heads, texts: Sequence[str]) -> list[Scores]:
    """The heads' scores of each text; where a rule or a phrasing says the very same, its class and for sure."""
    known = [said(text) or model.known(text) for text in texts]
    weighed = iter(model.scores([text for text, sure in zip(texts, known, strict=True) if not sure]))
    return [
        model.settled(text, sure, answerable=sure not in NO_TOPIC) if sure else next(weighed)
        for text, sure in zip(texts, known, strict=True)
    ]


def _sensed(scores: Scores, levels: Thresholds, *, settled: bool) -> set[Safety]:
    """The routes that the detectors take by themselves.

    To stop texting a man who did not ask for it is a harm too: for that the topic heads must agree, and nothing is added
    where it is `settled`: a rule has already told which way he leaves, or so few words are no wish to leave.
    """
    found = {KINDS[kind] for kind, level in levels.hard.items() if scores.safety[kind] >= level}
    if scores.topics[0][0] in ABOUT_RESULTS and scores.safety["results_personal"] >= levels.reading:
        found.add(Safety.RESULTS)
    stop, wrong = scores.safety["opt_out"], scores.safety["wrong_number"]
    if not settled and scores.topics[0][0] in ("opt_out", "wrong_number") and stop + wrong >= levels.leave:
        found.add(Safety.OPT_OUT if stop >= wrong else Safety.WRONG_NUMBER)
    return found


def ranked(text: str) -> tuple[str, ...]:
    """Every topic an answer exists for, best first: what a choice is made from."""
    (scores,) = heads().scores((text,))
    known = heads().known(text)
    return tuple(sorted(_topics(scores), key=lambda topic: topic != known))


def _topics(scores: Scores) -> tuple[str, ...]:
    return tuple(topic for topic, _ in scores.topics if topic not in NO_TOPIC)


def _act(
    scores: Scores, of_parts: Sequence[Scores], levels: Thresholds, *, no: bool, doubt: bool
) -> tuple[str, tuple[str, ...]]:
    """Answer, choose, or say that it is not known. Where there is a `no` or `doubt` that he comes, nothing books him."""
    two = _two_answers(of_parts, levels)
    if two and not (doubt and "confirm" in two):
        return "answer", two
    best = _topics(scores)
    first = scores.topics[0][0]
    if doubt and first == "confirm":
        return ("choose", _listed(("reschedule", *best), doubt=doubt)) if no else (UNKNOWN, ())
    enough = levels.service if first in SERVICE else levels.answer
    if scores.sure >= enough and first not in NO_TOPIC:
        return "answer", best[:1]
    if scores.among >= levels.choose:
        return "choose", _listed(best, doubt=doubt)
    return UNKNOWN, ()


def _listed(best: Sequence[str], *, doubt: bool) -> tuple[str, ...]:
    """The three to choose from."""
    hidden = NOT_LISTED | {"confirm"} if doubt else NOT_LISTED
    return tuple(dict.fromkeys(topic for topic in best if topic not in hidden))[:3]


def _questions(model: Heads, text: str) -> tuple[str, ...]:
    """The parts of a text in which, seen at a glance, two questions are that have answers; else none."""
    parts = parts_of(text)
    if sum(ASKS.search(plain(part)) is not None for part in parts) < 2:
        return ()
    thought = {model.glance(part) for part in parts} - {"smalltalk"}
    return () if len(thought) < 2 or thought & NO_TOPIC else parts


def _two_answers(of_parts: Sequence[Scores], levels: Thresholds) -> tuple[str, ...]:
    """The two topics of parts that each ask one thing for sure; a greeting or a thank-you is no part."""
    asked: list[str] = []
    for scores in of_parts:
        first = scores.topics[0][0]
        if first == "smalltalk":
            continue
        if scores.sure < levels.part or first in NO_TOPIC:
            return ()
        if first not in asked:
            asked.append(first)
    return tuple(asked) if len(asked) == 2 else ()


def _beside(found: frozenset[Safety] | set[Safety], scores: Scores, levels: Thresholds) -> tuple[str, ...]:
    """What would be answered as well, for those who look; never about results where he asks of his own."""
    if scores.sure < levels.answer:
        return ()
    best = _topics(scores)[:1]
    return () if Safety.RESULTS in found and set(best) & ABOUT_RESULTS else best


def _language(scores: Scores, words: str) -> str:
    if len(words.split()) < WORDS_TO_TELL:
        return ""
    return "es" if scores.spanish >= SPANISH else "en" if scores.spanish <= ENGLISH else ""
