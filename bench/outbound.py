"""Sending what is due, against the usual ways of doing the same sends.

The same rows, the same carrier on loopback, the same Twilio adapter, as many processes. `batch` is ours, through
`scanguide worker` and the full gate. The baselines run one job a message (bench/one_job.py) and ask no gate. `bare loop`
only makes the HTTP calls. Workers are warm before any clock starts; it stops when the last row is recorded.
"""

import statistics
import time
from datetime import timedelta
from typing import Any

from redis import Redis
from rq import Worker
from sqlalchemy import create_engine, text

from bench import seed
from bench.common import SPAWN, Line, against, fast_carrier, free_port, our_worker, process, servers, wait_for_port
from bench.one_job import NUMBER, PROCESSES, Way, carrier_at, celery_way, dramatiq_way, rq_way
from service import clock, doorbell
from service.carrier.port import Message
from service.settings import Settings
from service.store.database import Database, driver_url

ROUNDS, BATCH = 3, 12000
INSTALL = "not installed: pip install 'celery[redis]' 'dramatiq[redis]', or run `make bench`"


def _loop(api_url: str, count: int, go: Any, done: Any) -> None:
    carrier = carrier_at(api_url)
    carrier.send(Message("+12120000000", seed.BODY, NUMBER, None, "http://127.0.0.1/x", 36000))
    done.wait()
    go.wait()
    for n in range(count):
        carrier.send(Message(f"+1212{n:07d}", seed.BODY, NUMBER, None, f"http://127.0.0.1/{n:032x}", 36000))
    done.wait()


class _Bench:
    """Seeds rows, runs each way of sending them, and times from the first ring to the last row."""

    def __init__(self, settings: Settings, carrier_port: int) -> None:
        self.settings = settings.model_copy(update={"twilio_api_url": f"http://127.0.0.1:{carrier_port}"})
        self.database = Database(settings.database_url, doorbell.silent)
        now = clock.utc_now() - timedelta(minutes=1)
        (self.place,) = places = seed.clinics(self.database, 1, now)
        self.owner = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
        with self.owner.connect() as connection:
            seed.people(connection, places, [BATCH], now)
        self.redis = Redis.from_url(settings.redis_url)

    def fill(self) -> list[int]:
        """Queue one text for everyone, due now; nothing else is in the outbox or in Redis."""
        self.redis.flushall()
        with self.owner.connect() as connection:
            connection.execute(text("truncate outbound cascade"))
            seed.texts(connection, clock.utc_now() - timedelta(seconds=1))
            connection.execute(text("analyze"))
            return list(connection.execute(text("select id from outbound order by id")).scalars())

    def until_accepted(self, ids: list[int], seconds: float = 120) -> None:
        """Wait until all of these are recorded as accepted, looking only at the last of them: looking costs time too."""
        statement = text(
            "select count(*) from outbound where clinic_id = :c and id = any(:ids) and status = 'accepted'"
        )
        end = time.monotonic() + seconds
        with self.owner.connect() as connection:
            for some in (ids[-100:], ids):
                while connection.execute(statement, {"c": self.place.clinic, "ids": some}).scalar_one() < len(some):
                    if time.monotonic() > end:
                        found = connection.execute(
                            text("select status, reason, count(*) from outbound group by 1, 2")
                        ).all()
                        raise TimeoutError(f"{len(ids)} texts were to be accepted: {found}")
                    time.sleep(0.02)

    def batch(self) -> float:
        ids = self.fill()
        ring = doorbell.rq_ring(self.redis)
        with process(our_worker, self.settings), process(our_worker, self.settings):
            self._until_workers(PROCESSES)
            start = time.perf_counter()
            ring("send", self.place.clinic, self.place.sender)
            self.until_accepted(ids)
            return BATCH / (time.perf_counter() - start)

    def one_job_each(self, way: Way) -> float:
        ids = self.fill()[: way.count + 2 * way.warm_up]

        def work_off(some: list[int]) -> float:
            start = time.perf_counter()
            for outbound_id in some:
                way.enqueue(
                    self.settings.database_url, self.settings.twilio_api_url, self.place.clinic, outbound_id
                )  # fmt: skip
            self.until_accepted(some)
            return time.perf_counter() - start

        with way.workers():
            for n in (0, 1):  # twice, with a pause: whichever process is up last finds something to warm up with
                work_off(ids[n * way.warm_up : (n + 1) * way.warm_up])
                time.sleep(2)
            return way.count / work_off(ids[2 * way.warm_up :])

    def bare_loop(self) -> float:
        count = BATCH // PROCESSES
        go, done = SPAWN.Event(), SPAWN.Barrier(PROCESSES + 1)
        url = self.settings.twilio_api_url
        with process(_loop, url, count, go, done), process(_loop, url, count, go, done):
            done.wait()
            start = time.perf_counter()
            go.set()
            done.wait()
            return count * PROCESSES / (time.perf_counter() - start)

    def _until_workers(self, count: int) -> None:
        while len(Worker.all(connection=self.redis)) < count:
            time.sleep(0.05)


def _ways(redis_url: str) -> dict[str, tuple[Way | None, float]]:
    """Each baseline and how many times as fast we are to be."""
    return {
        "RQ's SimpleWorker pool": (rq_way(redis_url, "simple", 600), 8),
        "RQ's default forking worker": (rq_way(redis_url, "forking", 150), 10),
        "Celery (prefork)": (celery_way(redis_url, 2000), 1),
        "dramatiq (8 threads a process)": (dramatiq_way(redis_url, 2000), 1),
    }


def run() -> list[Line]:
    """Each way in turn, several rounds; ratios within a round, medians over the rounds."""
    rounds: list[dict[str, float]] = []
    with servers() as settings:
        port = free_port()
        with process(fast_carrier, port):
            wait_for_port(port)
            bench, ways = _Bench(settings, port), _ways(settings.redis_url)
            for _ in range(ROUNDS):
                rates = {"batch (ours)": bench.batch(), "bare loop": bench.bare_loop()}
                rates |= {name: bench.one_job_each(way) for name, (way, _) in ways.items() if way is not None}
                rounds.append(rates)
            bench.database.forget_connections()
            bench.owner.dispose()

    def ratio(name: str) -> float:
        return statistics.median(rates["batch (ours)"] / rates[name] for rates in rounds)

    medians = ", ".join(f"{name} {statistics.median(rates[name] for rates in rounds):.0f}/s" for name in rounds[0])
    lines = [Line(f"{medians} (medians of {ROUNDS}, {PROCESSES} processes each)")]
    for name, (way, target) in ways.items():
        what = f"ours, against {name} with one message a job"
        lines.append(Line(f"{what}: {INSTALL}") if way is None else against(what, ratio(name), target))
    return [*lines, against("ours, of a bare loop of the same HTTP calls", ratio("bare loop"), 0.7)]
