"""All approved texts, loaded once from `texts/<language>/*.toml` and checked before anything may use them.

A text has a *general* form, which may be read by anyone who picks up the phone, and a *detailed* form, which names the
scan and is sent only after the patient agreed. Where both are the same words the file gives one `body`. A text without
a general form cannot be said discreetly; whoever wants to say it must first ask.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any, Literal

from messages.sms import outside_gsm

Form = Literal["general", "detailed"]
FORMS: tuple[Form, ...] = ("general", "detailed")
LANGUAGES = ("en",)

# Words that would tell a stranger what the visit is about.
DISCLOSING = re.compile(r"\b(psma|psa|prostate|prostatic|cancer\w*|tumou?rs?|oncolog\w*|urolog\w*|results?)\b", re.I)


class CatalogError(ValueError):
    """A text file is wrong; the message says which file, which key and what to do."""


@dataclass(frozen=True)
class Entry:
    """One approved text: its words by form, where its facts come from, and who answers for it."""

    key: str
    bodies: Mapping[Form, str]
    source: str  # the section of the guide its facts come from, or "service" for our own housekeeping
    segments: int  # at most this many, with worst-case values
    reviewed_by: str
    written_on: date

    def fields(self, form: Form) -> frozenset[str]:
        """The names that must be given to render this form."""
        return fields_of(self.bodies[form])


@dataclass(frozen=True)
class Catalog:
    """Every text in every language, and the hash that names this exact set of words."""

    entries: Mapping[str, Mapping[str, Entry]]  # language -> key -> entry
    digest: str

    def entry(self, key: str, language: str) -> Entry:
        """The text for `key`; raises CatalogError for an unknown key, never another language's words."""
        try:
            return self.entries[language][key]
        except KeyError:
            raise CatalogError(f"no text {key!r} in language {language!r}") from None

    def sayable(self, key: str, language: str, form: Form) -> bool:
        """Whether `key` has words in this form."""
        return form in self.entry(key, language).bodies


def fields_of(body: str) -> frozenset[str]:
    """The placeholder names in `body`."""
    return frozenset(name for _, name, _, _ in Formatter().parse(body) if name is not None)


def parse(language: str, name: str, text: str) -> dict[str, Entry]:
    """Read one file's texts; raises CatalogError naming the file, the key and the remedy."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{language}/{name}: not readable TOML: {error}") from error
    defaults = table.pop("file", {})
    return {key: _entry(f"{language}/{name}: {key}", key, {**defaults, **fields}) for key, fields in table.items()}


def _entry(place: str, key: str, fields: dict[str, Any]) -> Entry:
    missing = {"source", "segments", "reviewed_by", "written_on"} - fields.keys()
    if missing:
        raise CatalogError(f"{place}: add {', '.join(sorted(missing))}")
    unknown = fields.keys() - {"source", "segments", "reviewed_by", "written_on", "body", *FORMS}
    if unknown:
        raise CatalogError(f"{place}: remove {', '.join(sorted(unknown))}")
    bodies: dict[Form, str] = {form: fields[form].strip() for form in FORMS if form in fields}
    if "body" in fields:
        if bodies:
            raise CatalogError(f"{place}: give either `body` or the forms, not both")
        bodies = {form: fields["body"].strip() for form in FORMS}
    if "detailed" not in bodies:
        raise CatalogError(f"{place}: add a `body`, or at least the `detailed` form")
    for form, body in bodies.items():
        _check_words(f"{place} ({form})", form, body)
    return Entry(key, bodies, fields["source"], fields["segments"], fields["reviewed_by"], fields["written_on"])


def _check_words(place: str, form: Form, body: str) -> None:
    flips = outside_gsm(body)
    if flips:
        raise CatalogError(f"{place}: {flips!r} would change the encoding of the whole text; use plain characters")
    told = DISCLOSING.search(body) if form == "general" else None
    if told:
        raise CatalogError(f"{place}: a general text must not say {told.group()!r}")
    try:
        names = fields_of(body)
    except ValueError as error:
        raise CatalogError(f"{place}: a brace is not closed or not opened ({error})") from error
    if any(not name.isidentifier() for name in names):
        raise CatalogError(f"{place}: placeholders are plain names in braces")
    if not body:
        raise CatalogError(f"{place}: the text is empty")


@lru_cache(maxsize=1)
def catalog() -> Catalog:
    """The shipped texts, read and checked once; a missing translation fails here, not on a patient's phone."""
    digest = hashlib.sha256()
    entries: dict[str, dict[str, Entry]] = {}
    for language in LANGUAGES:
        found: dict[str, Entry] = {}
        for path in sorted(files("messages").joinpath("texts", language).iterdir(), key=lambda item: item.name):
            text = path.read_text(encoding="utf-8")
            digest.update(text.encode())
            for key, entry in parse(language, path.name, text).items():
                if key in found:
                    raise CatalogError(f"{language}/{path.name}: {key}: this key is already used in another file")
                found[key] = entry
        entries[language] = found
    first = LANGUAGES[0]
    for language in LANGUAGES[1:]:
        if entries[language].keys() != entries[first].keys():
            odd = entries[language].keys() ^ entries[first].keys()
            raise CatalogError(f"{language} and {first} differ in {', '.join(sorted(odd))}: translate or remove them")
    return Catalog(entries, digest.hexdigest())
