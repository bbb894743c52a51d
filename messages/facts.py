"""Every figure and claim that a text may make, by name, with where it comes from; and the search for figures in a text."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*%?")
_PLACEHOLDER = re.compile(r"\{[^{}]*\}")
# Digits that he is asked to reply are no claims: a line of a list, or a digit beside the word that asks for it.
_REPLY_DIGIT = re.compile(
    r"^\d (?=\S)|\b(?:reply|responda|text|with|con|or|o|number|numero|número|from|del?|a|to)\s+\d\b(?![.,]?\d|%)"
    r"|[,:] \d (?=(?:for|to|if|para|si|not)\b)|\b\d (?=(?:for|to|if|para|si)\b)",
    re.IGNORECASE | re.MULTILINE,
)
ALWAYS = frozenset({"911", "988"})  # the fact `emergency`; every text may name the lines that help


class FactsError(ValueError):
    """The table of facts is wrong; the message says where and what to do."""


@dataclass(frozen=True)
class Fact:
    """One named fact. `find` is a few words of the source to look it up by; `figures` are its numbers as written."""

    name: str
    claim: str
    section: str
    find: str
    figures: frozenset[str] = frozenset()


def parse_facts(text: str) -> dict[str, Fact]:
    """Read the table; raises FactsError naming the fact and the remedy."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FactsError(f"facts.toml: not readable TOML: {error}") from error
    found = {}
    for name, fields in table.items():
        lacking = {"claim", "section", "find"} - fields.keys()
        unknown = fields.keys() - {"claim", "section", "find", "figures"}
        if lacking or unknown:
            todo = [f"add {n}" for n in sorted(lacking)] + [f"remove {n}" for n in sorted(unknown)]
            raise FactsError(f"facts.toml: {name}: {', '.join(todo)}")
        found[name] = Fact(
            name, fields["claim"], fields["section"], fields["find"], frozenset(fields.get("figures", ()))
        )
    return found


def figures_in(body: str) -> list[str]:
    """The numbers a text claims, as written: not placeholders, not digits to reply with."""
    return _FIGURE.findall(_REPLY_DIGIT.sub(" ", _PLACEHOLDER.sub(" ", body)))


def unsupported(body: str, facts: Iterable[Fact]) -> list[str]:
    """The figures of `body` that none of `facts` holds."""
    known = ALWAYS.union(*(fact.figures for fact in facts))
    return [figure for figure in figures_in(body) if figure not in known]


def named(names: Iterable[str], facts: Mapping[str, Fact]) -> list[Fact]:
    """The facts of these names; raises FactsError for one that the table does not have."""
    lost = sorted(set(names) - facts.keys())
    if lost:
        raise FactsError(f"unknown fact {lost[0]!r}: add it to messages/facts.toml with its source, or mend the name")
    return [facts[name] for name in names]
