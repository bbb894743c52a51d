"""Read `flows/phrasings/*.txt`: one file a topic, one phrasing a line. A mistake has its file, line and remedy."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from flows.words import plain

LANGUAGES = ("en", "es")
SAFETY = ("crisis", "urgent", "opt_out", "wrong_number", "results_personal")
UNKNOWN = "unknown"
# Not in the list of topics: an urgent kind of `location_arrival` that a person must hear of.
OURS = ("running_late",)


class PhrasingError(ValueError):
    """A phrasing file is wrong; the message says where and what to do."""


@dataclass(frozen=True)
class Phrasing:
    """One way of saying something."""

    topic: str
    language: str
    text: str


def parse(topic: str, name: str, text: str) -> list[tuple[int, Phrasing]]:
    """The phrasings of one file with their line numbers."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        language, colon, words = line.partition(":")
        if not colon or language not in LANGUAGES or not words.strip():
            raise PhrasingError(f"{name}:{number}: write `en: words` or `es: palabras`, or start a remark with #")
        found.append((number, Phrasing(topic, language, words.strip())))
    return found


def collect(sources: Iterable[tuple[str, str]], topics: frozenset[str]) -> list[Phrasing]:
    """All phrasings of (file name, text) pairs; raises PhrasingError for an unknown topic or a doublet."""
    seen: dict[str, str] = {}
    found: list[Phrasing] = []
    for name, text in sorted(sources):
        topic = name.removesuffix(".txt")
        if topic not in topics:
            raise PhrasingError(f"{name}:1: {topic!r} is no topic id: rename the file, or add the topic's texts first")
        for number, phrasing in parse(topic, name, text):
            same = re.sub(r"\W+", " ", plain(phrasing.text)).strip() or phrasing.text
            if same in seen:
                raise PhrasingError(
                    f"{name}:{number}: {phrasing.text!r} stands already at {seen[same]}: keep one of them"
                )
            seen[same] = f"{name}:{number}"
            found.append(phrasing)
    return found


def sources() -> list[tuple[str, str]]:
    """The shipped phrasing files."""
    room = files("flows").joinpath("phrasings")
    return [(item.name, item.read_text(encoding="utf-8")) for item in room.iterdir() if item.name.endswith(".txt")]
