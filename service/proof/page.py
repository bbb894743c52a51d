"""The proof pack's page: what the template shows, gathered from the script. Every word of it is escaped by the template.

Where a text takes a value of a site or a visit it is shown with the longest one that it may be given, shaded, so that the
clinician sees a text at its worst and can tell our words from a site's.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from string import Formatter

import jinja2

from flows.check import TOPICS
from flows.limits import ATTEMPTS
from flows.model import Consent, Effect, Freeze, LayJourney, Note, OpenTask, Reason
from flows.script import NEXT, PENDING, SAME, Answer, Script
from flows.tasks import TASKS
from messages.catalog import FORMS, LANGUAGES, Entry, first_page
from messages.facts import Fact
from service.proof import facts, figures
from service.proof.changes import changed_names, changed_texts
from service.proof.layout import moments
from service.proof.picture import svg

HERE = Path(__file__).parents[1] / "web"
NAMES = {"en": "English", "es": "Spanish"}
# In this order a physician reads: what can do harm first. A file that is not named here comes after these.
CHAPTERS = {
    "safety": "Safety: said at once, whatever is open",
    "journey": "The planned texts, in the order of the visit",
    "answers_visit": "Answers: the visit, before and after",
    "answers_scan": "Answers: the scan and why it is ordered",
    "answers_results": "Answers and planned texts: news of the scan",
    "service": "Consent, menus and housekeeping",
}
_pages = jinja2.Environment(
    loader=jinja2.FileSystemLoader(HERE / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@dataclass(frozen=True)
class Bubble:
    """One text as it looks on a phone: (words, whether they are a site's or a visit's), and what it costs."""

    forms: str
    pieces: tuple[tuple[str, bool], ...]
    segments: int
    units: int
    encoding: str
    saturday: int
    grade: float | None


@dataclass(frozen=True)
class Side:
    """One text in one language."""

    language: str
    entry: Entry
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True)
class Card:
    """One text in every language, how it is reached, and what it claims: (fact, the languages that cite it if not all)."""

    key: str
    ways: tuple[str, ...]
    sides: tuple[Side, ...]
    facts: tuple[tuple[Fact, str], ...]
    discreet: bool  # has a general form
    planned: bool
    page_of: str

    @property
    def sources(self) -> str:
        """The sections of the guide that its facts come from."""
        own = {"service": "our own housekeeping", "public": "public sources"}
        named = [part.strip() for side in self.sides for part in side.entry.source.split(";")]
        return "; ".join(dict.fromkeys(own.get(part, part) for part in named))

    @property
    def signed(self) -> bool:
        """Whether every language is signed."""
        return all(side.entry.signed for side in self.sides)


@dataclass(frozen=True)
class Step:
    """An accepted answer: the words, in which form, what is said, what happens and what is open after it."""

    words: tuple[str, ...]
    form: str
    says: tuple[str, ...]
    does: tuple[str, ...]
    to: str


def bubbles(entry: Entry, language: str) -> tuple[Bubble, ...]:
    """The forms of a text; one bubble where both are the same words."""
    found = []
    bodies = {form: entry.bodies[form] for form in FORMS if form in entry.bodies}
    same = len(bodies) == len(FORMS) and len(set(bodies.values())) == 1
    for form, body in bodies.items():
        if same and form != FORMS[0]:
            continue
        values, cost = figures.worst(body, language)
        pieces = []
        for literal, name, _, _ in Formatter().parse(body):
            pieces += [(literal, False)] * bool(literal) + ([(values[name], True)] if name else [])
        found.append(
            Bubble(
                forms="general and detailed" if same else form,
                pieces=tuple(pieces),
                segments=cost.segments,
                units=cost.units,
                encoding=cost.encoding,
                saturday=figures.on_saturday(body, language),
                grade=figures.graded(body.format_map(values), language),
            )
        )
    return tuple(found)


def cards(script: Script) -> dict[str, list[Card]]:
    """The texts by chapter; those that are no message of their own under `parts`."""
    found: dict[str, list[Card]] = {name: [] for name in CHAPTERS}
    reached = facts.ways(script)
    for key, entry in script.texts.entries[LANGUAGES[0]].items():
        sides = tuple(
            Side(language, theirs[key], bubbles(theirs[key], language))
            for language, theirs in script.texts.entries.items()
        )
        cited: dict[str, list[str]] = {}
        for side in sides:
            for name in side.entry.facts:
                cited.setdefault(name, []).append(side.language)
        card = Card(
            key=key,
            ways=tuple(way.words for way in reached[key]),
            sides=sides,
            facts=tuple(
                (script.texts.facts[name], "" if len(langs) == len(sides) else " and ".join(NAMES[x] for x in langs))
                for name, langs in cited.items()
            ),
            discreet="general" in entry.bodies,
            planned=any(way.kind == "planned" for way in reached[key]),
            page_of=first_page(key) if first_page(key) != key else "",
        )
        chapter = "parts" if facts.is_part(key) else Path(entry.place.partition(":")[0]).stem
        found.setdefault(chapter, []).append(card)
    _in_plan_order(script, found["journey"])
    return {name: list_ for name, list_ in found.items() if list_}


def _in_plan_order(script: Script, journey: list[Card]) -> None:
    """Planned texts of a journey stand in the file's own order, which is that of the visit; unplanned ones follow."""
    planned = {key for t in script.touchpoints.values() for key in (*t.say, *t.done, *t.folded)}
    journey.sort(key=lambda card: card.key not in planned)


