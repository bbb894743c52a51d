"""One approved text: read from its file and checked, each mistake with its file, line, key and what to do about it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from string import Formatter
from typing import Any, Literal

from messages.facts import Fact, FactsError, named, unsupported
from messages.sms import Encoding, outside_gsm

Form = Literal["general", "detailed"]
FORMS: tuple[Form, ...] = ("general", "detailed")
ENCODINGS: tuple[Encoding, ...] = ("GSM-7", "UCS-2")
DRAFT = "not yet reviewed by a clinician"

# Words that would tell a stranger what the visit is about, in any language we write.
DISCLOSING = re.compile(
    r"\b(psma|psa|prostate|prostatic|pr[oó]stata|prost[aá]tic[oa]s?|c[aá]ncer\w*|tumou?r(?:es|s)?|oncolog\w*|onc[oó]log\w*"
    r"|urolog\w*|ur[oó]log\w*|results?|resultados?|biops\w*|metast\w*|pluvicto|nuclear|radioactiv\w*)\b",
    re.IGNORECASE,
)
NO_FACTS: Mapping[str, Fact] = {}
_LETTERS = frozenset("áíóúÁÍÓÚ")  # all that Spanish needs beyond GSM-7
_NEEDED = {"source", "segments", "written_on"}
_MAY = {*_NEEDED, "facts", "encoding", "body", *FORMS}


class CatalogError(ValueError):
    """A text file is wrong; the message says which file and line, which key and what to do."""


@dataclass(frozen=True)
class Entry:
    """One approved text in one language: its words by form, where its facts come from, and who has signed it."""

    key: str
    bodies: Mapping[Form, str]
    source: str  # the section of the guide its facts come from, or "service" for our own housekeeping
    facts: tuple[str, ...]  # names in messages/facts.toml
    segments: int  # at most this many, with worst-case values
    encoding: Encoding
    written_on: date
    place: str  # file and line
    reviewed_by: str = DRAFT

    def fields(self, form: Form) -> frozenset[str]:
        """The names that must be given to render this form."""
        return fields_of(self.bodies[form])

    @property
    def signed(self) -> bool:
        """Whether a clinician has signed exactly these words."""
        return self.reviewed_by != DRAFT

    def signed_by(self, who: str, on: date) -> "Entry":
        """The same words with a signature."""
        return replace(self, reviewed_by=f"{who}, {on.isoformat()}")


def fields_of(body: str) -> frozenset[str]:
    """The placeholder names in `body`."""
    return frozenset(name for _, name, _, _ in Formatter().parse(body) if name is not None)


def parse(language: str, name: str, text: str, facts: Mapping[str, Fact] = NO_FACTS) -> dict[str, Entry]:
    """Read one file's texts; raises CatalogError naming the file, the line, the key and the remedy."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError(f"{language}/{name}: not readable TOML: {error}") from error
    defaults = table.pop("file", {})
    found = {}
    for key, fields in table.items():
        place = f"{language}/{name}:{_line(text, key)}"
        found[key] = _entry(f"{place}: {key}", key, language, {**defaults, **fields}, facts)
        found[key] = replace(found[key], place=place)
    return found


def _line(text: str, key: str) -> int:
    head = re.search(rf"^\[{re.escape(key)}\]", text, re.MULTILINE)
    return text.count("\n", 0, head.start()) + 1 if head else 1


def _entry(place: str, key: str, language: str, fields: dict[str, Any], facts: Mapping[str, Fact]) -> Entry:
    missing = _NEEDED - fields.keys()
    if missing:
        raise CatalogError(f"{place}: add {', '.join(sorted(missing))}")
    unknown = fields.keys() - _MAY
    if unknown:
        raise CatalogError(f"{place}: remove {', '.join(sorted(unknown))}")
    bodies: dict[Form, str] = {form: fields[form].strip() for form in FORMS if form in fields}
    if "body" in fields:
        if bodies:
            raise CatalogError(f"{place}: give either `body` or the forms, not both")
        bodies = {form: fields["body"].strip() for form in FORMS}
    if "detailed" not in bodies:
        raise CatalogError(f"{place}: add a `body`, or at least the `detailed` form")
    entry = Entry(
        key,
        bodies,
        fields["source"],
        tuple(fields.get("facts", ())),
        fields["segments"],
        fields.get("encoding", "GSM-7"),
        fields["written_on"],
        place,
    )
    try:
        known = named(entry.facts, facts)
    except FactsError as error:
        raise CatalogError(f"{place}: {error}") from error
    for form, body in bodies.items():
        _check_words(f"{place} ({form})", form, body)
        odd = unsupported(body, known)
        if odd:
            raise CatalogError(f"{place} ({form}): the figure {odd[0]!r} is in none of its facts: name the fact it is")
    _check_encoding(place, language, entry)
    return entry


def _check_words(place: str, form: Form, body: str) -> None:
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


def _check_encoding(place: str, language: str, entry: Entry) -> None:
    """A letter that changes the alphabet of a whole text is meant, or it is an error."""
    if entry.encoding not in ENCODINGS or (language == "en" and entry.encoding != "GSM-7"):
        raise CatalogError(
            f"{place}: encoding {entry.encoding!r} is not one for {language}: GSM-7, in Spanish also UCS-2"
        )
    flips = {form: outside_gsm(body) for form, body in entry.bodies.items()}
    for form, letters in flips.items():
        odd = set(letters) - (_LETTERS if language == "es" else frozenset())
        if odd:
            raise CatalogError(
                f"{place} ({form}): {''.join(sorted(odd))!r} would change the encoding of the whole text; "
                "use plain characters"
            )
        if letters and entry.encoding == "GSM-7":
            raise CatalogError(
                f"{place} ({form}): {letters!r} would change the encoding of the whole text; "
                'say encoding = "UCS-2" and count 70, 134, 201 characters, or choose other words'
            )
    if entry.encoding == "UCS-2" and not any(flips.values()):
        raise CatalogError(f'{place}: is plain after all; say encoding = "GSM-7"')
