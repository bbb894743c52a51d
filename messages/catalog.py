"""All approved texts, loaded from `texts/<language>/*.toml` and proved together before anything may use them.

A text has a *general* form, which may be read by anyone who picks up the phone, and a *detailed* form, which names the
scan and is sent only after the patient agreed. A text without a general form cannot be said discreetly; whoever wants to
say it must first ask. An answer may go on over pages (`key`, `key_2`, `key_3`): each is one text, the next by MORE.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

from messages.entry import DISCLOSING, FORMS, CatalogError, Entry, Form, fields_of, parse
from messages.facts import Fact, FactsError, parse_facts
from messages.limits import saturday_values, worst_values
from messages.reviews import Review, parse_reviews, words_hash
from messages.sms import count

__all__ = [
    "DISCLOSING",
    "FORMS",
    "LANGUAGES",
    "Catalog",
    "CatalogError",
    "Entry",
    "Form",
    "catalog",
    "fields_of",
    "load",
]

LANGUAGES = ("en", "es")
MORE = {"en": "MORE", "es": "SIGUE"}  # the word that asks for the next page
_PAGE = re.compile(r"^(?P<first>.+?)_(?P<number>[2-9])$")
FACTS, REVIEWS = "facts.toml", "reviews.toml"


@dataclass(frozen=True)
class Catalog:
    """Every text in every language, the facts behind them, and the hash that names this exact set of words."""

    entries: Mapping[str, Mapping[str, Entry]]  # language -> key -> entry
    digest: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def entry(self, key: str, language: str) -> Entry:
        """The text for `key`; raises CatalogError for an unknown key, never another language's words."""
        try:
            return self.entries[language][key]
        except KeyError:
            raise CatalogError(f"no text {key!r} in language {language!r}") from None

    def sayable(self, key: str, language: str, form: Form) -> bool:
        """Whether `key` has words in this form."""
        return form in self.entry(key, language).bodies

    def next_page(self, key: str, language: str, form: Form) -> str:
        """The key of the page after `key` in this form, or an empty string."""
        following = _next(key)
        entry = self.entries[language].get(following)
        return following if entry is not None and form in entry.bodies else ""

    def unsigned(self) -> list[Entry]:
        """The texts that no clinician has signed as they stand."""
        return [entry for texts in self.entries.values() for entry in texts.values() if not entry.signed]


def first_page(key: str) -> str:
    """The key of the answer that `key` is a page of; itself if it is the first."""
    page = _PAGE.match(key)
    return page["first"] if page else key


def _next(key: str) -> str:
    page = _PAGE.match(key)
    return f"{page['first']}_{int(page['number']) + 1}" if page else f"{key}_2"


def load(sources: Mapping[str, str]) -> Catalog:
    """The catalogue from its files' texts, by path below `messages/`; raises CatalogError for the first mistake."""
    try:
        facts = parse_facts(sources[FACTS])
    except FactsError as error:
        raise CatalogError(str(error)) from error
    reviews = parse_reviews(sources.get(REVIEWS, ""))
    entries: dict[str, dict[str, Entry]] = {language: {} for language in LANGUAGES}
    for path in sorted(sources):
        if not path.startswith("texts/"):
            continue
        _, language, name = path.split("/")
        for key, entry in parse(language, name, sources[path], facts).items():
            if key in entries[language]:
                raise CatalogError(f"{entry.place}: {key}: this key is already used in another file")
            entries[language][key] = _signed(entry, reviews.get((language, key)))
    _check_languages(entries)
    for language, texts in entries.items():
        for entry in texts.values():
            _check_cost(entry, language)
            _check_pages(entry, language, texts)
    return Catalog(entries, digest(sources), facts)


def digest(sources: Mapping[str, str]) -> str:
    """Names this exact set of words and facts; signatures are about it and not part of it."""
    whole = hashlib.sha256()
    for path in sorted(path for path in sources if path != REVIEWS):
        whole.update(f"{path}\n{len(sources[path])}\n{sources[path]}".encode())
    return whole.hexdigest()


def _signed(entry: Entry, review: Review | None) -> Entry:
    if review is None or review.words != words_hash(entry.bodies):
        return entry
    return entry.signed_by(review.by, review.on)


def _check_languages(entries: Mapping[str, Mapping[str, Entry]]) -> None:
    first = LANGUAGES[0]
    for language in LANGUAGES[1:]:
        odd = entries[language].keys() ^ entries[first].keys()
        if odd:
            raise CatalogError(f"{language} and {first} differ in {', '.join(sorted(odd))}: translate or remove them")
        for key, entry in entries[language].items():
            theirs = entries[first][key]
            if entry.bodies.keys() != theirs.bodies.keys():
                raise CatalogError(f"{entry.place}: {key}: has other forms than in {first} ({theirs.place})")


def _check_cost(entry: Entry, language: str) -> None:
    """With the longest values a clinic may give, a text costs no more segments than it says."""
    for form, body in entry.bodies.items():
        rooms = [(values, entry.segments) for values in worst_values(language)]
        if language == "es":
            rooms.append((saturday_values(), 2 * entry.segments))
        for values, most in rooms:
            odd = fields_of(body) - values.keys()
            if odd:
                raise CatalogError(f"{entry.place}: {entry.key} ({form}): unknown placeholder {sorted(odd)[0]!r}")
            cost = count(body.format_map(values))
            if cost.segments > most:
                raise CatalogError(
                    f"{entry.place}: {entry.key} ({form}): {cost.segments} segments ({cost.units} {cost.encoding} "
                    f"characters with the longest values), more than the {most} it may cost: shorten it"
                )


def _check_pages(entry: Entry, language: str, texts: Mapping[str, Entry]) -> None:
    page = _PAGE.match(entry.key)
    if page and int(page["number"]) > 2 and f"{page['first']}_{int(page['number']) - 1}" not in texts:
        raise CatalogError(f"{entry.place}: {entry.key}: the page before it is missing")
    if page and page["first"] not in texts:
        raise CatalogError(f"{entry.place}: {entry.key}: there is no {page['first']} that it goes on from")
    following = texts.get(_next(entry.key))
    for form, body in entry.bodies.items():
        promises = re.search(rf"\b{MORE[language]}\b", body) is not None
        if promises != (following is not None and form in following.bodies):
            todo = "say" if not promises else "do not say"
            raise CatalogError(f"{entry.place}: {entry.key} ({form}): {todo} {MORE[language]}: it tells of a next page")


def shipped_sources() -> dict[str, str]:
    """The files of the shipped texts, by path below `messages/`."""
    room = files("messages")
    paths = [FACTS, REVIEWS]
    for language in LANGUAGES:
        paths += [f"texts/{language}/{item.name}" for item in room.joinpath("texts", language).iterdir()]
    return {path: room.joinpath(path).read_text(encoding="utf-8") for path in sorted(paths)}


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The shipped texts, read and checked once; a missing translation fails here, not on a patient's phone."""
    return load(shipped_sources())
