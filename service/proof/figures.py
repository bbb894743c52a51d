"""What the texts cost at worst and how hard they read: the figures of the proof pack, and its table.

Each text is counted with the longest values that a site may give it. Grades need an extra (service/proof/readability.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.check import TOPICS
from flows.script import Script
from messages.catalog import FORMS, LANGUAGES, Form
from messages.limits import saturday_values, worst_values
from messages.sms import Count, count
from service.proof.facts import is_part, topic_keys, ways
from service.proof.readability import grade


@dataclass(frozen=True)
class Row:
    """What the texts of one language cost and how they read; `parts` are no messages of their own."""

    language: str
    texts: int
    parts: int
    segments: tuple[int, int, int]  # p50, p95, max: each text's costliest form with the longest values
    grade: tuple[float, float] | None  # p50, max over topics and forms, all pages joined
    facts: int
    unsigned: int


def worst(body: str, language: str) -> tuple[Mapping[str, str], Count]:
    """The values that make this text cost the most, and that cost."""
    costs = [(values, count(body.format_map(values))) for values in worst_values(language)]
    return max(costs, key=lambda pair: pair[1].segments)


def on_saturday(body: str, language: str) -> int:
    """Segments on the one day whose Spanish name is not plain; 0 where that changes nothing."""
    if language != "es":
        return 0
    segments = count(body.format_map(saturday_values())).segments
    return segments if segments > worst(body, language)[1].segments else 0


def graded(text: str, language: str) -> float | None:
    """School years this asks of a reader; None where the tools for that (an extra) are not installed."""
    try:
        return grade(text, language)
    except ImportError:
        return None


def joined(script: Script, keys: Iterable[str], language: str, form: Form) -> str:
    """What a patient reads who reads all of these in this form, with the longest values; empty if nothing can be said."""
    bodies = (script.texts.entry(key, language).bodies.get(form, "") for key in keys)
    return "\n".join(body.format_map(worst(body, language)[0]) for body in bodies if body)


def topics(script: Script) -> list[str]:
    """Every topic that has approved words: what the router knows, and what the menus lead to."""
    by_number = {key for key, found in ways(script).items() if any(way.kind.startswith("number:") for way in found)}
    return [topic for topic in sorted(TOPICS | by_number) if topic_keys(script, topic)]


def _grades(script: Script, language: str) -> list[float]:
    found = []
    for topic in topics(script):
        for form in FORMS:
            text = joined(script, topic_keys(script, topic), language, form)
            years = graded(text, language) if text else None
            if years is not None:
                found.append(years)
    return sorted(found)


def at(share: float, ordered: list[int] | list[float]) -> float:
    """The value that this share of `ordered` does not exceed (nearest rank)."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def summary(script: Script) -> list[Row]:
    """One row a language, and one for all."""
    grades = {language: _grades(script, language) for language in LANGUAGES}
    rows = [_row(script, (language,), grades[language]) for language in LANGUAGES]
    return [*rows, _row(script, LANGUAGES, sorted(years for found in grades.values() for years in found))]


def _row(script: Script, languages: tuple[str, ...], grades: list[float]) -> Row:
    entries = [(language, e) for language in languages for e in script.texts.entries[language].values()]
    alone = [(language, entry) for language, entry in entries if not is_part(entry.key)]
    segments = sorted(max(worst(b, language)[1].segments for b in e.bodies.values()) for language, e in alone)
    return Row(
        language=languages[0] if len(languages) == 1 else "total",
        texts=len(entries),
        parts=len(entries) - len(alone),
        segments=(int(at(0.5, segments)), int(at(0.95, segments)), segments[-1]),
        grade=(at(0.5, grades), grades[-1]) if grades else None,
        facts=len({name for _, entry in entries for name in entry.facts}),
        unsigned=sum(not entry.signed for _, entry in entries),
    )


HEADINGS = ("language", "texts", "of them parts", "segments p50", "p95", "max", "grade p50", "max", "facts", "unsigned")


def cells(row: Row) -> list[str]:
    """A row as it is printed."""
    years = ["-", "-"] if row.grade is None else [f"{value:.1f}" for value in row.grade]
    return [
        row.language,
        str(row.texts),
        str(row.parts),
        *map(str, row.segments),
        *years,
        str(row.facts),
        str(row.unsigned),
    ]


def as_table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [HEADINGS, ["---"] + ["---:"] * (len(HEADINGS) - 1), *(cells(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
