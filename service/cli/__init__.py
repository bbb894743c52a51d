"""The command line: `scanguide`. Every command is a few lines over a use case; errors are one clear line and exit 2."""

import sys

import typer

from service.cli import admin, play, run, script
from service.errors import ScanGuideError

app = typer.Typer(
    help="Text messages that guide a patient through one scan.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
run.register(app)
play.register(app)
script.register(app)
for group in (admin.clinic, admin.user, admin.key):
    app.add_typer(group)


def main() -> None:
    """Run a command; what it refuses is said in one line on standard error."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
    except ScanGuideError as error:
        typer.echo(f"scanguide: {error}", err=True)
        sys.exit(2)
