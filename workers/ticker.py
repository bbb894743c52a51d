"""The ticker: looks in the database for whatever is due or was forgotten, and rings. Safe to run several.

Redis may lose every ring and a worker may die with a row in its hands: the next tick finds the row again. One turn is a
function of the moment, so tests and the demo's time slider run exactly as many turns as they need.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from service.doorbell import JOBS
from service.store.work import Bell, beat, next_look, waiting
from service.wiring import Parts

log = logging.getLogger(__name__)


SOONEST = 0.5  # seconds: while many wait a turn comes often; what a sender missed meanwhile it makes up at once


def tick(parts: Parts, now: datetime, unheard: Callable[[str], int], *, at_start: bool = False) -> float:
    """One turn: ring for everything that is due at `now`; returns in how many seconds to look again.

    Where as many rings of a queue are `unheard` as would be added, the workers are behind or away: more would only hold
    them up, or fill Redis for as long as nobody listens.
    """
    with parts.database.cross() as connection:
        rings = waiting(connection, now, at_start=at_start)
        soon = next_look(connection, now)
        beat(connection, "ticker", now)
    sends = sum(bell[0] in ("send", "send_now") for bell in rings)
    for bells in _by_queue(rings):
        if unheard(bells[0][0]) < len(bells):
            for bell in bells:
                parts.ring(*bell)
    usual = parts.settings.tick_seconds
    if sends:  # a claim takes what the pace allows; the rest of a number's texts waits a moment
        return min(usual, SOONEST)
    return usual if soon is None else min(usual, max(SOONEST, (soon - now).total_seconds()))


def _by_queue(rings: list[Bell]) -> list[list[Bell]]:
    """The rings of each queue that gets any."""
    found: dict[str, list[Bell]] = {}
    for bell in rings:
        found.setdefault(JOBS[bell[0]][0], []).append(bell)
    return list(found.values())


def run(parts: Parts, stop: threading.Event, unheard: Callable[[str], int]) -> None:
    """Tick until told to stop. A database that is away is waited for, not died of."""
    at_start = True  # we may have been away: ask for what was missed, whenever that was done last
    while not stop.is_set():
        again = parts.settings.tick_seconds
        try:
            again = tick(parts, parts.now(), unheard, at_start=at_start)
            at_start = False
        except SQLAlchemyError:
            log.warning("the database did not answer this tick; trying again")
        stop.wait(again)
