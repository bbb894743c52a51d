"""The only file that reads the clock. Everything else is told the time.

In the demo the clock lives in the database as an offset from real time, so that every process shares it and a slider
can move it; anywhere else it is the machine's.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one place


def shifted(offset: Callable[[], timedelta]) -> Clock:
    """A clock that runs `offset()` ahead of the machine's."""
    return lambda: utc_now() + offset()


def stopwatch() -> float:
    """Seconds for measuring how long something took; of no meaning by themselves."""
    return time.perf_counter()
