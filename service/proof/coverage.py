"""Whether the texts carry the whole guide: each of its sections, each of its questions, each topic a patient may ask.

Which texts carry a section is written by hand in docs/coverage.toml; that they do is checked here, against the source
and the facts that each text names.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flows.check import TOPICS
from flows.script import Script
from messages.catalog import LANGUAGES, first_page
from service.proof.facts import topic_keys, ways

WRITTEN = Path(__file__).parents[2] / "docs" / "coverage.toml"
COLUMNS = ("own words", "menu", "results menu", "planned text", "MORE", "otherwise")
_PLAIN = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2013": "-"})


@dataclass(frozen=True)
class Piece:
    """One piece of the guide, and the texts that carry it; `names` are the words that a text may name it by."""

    heading: str
    names: frozenset[str]
    keys: tuple[str, ...]
    why_none: str = ""


def plain_heading(words: str) -> str:
    """A heading as it is compared: straight quotes, no case."""
    return words.translate(_PLAIN).strip().lower()


def guide_pieces(text: str) -> list[Piece]:
    """The sections, then the questions, as docs/coverage.toml lists them."""
    table = tomllib.loads(text)
    found = []
    for kind, fields in [*(("section", s) for s in table["section"]), *(("question", q) for q in table["question"])]:
        heading = fields["heading"] if kind == "section" else f"{fields['number']}. {fields['heading']}"
        own = [fields["heading"]] if kind == "section" else [f"FAQ {fields['number']}"]
        names = frozenset(map(plain_heading, [*own, *fields.get("named", ()), *fields.get("repeats", ())]))
        found.append(Piece(heading, names, tuple(fields.get("keys", ())), fields.get("why_none", "")))
    return found


def gaps(script: Script, pieces: Iterable[Piece]) -> list[str]:
    """What is not covered, or covered by a text that does not say so; empty when all is well."""
    found = [f"topic {topic!r} has no text" for topic in sorted(TOPICS) if not topic_keys(script, topic)]
    for piece in pieces:
        if not piece.keys and not piece.why_none:
            found.append(f"{piece.heading!r} has no key: name the texts that carry it, or say why none does")
        for key in piece.keys:
            if any(key not in entries for entries in script.texts.entries.values()):
                found.append(f"{piece.heading!r}: there is no text {key!r}")
            elif not _carries(script, key, piece):
                found.append(f"{piece.heading!r}: {key!r} names neither it nor a fact of it")
    return found


def _carries(script: Script, key: str, piece: Piece) -> bool:
    entry = script.texts.entry(key, LANGUAGES[0])
    named = {plain_heading(source) for source in entry.source.split(";")}
    named |= {plain_heading(script.texts.facts[name].section) for name in entry.facts}
    return bool(named & piece.names)


def coverage(script: Script) -> str:
    """Every section, question and topic -> the texts that carry it -> how a patient reaches them. A Markdown table."""
    pieces = guide_pieces(WRITTEN.read_text(encoding="utf-8"))
    topics = [Piece(f"topic {topic}", frozenset(), tuple(topic_keys(script, topic))) for topic in sorted(TOPICS)]
    reached = ways(script)
    lines = [
        f"| guide, or topic | texts | {' | '.join(COLUMNS)} |",
        f"|{'---|' * (2 + len(COLUMNS))}",
    ]
    for piece in [*pieces, *topics]:
        cells = {name: [] for name in COLUMNS} if piece.keys else {COLUMNS[0]: [piece.why_none]}
        for key in piece.keys:
            for way in reached.get(key, []):
                column, words = _cell(key, way.kind, way.words, alone=len({first_page(k) for k in piece.keys}) == 1)
                if words not in cells[column]:
                    cells[column].append(words)
        row = [piece.heading, ", ".join(piece.keys), *("; ".join(cells.get(name, [])) for name in COLUMNS)]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |")
    missing = gaps(script, pieces)
    return "\n".join([*lines, "", *(f"- GAP: {gap}" for gap in missing), "" if missing else "Nothing is missing."])


def _cell(key: str, kind: str, words: str, *, alone: bool) -> tuple[str, str]:
    """The column of a way, and the fewest words for it there."""
    quoted = re.findall("\u201c(.*?)\u201d", words)
    number = re.match(r"reply (\S+)", words)
    match kind:
        case "asked":
            return "own words", quoted[0] if quoted else key
        case "number:menu":
            return "menu", ("" if alone else f"{key}: ") + _number(words)
        case "planned":
            reason = words.rpartition(": ")[2] if "reason" in words else ""
            return "planned text", quoted[0] + (f" ({reason})" if reason else "")
        case "more":
            return "MORE", f"after {quoted[0]}"
        case _ if kind.startswith("number:") and number:
            return "results menu", ("" if alone else f"{key}: ") + _number(words)
    return "otherwise", words


def _number(words: str) -> str:
    """`reply 2 in "menu" (general texts)` as `2 (general)`."""
    number, form = words.split()[1], re.search(r"\((\w+) texts\)", words)
    return f"{number} ({form[1]})" if form else number
