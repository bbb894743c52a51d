"""How a patient comes to each text, and which texts answer a topic: for the proof pack and the coverage of the guide.

Everything is read off the script's own data. Only what the engine says by itself (safety, STOP, "I do not know") has its
occasion written down here, and a test fails for a text that nobody can reach.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flows.check import TOPICS
from flows.limits import ATTEMPTS, BURST, REPLIES_PER_BURST
from flows.model import Reason
from flows.script import NEXT, PENDING, Answer, Script
from messages.catalog import LANGUAGES, MORE, Entry, first_page
from service.wording import MAY_BE_UNSET

# Said by the engine on its own (flows/first.py, flows/engine.py), so no flow data tells the occasion.
EVENTS: Mapping[str, str] = {
    "crisis": "he writes of despair or self-harm: at once, at any hour, whatever is open",
    "urgent": "he writes of an urgent symptom: at once, at any hour, whatever is open",
    "caution_crisis": "his words may be a cry for help: this line goes before the answer",
    "caution_urgent": "his words may be about a new or worse symptom: this line goes before the answer",
    "stopped": "STOP, or a wish to stop in any words",
    "stopped_cancel": "CANCEL or CANCELAR alone",
    "help": "HELP",
    "started": "START",
    "declined": "he says that the number is not the patient's",
    "condolence": "somebody writes that the patient has died",
    "stranger": "a text from a number without a current visit; said once",
    "choose": "his words may mean several topics",
    "unknown": "no approved text answers his words",
    "too_many": f"more than {REPLIES_PER_BURST} texts within {BURST.seconds // 60} minutes; said once",
    "unknown_again": "no approved text answers his words, for the second time in a row",
    "handover": f"{ATTEMPTS} answers in a row that do not fit the open question",
    "offer_detail": "in general mode he asks what cannot be told discreetly",
    "fallback": "our own software failed while answering him",
    "results_personal": "he asks what his own results mean",
    "on_call": "to the clinic's on-call contact, never to a patient: an urgent task is open",
    "language_set": "ENGLISH or ESPA\u00d1OL",
    "language_offer": "he writes in another language; said once",
    "more_none": f"{MORE['en']} / {MORE['es']} when nothing further is written",
}
_REASON = "{reason}"
ON_PAGE = "page_"  # headings and captions of the guide as a page (service/guide_page.py)


@dataclass(frozen=True)
class Way:
    """One way to a text: its kind (planned, asked, reply, more, event, part, or `number:<state>`) and the words for it."""

    kind: str
    words: str


# How a patient comes to a text -----------------------------------------------------------------------------------------


def cue(script: Script, answer: Answer, state: str = "") -> str:
    """The word to show for an answer: one that the question itself names, else the shortest."""
    texts = script.texts.entries[LANGUAGES[0]]
    keys = set(_asked_by(script, state)) if state else texts.keys()
    named = {word.lower() for key in keys for word in _cues(texts[key])}
    return min(answer.words, key=lambda word: (word not in named, len(word), word)).upper()


def _cues(entry: Entry) -> set[str]:
    return {word for body in entry.bodies.values() for word in re.findall(r"\b(?:[A-Z]+|\d)\b", body)}


def _asked_by(script: Script, state: str) -> Iterator[str]:
    if script.states[state].asks:
        yield script.states[state].asks
    for touchpoint in script.touchpoints.values():
        if touchpoint.opens == state:
            yield from (*touchpoint.say, *([touchpoint.ask] if touchpoint.ask else []))


def ways(script: Script) -> dict[str, list[Way]]:
    """For each text key, every way in which it is said, in the order a patient would meet them."""
    found: dict[str, list[Way]] = defaultdict(list)
    for key, way in (*_planned(script), *_by_reply(script), *_by_topic(script), *_by_engine(script)):
        if way not in found[key]:
            found[key].append(way)
    return {key: found[key] for key in script.texts.entries[LANGUAGES[0]]}


def reached_by(script: Script) -> dict[str, list[str]]:
    """For each text key, how a patient reaches it, in words."""
    return {key: [way.words for way in found] for key, found in ways(script).items()}


def _planned(script: Script) -> Iterator[tuple[str, Way]]:
    for name, touchpoint in script.touchpoints.items():
        said = [(key, f"planned text \u201c{name}\u201d") for key in touchpoint.say]
        folded = f"inside another planned text, where \u201c{name}\u201d is folded into it (late booking)"
        said += [(key, folded) for key in touchpoint.folded if key not in touchpoint.say]
        done = f"planned text \u201c{name}\u201d, once the clinic has said that the visit took place"
        said += [(key, done) for key in touchpoint.done if key not in touchpoint.say]
        if touchpoint.ask:
            said.append((touchpoint.ask, f"at the end of the planned text \u201c{name}\u201d"))
        for key, words in said:
            if _REASON not in key:
                yield key, Way("planned", words)
                continue
            for reason in Reason:
                yield key.format(reason=reason), Way("planned", f"{words}, reason for the scan: {reason}")


def _by_reply(script: Script) -> Iterator[tuple[str, Way]]:
    for name, state in script.states.items():
        for answer in state.answers:
            word = cue(script, answer, name)
            mode = f" ({answer.form} texts)" if answer.form else ""
            if answer.topic:
                yield answer.topic, Way(f"number:{name}", f"reply {word} in \u201c{name}\u201d{mode}")
            for key in answer.say:
                if key not in (PENDING, NEXT):
                    yield key, Way("reply", f"reply {word} to the question \u201c{name}\u201d{mode}")
        if state.asks:
            again = "asked again when his answer does not fit" + ", or after another question" * state.insists
            yield state.asks, Way("reply", f"question \u201c{name}\u201d: {again}")
    for answer in script.anywhere:
        for key in (*answer.say, *(topic_keys(script, answer.topic)[:1] if answer.topic else ())):
            if key not in (PENDING, NEXT):
                yield key, Way("reply", f"{cue(script, answer)} at any time")


def _by_topic(script: Script) -> Iterator[tuple[str, Way]]:
    for topic in sorted(TOPICS):
        for key in topic_keys(script, topic):
            if key == first_page(key):
                called = "" if topic == key else f" (topic \u201c{topic}\u201d)"
                yield key, Way("asked", f"asked in his own words{called}, or by number among topics offered")
    for key in script.texts.entries[LANGUAGES[0]]:
        if first_page(key) != key:
            before = next(
                k for k in pages(script, first_page(key)) if script.texts.next_page(k, "en", "detailed") == key
            )
            yield key, Way("more", f"{MORE['en']} / {MORE['es']} after \u201c{before}\u201d")


def _by_engine(script: Script) -> Iterator[tuple[str, Way]]:
    for key, words in EVENTS.items():
        yield key, Way("event", words)
    for topic in sorted(TOPICS):
        yield f"name_{topic}", Way("part", "a line of the text \u201cchoose\u201d")
    for name in MAY_BE_UNSET:
        yield f"unset_{name}", Way("part", f"in place of {{{name}}}, where a site has said nothing")
    for key in script.texts.entries[LANGUAGES[0]]:
        if key.startswith(ON_PAGE):
            yield key, Way("part", "on the guide as a page (reply GUIDE)")


def is_part(key: str) -> bool:
    """Whether a text only ever stands inside another one, or on the guide's page: it is no message of its own."""
    return key.startswith(ON_PAGE) or key in {f"name_{topic}" for topic in TOPICS} | {
        f"unset_{name}" for name in MAY_BE_UNSET
    }


def pages(script: Script, key: str) -> list[str]:
    """A text and the pages that go on from it."""
    found = [key]
    while following := script.texts.next_page(found[-1], LANGUAGES[0], "detailed"):
        found.append(following)
    return found


def topic_keys(script: Script, topic: str) -> list[str]:
    """The texts that answer a topic: what its route says, or the text of that name and its pages."""
    route = script.routes.get(topic)
    if route:
        return list(route.say)
    return pages(script, topic) if topic in script.texts.entries[LANGUAGES[0]] else []


def cited(script: Script) -> dict[str, list[str]]:
    """For each fact, the keys that cite it, each once."""
    found: dict[str, list[str]] = {name: [] for name in script.texts.facts}
    for entries in script.texts.entries.values():
        for entry in entries.values():
            for name in entry.facts:
                if entry.key not in found[name]:
                    found[name].append(entry.key)
    return found
