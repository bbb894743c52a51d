"""The real parts of one process, put together in one place: database, doorbell, carrier, clock, keys."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from flows.script import Script
from service import clock, doorbell, keys
from service.carrier.port import Carrier
from service.carrier.twilio import twilio_carrier
from service.scripts import Scripts, open_scripts
from service.settings import Settings
from service.store.database import Database, Ring


@dataclass(frozen=True)
class Parts:
    """What use cases and doors are given. `now` is the clock: each turn reads it once and passes the moment on."""

    settings: Settings
    database: Database
    carrier: Carrier
    now: Callable[[], datetime]
    ring: Ring
    phone_key: bytes
    scripts: Scripts

    @property
    def script(self) -> Script:
        """What a conversation that begins now runs on; a running one has its own: `scripts.of(focus.script)`."""
        return self.scripts.newest


def open_parts(
    settings: Settings,
    *,
    ring: Ring | None = None,
    database: Database | None = None,
    carrier: Carrier | None = None,
    now: Callable[[], datetime] | None = None,
) -> Parts:
    """Build the parts for `settings` (both addresses set). The carrier's client is built here, before any thread."""
    bell = ring or doorbell.rq_ring(doorbell.connect(settings.redis_url))
    database = database or Database(settings.database_url, bell)
    if now is None:
        now = clock.shifted(demo_offset(database)) if settings.environment == "demo" else clock.utc_now
    return Parts(
        settings=settings,
        database=database,
        carrier=carrier or twilio_carrier(settings),
        now=now,
        ring=bell,
        phone_key=keys.derive(keys.secret_key(settings), "phone"),
        scripts=open_scripts(database, settings, now()),
    )


def demo_offset(database: Database) -> Callable[[], timedelta]:
    """How far the demo's shared clock runs ahead, read from its row each time."""

    def offset() -> timedelta:
        with database.cross() as connection:
            found = connection.execute(text("select value from switches where name = 'clock'")).scalar()
        return timedelta(seconds=float(found or 0))

    return offset