def _does(effect: Effect) -> str:
    match effect:
        case Consent():
            what = "to texts" if effect.kind == "texts" else "to naming the scan"
            return f"his {'yes' if effect.given else 'no'} {what} is recorded"
        case OpenTask():
            return f"task for staff: {TASKS[effect.kind].title}"
        case Freeze():
            return "nothing is sent to this number any more"
        case LayJourney():
            return "the planned texts are laid out"
        case Note():
            return f"noted: {effect.action.replace('_', ' ').replace(':', ' ')}"
        case _:
            return type(effect).__name__


def steps(script: Script, answers: tuple[Answer, ...], state: str = "") -> list[Step]:
    """A state's answers as a clinician reads them."""
    said = {
        PENDING: "the answer that was waiting for his leave",
        NEXT: "the next page of the answer given last",
    }
    found = []
    for answer in answers:
        first = facts.cue(script, answer, state).lower() if answer.words else ""
        says = [said.get(key, key) for key in answer.say] + [answer.topic] * bool(answer.topic)
        if answer.option:
            says = [f"number {answer.option} of the topics offered"]
        found.append(
            Step(
                words=(first, *sorted(answer.words - {first}, key=lambda word: (len(word), word))),
                form=answer.form,
                says=tuple(says),
                does=tuple(_does(effect) for effect in answer.effects),
                to="as before" if answer.to == SAME else "stays open" if answer.to == state else answer.to,
            )
        )
    return found


def by_reason(keys: tuple[str, ...]) -> list[str]:
    """The keys that a planned text's keys stand for, one for each reason where they differ by it."""
    return list(dict.fromkeys(key.format(reason=reason) for key in keys for reason in Reason))


def html(script: Script, on: date, before: Script | None) -> str:
    """The whole page."""
    known = script.texts.entries
    chapters = cards(script)
    parts = chapters.pop("parts", [])
    return _pages.get_template("proof.html").render(
        script=script,
        on=on,
        before=before,
        names=NAMES,
        texts=sum(len(entries) for entries in known.values()),
        unsigned=len(script.texts.unsigned()),
        headings=figures.HEADINGS,
        rows=[figures.cells(row) for row in figures.summary(script)],
        picture=svg(script),
        states={name: (state, steps(script, state.answers, name)) for name, state in script.states.items()},
        moments=[(" ".join(m.when), script.touchpoints[m.name]) for m in moments(script)],
        by_reason=by_reason,
        anywhere=steps(script, script.anywhere),
        routes={topic: steps(script, (answer,))[0] for topic, answer in script.routes.items()},
        topics=len(TOPICS),
        attempts=ATTEMPTS,
        chapters={CHAPTERS.get(name, name): found for name, found in chapters.items()},
        parts=parts,
        texts_changed=changed_texts(before, script) if before else [],
        names_changed=changed_names(before, script) if before else [],
        facts=script.texts.facts,
        cited=facts.cited(script),
        style=(HERE / "static" / "proof.css").read_text(encoding="utf-8"),
    )
