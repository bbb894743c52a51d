"""Nine o'clock: a hundred clinics have fifty reminders each due at the same moment, and each number has its pace.

Real workers, the real ticker, the real clock. The texts become due just after a tick, the worst moment. The carrier notes
when each text came. A number may carry so many segments a second, so its k-th text cannot leave before the segments ahead
of it have had their time: `late` is what a text took beyond that, `ahead` one that left before it could be carried.

The pace is ten times the usual, so that a hundred seconds of the morning pass in ten. Wording is not part of this: the
texts lie in the outbox, as those held overnight do.
"""

import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis import Redis
from rq import Worker
from sqlalchemy import Connection, create_engine, text

from bench import seed
from bench.common import (
    Line,
    arrivals,
    at_most,
    fast_carrier,
    free_port,
    our_ticker,
    our_worker,
    process,
    servers,
    wait_for_port,
)
from service import clock, doorbell
from service.settings import Settings
from service.store.database import Database, driver_url

CLINICS, EACH, PROCESSES = 100, 50, 2
SEGMENTS, PACE = 2, 10  # of a text; a second
LEEWAY = 1.0  # seconds: the pace counts whole seconds, so what one second may carry may leave together
WAY = 0.1  # seconds: the way to the carrier takes now longer, now shorter
AHEAD = timedelta(seconds=6)  # more than a tick
PATIENCE = 60.0  # seconds until what has not come counts as lost


@dataclass(frozen=True)
class Measured:
    """What became of the texts of all numbers: seconds late each, and how many left before they could be carried."""

    late: list[float]
    ahead: int
    furthest: float  # seconds by which the worst of them was ahead


def measure(numbers: Iterable[list[float]], due: float) -> Measured:
    """Judge each number's arrivals by its pace, from the moment they were due."""
    late, ahead, furthest = [], 0, 0.0
    for times in numbers:
        free = due  # when this number has carried all that left before
        for k, at in enumerate(sorted(times)):
            late.append(max(0.0, at - (due + k * SEGMENTS / PACE)))
            ahead += free - at > LEEWAY + WAY
            furthest = max(furthest, free - at)
            free = max(free, at) + SEGMENTS / PACE
    return Measured(sorted(late), ahead, furthest)


@contextmanager
def _seeded(settings: Settings) -> Iterator[Connection]:
    """The clinics, their patients and their pace; nothing to send yet."""
    database, now = Database(settings.database_url, doorbell.silent), clock.utc_now() - timedelta(minutes=1)
    places = seed.clinics(database, CLINICS, now)
    database.forget_connections()
    owner = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        seed.people(connection, places, [EACH] * CLINICS, now)
        connection.execute(text("update senders set segments_per_second = :pace"), {"pace": PACE})
        seed.settle(connection)
        yield connection
    owner.dispose()


def _after_a_tick(connection: Connection, since: datetime) -> None:
    """Return just after the ticker has looked."""
    while True:
        at = connection.execute(text("select at from beats where name = 'ticker'")).scalar()
        if at is not None and at > since:
            return
        time.sleep(0.02)


def _nine_o_clock(connection: Connection, settings: Settings, port: int) -> tuple[float, list[tuple[float, str]]]:
    """Let everything become due at once; returns when that was, and what came when."""
    with Redis.from_url(settings.redis_url) as redis:
        while len(Worker.all(connection=redis)) < PROCESSES:
            time.sleep(0.05)
    seed.texts(connection, clock.utc_now(), due="cast(:now as timestamptz) + interval '1 hour'")
    connection.execute(text("analyze outbound"))
    _after_a_tick(connection, clock.utc_now())
    due = clock.utc_now() + AHEAD  # nine o'clock is known before: the ticker wakes for it
    connection.execute(text("update outbound set due_at = :due"), {"due": due})
    end = time.monotonic() + PATIENCE
    while len(came := arrivals(port)) < CLINICS * EACH and time.monotonic() < end:
        time.sleep(1)
    return due.timestamp(), came


def run() -> list[Line]:
    """One morning."""
    port = free_port()
    with servers() as settings, process(fast_carrier, port, True):
        wait_for_port(port)
        ready = settings.model_copy(update={"twilio_api_url": f"http://127.0.0.1:{port}"})
        with (
            _seeded(ready) as connection,
            process(our_worker, ready),
            process(our_worker, ready),
            process(our_ticker, ready),
        ):
            due, came = _nine_o_clock(connection, ready, port)
            whose = connection.execute(text("select phone, sender_id from outbound")).all()
    sender_of = {row.phone: row.sender_id for row in whose}
    numbers: dict[int, list[float]] = {}
    for at, to in came:
        numbers.setdefault(sender_of[to], []).append(at)
    return _lines(measure(numbers.values(), due), came, due, settings.tick_seconds)


def _lines(found: Measured, came: list[tuple[float, str]], due: float, tick: float) -> list[Line]:
    late, texts = found.late, CLINICS * EACH
    took = max(at for at, _ in came) - due if came else 0.0
    lost, twice = texts - len({to for _, to in came}), len(came) - len({to for _, to in came})
    p50, p99 = (statistics.median(late), late[int(len(late) * 0.99)]) if late else (PATIENCE, PATIENCE)
    return [
        Line(f"{CLINICS} clinics, {EACH} texts of {SEGMENTS} segments each, {PACE} segments/s a number: the last left after "
             f"{took:.1f} s, the pace allows {(EACH - 1) * SEGMENTS / PACE:.1f} s (ticks of {tick:.0f} s)"),
        Line(f"late beyond the pace: p50 {p50:.2f} s"),
        at_most("late beyond the pace: p99", p99, 2.0, " s"),
        at_most(f"texts more than {LEEWAY:.0f} s ahead of the pace (the furthest {found.furthest:.1f} s)", found.ahead, 0),
        at_most("texts lost or sent twice", lost + twice, 0),
    ]  # fmt: skip
