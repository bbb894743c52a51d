"""The ticker: looks in the database for whatever is due or was forgotten, and rings. Safe to run several.

Redis may lose every ring and a worker may die with a row in its hands: the next tick finds the row again. One turn is a
function of the moment, so tests and the demo's time slider run exactly as many turns as they need.
"""

import logging
import threading
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from service.store.work import beat, waiting
from service.wiring import Parts

log = logging.getLogger(__name__)


def tick(parts: Parts, now: datetime, *, at_start: bool = False) -> int:
    """One turn: ring for everything that is due at `now`; returns how many rings."""
    with parts.database.cross() as connection:
        rings = waiting(connection, now, at_start=at_start)
        beat(connection, "ticker", now)
    for bell in rings:
        parts.ring(*bell)
    return len(rings)


def run(parts: Parts, stop: threading.Event) -> None:
    """Tick until told to stop. A database that is away is waited for, not died of."""
    at_start = True  # we may have been away: ask for what was missed, whenever that was done last
    while not stop.is_set():
        try:
            tick(parts, parts.now(), at_start=at_start)
            at_start = False
        except SQLAlchemyError:
            log.warning("the database did not answer this tick; trying again")
        stop.wait(parts.settings.tick_seconds)
