"""Set up a clinic, its site and number, its people and keys. What only the clinic can say is never guessed.

A clinic whose required fields are not all filled is stored but not live: its number sends nothing and says why.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from zoneinfo import available_timezones

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flows.limits import WINDOW
from flows.model import Keywords
from messages.catalog import DISCLOSING
from messages.sms import outside_gsm
from service import keys
from service.errors import Conflict, Invalid, NotFound
from service.intake import read_phone
from service.store.database import Database
from service.store.people import ApiKey, Clinic, Sender, Site, Staff

TELLS = ("prep", "radiation", "results_timing", "address")  # said in general texts too: must not disclose
# Characters of each field, so that every text it stands in keeps to its segments (tests/messages proves it).
LONGEST = {"name": 30, "address": 80, "prep": 220, "radiation": 110, "results_timing": 75, "terms_url": 30}


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
    terms_url: str = ""
    window_start: time = WINDOW[0]
    window_end: time = WINDOW[1]


def check(facts: SiteFacts) -> SiteFacts:
    """The facts with every number as E.164. Raises Invalid naming the field that cannot be texted."""
    if not facts.name.strip():
        raise Invalid("name", "must not be empty")
    if DISCLOSING.search(facts.name):
        raise Invalid("name", f"{facts.name!r} tells what the visit is about; choose a neutral name for texts")
    if facts.zone not in available_timezones():
        raise Invalid("zone", "an IANA time zone such as America/New_York")
    if facts.window_start >= facts.window_end:
        raise Invalid("window_start", "must be before window_end")
    said = [(f"prep.{tracer}", words) for tracer, words in facts.prep.items()]
    said += [(name, getattr(facts, name)) for name in TELLS[1:]]
    for name, words in said:
        told, flips = DISCLOSING.search(words), outside_gsm(words)
        if told:
            raise Invalid(name, f"{told.group()!r} tells what the visit is about; this text is also said discreetly")
        if flips:
            raise Invalid(name, f"{flips!r} would change the encoding of the whole text; use plain characters")
    for name, words in (*said, ("name", facts.name), ("terms_url", facts.terms_url)):
        longest = LONGEST[name.partition(".")[0]]
        if len(words) > longest:
            raise Invalid(name, f"at most {longest} characters, so that texts stay short")
    numbers = {
        name: read_phone(name, getattr(facts, name))
        for name in ("phone", "after_hours_phone", "on_call_phone", "on_call_phone_2")
        if getattr(facts, name)
    }
    return SiteFacts(**{**facts.__dict__, **numbers})


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
    return {**facts.__dict__, "prep": dict(facts.prep), "on_call_phone_2": facts.on_call_phone_2 or None}


def change_site(database: Database, clinic_id: int, changes: Mapping[str, object]) -> list[str]:
    """Change fields of a clinic's first site; goes live when nothing is missing. Returns what still is."""
    with database.clinic(clinic_id) as session:
        site = session.scalars(select(Site).order_by(Site.id).limit(1).with_for_update()).one_or_none()
        if site is None:
            raise NotFound(f"there is no clinic {clinic_id}")
        now = {name: getattr(site, name) or "" for name in SiteFacts.__dataclass_fields__}
        for name, value in _columns(check(SiteFacts(**{**now, **changes}))).items():  # type: ignore[arg-type]
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
