"""Set up a clinic, its site and number, its people and keys. What only the clinic can say is never guessed.

A clinic whose required fields are not all filled is stored but not live: its number sends nothing and says why.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flows.limits import WINDOW
from flows.model import Keywords
from messages.catalog import DISCLOSING, LANGUAGES
from messages.limits import room
from messages.sms import outside_gsm
from service import keys
from service.errors import Conflict, Invalid, NotFound
from service.intake import read_phone, zones
from service.store.database import Database
from service.store.people import ApiKey, Clinic, Sender, Site, Staff

# What a site says in its texts, the general ones too: it must not disclose. The second may be said in other languages.
SAYS = ("radiation", "results_timing", "food_drink", "arrival_note")
TRANSLATED = ("prep", *SAYS)


@dataclass(frozen=True)
class SiteFacts:
    """What a site must say before it can go live; empty means not yet said."""

    name: str
    zone: str
    address: str = ""
    phone: str = ""
    after_hours_phone: str = ""
    on_call_phone: str = ""
    on_call_phone_2: str = ""
    prep: Mapping[str, str] = field(default_factory=dict)  # by tracer
    radiation: str = ""
    results_timing: str = ""
    food_drink: str = ""
    arrival_note: str = ""
    results_days: int | None = None  # days after the visit by which he should have heard
    translations: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # language -> TRANSLATED fields
    terms_url: str = ""
    window_start: time = WINDOW[0]
    window_end: time = WINDOW[1]


def check(facts: SiteFacts) -> SiteFacts:
    """The facts with every number as E.164. Raises Invalid naming the field that cannot be texted."""
    if not facts.name.strip():
        raise Invalid("name", "must not be empty")
    if DISCLOSING.search(facts.name):
        raise Invalid("name", f"{facts.name!r} tells what the visit is about; choose a neutral name for texts")
    if facts.zone not in zones():
        raise Invalid("zone", "an IANA time zone such as America/New_York")
    if facts.window_start >= facts.window_end:
        raise Invalid("window_start", "must be before window_end")
    said = [("name", facts.name), ("address", facts.address), ("terms_url", facts.terms_url), *_said(facts.__dict__)]
    for name, words in said:
        _check_said(name, name, words, plain=True)
    for language, fields in facts.translations.items():
        _check_translation(language, fields)
    if facts.results_days is not None and not 0 < facts.results_days <= 60:
        raise Invalid("results_days", "between 1 and 60 days after the visit")
    numbers = {
        name: read_phone(name, getattr(facts, name))
        for name in ("phone", "after_hours_phone", "on_call_phone", "on_call_phone_2")
        if getattr(facts, name)
    }
    return SiteFacts(**{**facts.__dict__, **numbers})


def _said(fields: Mapping[str, object]) -> list[tuple[str, str]]:
    """(field, words) of everything that is said, instructions by tracer."""
    prep = fields.get("prep") or {}
    assert isinstance(prep, Mapping)
    return [(f"prep.{tracer}", str(words)) for tracer, words in prep.items()] + [
        (name, str(fields.get(name) or "")) for name in SAYS
    ]


def _check_said(place: str, name: str, words: str, *, plain: bool) -> None:
    told, flips = DISCLOSING.search(words), outside_gsm(words)
    if told:
        raise Invalid(place, f"{told.group()!r} tells what the visit is about; this text is also said discreetly")
    if flips and plain:
        raise Invalid(place, f"{flips!r} would change the encoding of the whole text; use plain characters")
    longest = room(name.partition(".")[0], words)
    if len(words) > longest:
        letters = " (letters such as á take more room)" if flips else ""
        raise Invalid(place, f"at most {longest} characters{letters}, so that texts stay short")


def _check_translation(language: str, fields: Mapping[str, object]) -> None:
    if language not in LANGUAGES[1:]:
        raise Invalid(f"translations.{language}", f"one of {', '.join(LANGUAGES[1:])}; English stands in the fields")
    unknown = fields.keys() - set(TRANSLATED)
    if unknown:
        raise Invalid(f"translations.{language}.{sorted(unknown)[0]}", f"one of {', '.join(TRANSLATED)}")
    for name, words in _said(fields):
        _check_said(f"translations.{language}.{name}", name, words, plain=False)


def missing(site: Site) -> list[str]:
    """The required fields that are still empty; a site is live only when there are none."""
    names = (
        "address",
        "phone",
        "after_hours_phone",
        "on_call_phone",
        "radiation",
        "results_timing",
        "terms_url",
        "prep",
    )
    return [name for name in names if not getattr(site, name)]


@dataclass(frozen=True)
class AddedClinic:
    """What was made: ids, and what is missing before it is live."""

    clinic_id: int
    site_id: int
    sender_id: int
    live: bool
    missing: tuple[str, ...]


def add_clinic(
    database: Database, name: str, number: str, facts: SiteFacts, *, keywords: str = "default", now: datetime
) -> AddedClinic:
    """Add a clinic with one site and one number. Raises Invalid, or Conflict if name or number is taken."""
    checked, phone = check(facts), read_phone("number", number)
    if keywords not in set(Keywords):
        raise Invalid("keyword_handling", f"one of {', '.join(Keywords)}")
    with database.unscoped() as session:
        clinic_id = int(session.execute(text("select nextval('clinics_id_seq')")).scalar_one())
    try:
        with database.clinic(clinic_id) as session:
            session.add(Clinic(id=clinic_id, name=name, created_at=now))
            session.flush()
            site = Site(clinic_id=clinic_id, **_columns(checked))
            lacking = missing(site)
            sender = Sender(
                clinic_id=clinic_id, phone=phone, keyword_handling=keywords, segments_per_second=1, live=not lacking
            )
            session.add_all([site, sender])
            session.flush()
            return AddedClinic(clinic_id, site.id, sender.id, not lacking, tuple(lacking))
    except IntegrityError as error:
        raise Conflict("a clinic of this name, or with this number, exists already") from error


def _columns(facts: SiteFacts) -> dict[str, object]:
    translations = {language: dict(fields) for language, fields in facts.translations.items()}
    return {
        **facts.__dict__,
        "prep": dict(facts.prep),
        "translations": translations,
        "on_call_phone_2": facts.on_call_phone_2 or None,
    }


def change_site(database: Database, clinic_id: int, changes: Mapping[str, object]) -> list[str]:
    """Change fields of a clinic's first site; goes live when nothing is missing. Returns what still is."""
    with database.clinic(clinic_id) as session:
        site = session.scalars(select(Site).order_by(Site.id).limit(1).with_for_update()).one_or_none()
        if site is None:
            raise NotFound(f"there is no clinic {clinic_id}")
        now = {name: getattr(site, name) for name in SiteFacts.__dataclass_fields__}
        now["on_call_phone_2"] = now["on_call_phone_2"] or ""
        told = changes.get("translations")
        if isinstance(told, Mapping):  # each language's fields are added to what it says already
            merged = {
                **now["translations"],
                **{lang: {**now["translations"].get(lang, {}), **told[lang]} for lang in told},
            }
            changes = {**changes, "translations": merged}
        for name, value in _columns(check(SiteFacts(**{**now, **changes}))).items():
            setattr(site, name, value)
        lacking = missing(site)
        for sender in session.scalars(select(Sender)):
            sender.live = not lacking
        return lacking


