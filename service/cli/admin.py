"""Set up clinics, people and keys. With `--json` each prints what it made, for other programs."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from messages.catalog import LANGUAGES
from service import clock, doorbell, embedded
from service.clinics import SiteFacts, add_clinic, add_key, add_operator, add_staff, change_site
from service.errors import Invalid
from service.settings import load
from service.store.database import Database

clinic = typer.Typer(name="clinic", help="Clinics and what only they can say.", no_args_is_help=True)
user = typer.Typer(name="user", help="Log-ins.", no_args_is_help=True)
key = typer.Typer(name="key", help="API keys.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@contextmanager
def _database() -> Iterator[Database]:
    with embedded.servers(load()) as ready:
        database = Database(ready.database_url, doorbell.silent)
        try:
            yield database
        finally:
            database.forget_connections()


def _show(made: dict[str, object], as_json: bool) -> None:
    typer.echo(json.dumps(made) if as_json else "\n".join(f"{name}: {value}" for name, value in made.items()))


def _pairs(field: str, written: list[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in written]
    if any(not sign for _, sign, _ in pairs):
        raise Invalid(field, 'write it as NAME=TEXT, such as Pylarify="Drink water."')
    return {name.strip(): words.strip() for name, _, words in pairs}


@clinic.command("add")
def clinic_add(
    name: Annotated[str, typer.Option(help="the clinic's name, for staff and operators")],
    number: Annotated[str, typer.Option(help="its number at the carrier")],
    zone: Annotated[str, typer.Option(help="IANA time zone of the site")] = "America/New_York",
    site: Annotated[str, typer.Option(help="the name said in texts; the clinic's if absent")] = "",
    address: str = "",
    phone: str = "",
    after_hours_phone: str = "",
    on_call_phone: str = "",
    on_call_phone_2: str = "",
    prep: Annotated[list[str], typer.Option(help="TRACER=instructions; may be given several times")] = [],  # noqa: B006
    radiation: Annotated[str, typer.Option(help="the site's advice for afterwards")] = "",
    results_timing: Annotated[str, typer.Option(help="who hears when")] = "",
    food_drink: Annotated[str, typer.Option(help="eating and drinking before")] = "",
    arrival_note: Annotated[str, typer.Option(help="parking, which door")] = "",
    terms_url: str = "",
    keywords: Annotated[str, typer.Option(help="who answers STOP: default, advanced, toll_free, ours")] = "default",
    as_json: Json = False,
) -> None:
    """Add a clinic with its site and number. It is live once every required field is filled."""
    facts = SiteFacts(
        name=site or name,
        zone=zone,
        address=address,
        phone=phone,
        after_hours_phone=after_hours_phone,
        on_call_phone=on_call_phone,
        on_call_phone_2=on_call_phone_2,
        prep=_pairs("prep", prep),
        radiation=radiation,
        results_timing=results_timing,
        food_drink=food_drink,
        arrival_note=arrival_note,
        terms_url=terms_url,
    )
    with _database() as database:
        made = add_clinic(database, name, number, facts, keywords=keywords, now=clock.utc_now())
    _show({**dataclasses.asdict(made), "name": name, "number": number}, as_json)


def _site_changes(given: dict[str, str]) -> dict[str, object]:
    """FIELD=VALUE pairs as nested fields: `prep.TRACER` is a part of `prep`, `es.` says it in Spanish."""
    changes: dict[str, Any] = {}
    for name, words in given.items():
        first, dot, rest = name.partition(".")
        home = changes
        if dot and first in LANGUAGES[1:]:
            home = changes.setdefault("translations", {}).setdefault(first, {})
            first, dot, rest = rest.partition(".")
        if dot:
            home.setdefault(first, {})[rest] = words
        elif first == "results_days":
            home[first] = int(words) if words.isdecimal() else None
        else:
            home[first] = words
    return changes


@clinic.command("set")
def clinic_set(
    clinic_id: int,
    fields: Annotated[
        list[str], typer.Argument(help="FIELD=VALUE; prep.TRACER=TEXT; es.FIELD=TEXT for what is said in Spanish")
    ],
    as_json: Json = False,
) -> None:
    """Change what a clinic's site says; prints what is still missing before it is live."""
    changes = _site_changes(_pairs("fields", fields))
    unknown = changes.keys() - SiteFacts.__dataclass_fields__.keys()
    if unknown:
        raise Invalid(sorted(unknown)[0], f"one of {', '.join(SiteFacts.__dataclass_fields__)}")
    with _database() as database:
        lacking = change_site(database, clinic_id, changes)
    _show({"clinic_id": clinic_id, "live": not lacking, "missing": lacking}, as_json)


@user.command("add")
def user_add(
    email: str,
    name: Annotated[str, typer.Option(help="as shown on the pages")] = "",
    clinic_id: Annotated[int | None, typer.Option("--clinic", help="the clinic; without it an operator")] = None,
    password: Annotated[str, typer.Option(prompt=True, hide_input=True)] = "",
    as_json: Json = False,
) -> None:
    """Give someone a log-in: staff of a clinic, or an operator."""
    with _database() as database:
        if clinic_id is None:
            made = {"role": "operator", "user_id": add_operator(database, email, name or email, password)}
        else:
            staff_id = add_staff(database, clinic_id, email, name or email, password)
            made = {"role": "staff", "user_id": staff_id, "clinic_id": clinic_id}
    _show({**made, "email": email}, as_json)


@key.command("add")
def key_add(
    clinic_id: Annotated[int, typer.Option("--clinic", help="the clinic it acts for")],
    label: Annotated[str, typer.Option(help="which system holds it")] = "api",
    as_json: Json = False,
) -> None:
    """Make an API key. It is shown once and kept only as a digest."""
    with _database() as database:
        key_id, token = add_key(database, clinic_id, label, now=clock.utc_now())
    _show({"key_id": key_id, "clinic_id": clinic_id, "key": token}, as_json)
