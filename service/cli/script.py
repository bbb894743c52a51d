"""The script that conversations run on: print, prove, sign, publish it, and move running conversations to another one."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from flows.diagram import mermaid
from flows.shipped import script as shipped
from messages.catalog import LANGUAGES, REVIEWS
from messages.reviews import Review, parse_reviews, words_hash, written
from service import clock, doorbell, embedded, proof, scripts
from service.errors import Invalid
from service.settings import Settings, load
from service.store.database import Database

MESSAGES = Path(__file__).parents[2] / "messages"


def script(
    diagram: Annotated[bool, typer.Option("--diagram", help="print the flow as Mermaid")] = False,
    proof_file: Annotated[Path | None, typer.Option("--proof", help="write the proof pack a clinician signs")] = None,
    table: Annotated[bool, typer.Option("--table", help="print what the texts cost and how they read")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="print where the guide is carried, by section")] = False,
    sign: Annotated[str, typer.Option(help="name of the clinician who signs every text as it stands")] = "",
    key: Annotated[list[str], typer.Option(help="with --sign: only this key; may be given several times")] = [],  # noqa: B006
    publish: Annotated[bool, typer.Option("--publish", help="new conversations start on the shipped script")] = False,
    move: Annotated[str, typer.Option(help="OLD:NEW hashes; who would be moved")] = "",
    state: Annotated[list[str], typer.Option(help="with --move: OLD=NEW state; may be given several times")] = [],  # noqa: B006
    really: Annotated[bool, typer.Option("--really", help="with --move: do it")] = False,
) -> None:
    """Show the shipped script's name and hash, or do one thing with it."""
    if diagram:
        typer.echo(mermaid(shipped()), nl=False)
    elif proof_file is not None:
        proof_file.write_text(proof.pack(shipped(), clock.utc_now().date()), encoding="utf-8")
        typer.echo(f"written: {proof_file}")
    elif table:
        typer.echo(proof.as_table(proof.summary(shipped())))
    elif coverage:
        typer.echo(proof.coverage(shipped()))
    elif sign:
        _sign(sign, key, clock.utc_now().date())
    elif publish:
        _with_database(_publish)
    elif move:
        _with_database(lambda database, _: _move(database, move, state, really))
    else:
        typer.echo(f"{shipped().name} {shipped().digest}")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(script)


def _with_database(work: Callable[[Database, Settings], None]) -> None:
    with embedded.servers(load()) as ready:
        database = Database(ready.database_url, doorbell.silent)
        try:
            work(database, ready)
        finally:
            database.forget_connections()


def _publish(database: Database, settings: Settings) -> None:
    digest = scripts.publish(database, settings, by="command line", now=clock.utc_now())
    unsigned = len(shipped().texts.unsigned())
    typer.echo(f"published {digest}" + (f" ({unsigned} texts not signed)" if unsigned else ""))


def _move(database: Database, which: str, states: list[str], really: bool) -> None:
    old, colon, new = which.partition(":")
    if not colon or any("=" not in pair for pair in states):
        raise Invalid("move", "OLD:NEW hashes, and for each renamed state --state OLD=NEW")
    affected = scripts.move(database, old, new, dict(pair.split("=", 1) for pair in states), really=really)
    for row in affected:
        typer.echo(f"clinic {row.clinic_id}: {row.conversations} in {row.state!r} -> {row.to!r}")
    verb = "moved" if really else "would be moved; run again with --really"
    typer.echo(f"{sum(row.conversations for row in affected)} conversations {verb}")


def _sign(by: str, only: list[str], on: date) -> None:
    """Write signatures into the shipped table, each over the words as they stand."""
    texts = shipped().texts
    unknown = set(only) - texts.entries[LANGUAGES[0]].keys()
    if unknown:
        raise Invalid("key", f"no text {sorted(unknown)[0]!r}")
    path = MESSAGES / REVIEWS
    reviews = parse_reviews(path.read_text(encoding="utf-8"))
    for language, entries in texts.entries.items():
        for key, entry in entries.items():
            if not only or key in only:
                reviews[language, key] = Review(by, on, words_hash(entry.bodies))
    path.write_text(written(reviews), encoding="utf-8")
    typer.echo(f"signed by {by}: {len(only) or len(texts.entries[LANGUAGES[0]])} keys in {len(LANGUAGES)} languages")