def add_staff(database: Database, clinic_id: int, email: str, name: str, password: str) -> int:
    """Give someone a log-in to the clinic's pages; returns the id."""
    if len(password) < 8:
        raise Invalid("password", "at least 8 characters")
    if "@" not in email or len(email) > 200:
        raise Invalid("email", "an e-mail address")
    try:
        with database.clinic(clinic_id) as session:
            staff = Staff(
                clinic_id=clinic_id, email=email.lower(), name=name, password_hash=keys.hash_password(password)
            )
            session.add(staff)
            session.flush()
            return staff.id
    except IntegrityError as error:
        raise Conflict(f"cannot add {email}: the address is taken, or there is no clinic {clinic_id}") from error


def add_operator(database: Database, email: str, name: str, password: str) -> int:
    """Give someone a log-in to the operators' pages; returns the id."""
    if len(password) < 8:
        raise Invalid("password", "at least 8 characters")
    try:
        with database.cross() as connection:
            return int(
                connection.execute(
                    text("insert into operators (email, name, password_hash) values (:e, :n, :p) returning id"),
                    {"e": email.lower(), "n": name, "p": keys.hash_password(password)},
                ).scalar_one()
            )
    except IntegrityError as error:
        raise Conflict(f"{email} is an operator already") from error


def add_key(database: Database, clinic_id: int, label: str, *, now: datetime) -> tuple[int, str]:
    """Make an API key; returns its id and the key itself, which is shown once and kept only as a digest."""
    token = f"sg_{secrets.token_urlsafe(32)}"
    with database.clinic(clinic_id) as session:
        _must_exist(session, clinic_id)
        key = ApiKey(clinic_id=clinic_id, label=label, digest=keys.digest(token), created_at=now)
        session.add(key)
        session.flush()
        return key.id, token


def _must_exist(session: Session, clinic_id: int) -> None:
    if session.get(Clinic, clinic_id) is None:
        raise NotFound(f"there is no clinic {clinic_id}")
