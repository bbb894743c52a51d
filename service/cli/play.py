"""Try things without sending anything: route a text, rehearse a journey."""

import json
import os
import sys
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from flows.router import Context
from flows.router import route as decide
from service import clock, embedded
from service.settings import load


def route(
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
    lang: Annotated[str, typer.Option(help="en, es or auto")] = "auto",
) -> None:
    """Read one text a line from standard input and print what would be done with it, in order."""
    context = Context("es" if lang == "es" else "en")
    for line in sys.stdin:
        decision = decide(line.rstrip("\n"), context)
        found = {
            "tier": decision.tier,
            "topics": list(dict.fromkeys(TOLD_IN.get(topic, topic) for topic in decision.topics)),
            "safety": sorted({_contract_name(kind.value) for kind in decision.safety}),
            "caution": list(decision.caution),
        }
        shown = f"{found['tier']:8} {', '.join(map(str, decision.topics))} {' '.join(sorted(decision.safety))}"
        typer.echo(json.dumps(found) if as_json else shown.rstrip())


TOLD_IN = {"running_late": "location_arrival"}  # callers know the topic that holds it


def _contract_name(kind: str) -> str:
    """Callers know four safety kinds: a wrong number counts as an opt-out, and so does a death."""
    return {"wrong_number": "opt_out", "died": "opt_out"}.get(kind, kind)


def rehearse(
    arrival: Annotated[str, typer.Option(help="arrival on the site's clock, such as 2027-03-18T09:15")] = "",
    starts: Annotated[str, typer.Option(help="start of the scan; an hour after arrival if absent")] = "",
    booked: Annotated[str, typer.Option(help="when it is booked; now if absent")] = "",
    zone: Annotated[str, typer.Option(help="the site's time zone")] = "America/New_York",
    language: Annotated[str, typer.Option(help="en or es")] = "en",
    reason: Annotated[str, typer.Option(help="staging, recurrence, advanced or unknown")] = "recurrence",
    reply: Annotated[list[str], typer.Option(help="TOUCHPOINT: words; in order; may be given several times")] = [],  # noqa: B006
    replies: Annotated[Path | None, typer.Option(help="a file of such lines", exists=True, dir_okay=False)] = None,
) -> None:
    """Play a whole journey in seconds on a scratch database and print the dated transcript."""
    play = import_module("workers.rehearsal")
    now = clock.utc_now()
    booked_at = play.moment(booked, zone) if booked else now
    arrival_at = play.moment(arrival, zone) if arrival else play.ten_days_ahead(booked_at, zone)
    starts_at = play.moment(starts, zone) if starts else arrival_at + timedelta(hours=1)
    lines = [*reply, *(replies.read_text().splitlines() if replies else ())]
    chosen = tuple(line for line in lines if line.strip() and not line.startswith("#")) or play.USUAL
    settings = load().model_copy(update={"database_url": "", "migrate_database_url": "", "redis_url": "redis://unused"})
    with (
        embedded.servers(settings) as ready,
        play.scratch(ready, f"rehearsal_{os.getpid()}") as url,
    ):
        acts = play.rehearse(ready, url, play.Play(booked_at, arrival_at, starts_at, reason, zone, language, chosen))
    typer.echo(play.show(acts, zone), nl=False)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (route, rehearse):
        app.command()(command)
