"""What is not as it was in an earlier version of the script: texts word by word, the flow and the facts by name."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

from flows.script import Script
from messages.catalog import FORMS, LANGUAGES


@dataclass(frozen=True)
class Changed:
    """One text in one form that was added, removed or changed; `pieces` are (kept | old | new, words) in order."""

    kind: str
    key: str
    language: str
    form: str
    pieces: tuple[tuple[str, str], ...]


def changed_texts(before: Script, after: Script) -> list[Changed]:
    """Every text whose words differ, in the order of the new script."""
    found = []
    for language in LANGUAGES:
        old, new = before.texts.entries[language], after.texts.entries[language]
        for key in [*new, *(key for key in old if key not in new)]:
            for form in FORMS:
                was = old[key].bodies.get(form, "") if key in old else ""
                now = new[key].bodies.get(form, "") if key in new else ""
                if was != now:
                    kind = "added" if not was else "removed" if not now else "changed"
                    found.append(Changed(kind, key, language, form, tuple(pieces(was, now))))
    return _both_forms_once(found)


def _both_forms_once(found: list[Changed]) -> list[Changed]:
    """One line where a text changed alike in both forms."""
    kept: list[Changed] = []
    for one in found:
        same = kept and (kept[-1].kind, kept[-1].key, kept[-1].language, kept[-1].pieces) == (
            one.kind, one.key, one.language, one.pieces,
        )  # fmt: skip
        if same:
            kept[-1] = Changed(one.kind, one.key, one.language, "both forms", one.pieces)
        else:
            kept.append(one)
    return kept


def pieces(was: str, now: str) -> list[tuple[str, str]]:
    """The two texts as one, word by word: what was kept, what is gone, what is new."""
    old, new = was.replace("\n", " \n ").split(" "), now.replace("\n", " \n ").split(" ")
    found = []
    for what, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found.append(("kept", " ".join(old[a:b])))
            continue
        found += [("old", " ".join(old[a:b]))] * (b > a) + [("new", " ".join(new[c:d]))] * (d > c)
    return [piece for piece in found if piece[1]]


def changed_names(before: Script, after: Script) -> list[str]:
    """States, planned texts, commands and facts that differ, one line each."""
    lines = []
    parts: tuple[tuple[str, Mapping[str, object], Mapping[str, object]], ...] = (
        ("state", before.states, after.states),
        ("planned text", before.touchpoints, after.touchpoints),
        ("topic's route", before.routes, after.routes),
        ("fact", before.texts.facts, after.texts.facts),
    )
    for what, old, new in parts:
        for name in [*new, *(name for name in old if name not in new)]:
            if old.get(name) != new.get(name):
                kind = "added" if name not in old else "removed" if name not in new else "changed"
                lines.append(f"{what} \u201c{name}\u201d {kind}")
    if before.anywhere != after.anywhere:
        lines.append("words understood at any time changed")
    return lines
