"""Sending what is due, against the usual ways of doing the same sends.

The same rows, the same carrier on loopback, the same Twilio adapter, as many processes. `batch` is ours, through
`scanguide worker` and the full gate. The two RQ baselines run one job a message (claim, call, record): with RQ's default
forking worker, and with a pool of SimpleWorkers. `bare loop` only makes the HTTP calls.
"""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import create_engine, text

from bench.common import SPAWN, Line, against, fast_carrier, free_port, process, servers, wait_for_port
from service import clock, doorbell
from service.carrier.port import Message
from service.carrier.twilio import twilio_carrier
from service.clinics import add_clinic
from service.demo_data import CLINIC_NUMBER, SITE
from service.settings import Settings
from service.store.database import Database, driver_url

PROCESSES, ROUNDS = 2, 3
BATCH, SIMPLE, FORKING = 12000, 600, 24
_PEOPLE = text("""
    with patient as (
      insert into patients (clinic_id, external_id, given_name, language, created_at)
      select :clinic, 'P-' || n, 'Walter', 'en', :now from generate_series(1, :count) n returning id, external_id
    ), contact as (
      insert into contact_points (clinic_id, phone, phone_hash, created_at)
      select :clinic, '+1212' || lpad(n::text, 7, '0'), 'h' || n, :now from generate_series(1, :count) n
      returning id, phone_hash
    ), pair as (
      select p.id as patient_id, c.id as contact_id, substr(c.phone_hash, 2)::int as n
      from patient p join contact c on c.phone_hash = 'h' || substr(p.external_id, 3)
    ), consent as (
      insert into consents (clinic_id, patient_id, contact_point_id, kind, given, obtained_by, how, at)
      select :clinic, patient_id, contact_id, 'texts', true, 'bench', 'made up', :now from pair
    )
    insert into scans (clinic_id, external_id, patient_id, contact_point_id, site_id, arrival_at, starts_at, arrival_wall,
      zone, tracer, reason, state, plan_version, arrival_version, created_at, changed_at)
    select :clinic, 'S-' || n, patient_id, contact_id, :site, cast(:arrival as timestamptz), :arrival, '', 'America/New_York',
      'Pylarify', 'unknown', 'booked', 1, 1, :now, :now from pair
""")
_CONVERSATIONS = text("""
    insert into conversations (clinic_id, contact_point_id, patient_id, scan_id, script, state, attempts, reasked,
      options, pending, care_pause)
    select clinic_id, contact_point_id, patient_id, id, 's', 'ready', 0, false, '[]', '', false from scans
""")
_TEXTS = text("""
    insert into outbound (clinic_id, ref, sender_id, contact_point_id, phone, scan_id, key, language, form, script, body,
      body_hash, segments, priority, automated, logistics, exempt, plan_version, due_at, valid_until, status, reason,
      attempts, listings, created_at, changed_at)
    select s.clinic_id, md5(random()::text || s.id), :sender, s.contact_point_id, c.phone, s.id, 'prepare', 'en', 'detailed',
      's', repeat('Please arrive at 9:15 am. ', 11), 'x', 2, 4, true, false, false, 1, :now,
      cast(:now as timestamptz) + interval '1 day', 'queued', '', 0, 0, :now, :now
    from scans s join contact_points c on c.clinic_id = s.clinic_id and c.id = s.contact_point_id
""")


def _worker(settings: Settings) -> None:
    import os

    from service.embedded import environment
    from workers.run import worker

    os.environ.update(environment(settings), SECRET_KEY=settings.secret_key)
    from service.settings import load

    worker(load())


def send_one(database_url: str, redis_url: str, api_url: str, clinic: int, outbound_id: int) -> None:
    """The baseline's job: claim one row, call, record."""
    parts = PARTS.get("one")
    if parts is None:
        settings = Settings(twilio_account_sid="AC" + "b" * 32, twilio_auth_token="t", twilio_api_url=api_url)
        parts = PARTS["one"] = (Database(database_url, doorbell.silent), twilio_carrier(settings))
    database, carrier = parts
    with database.clinic(clinic) as session:
        row = session.execute(
            text("update outbound set status = 'sending', attempts = attempts + 1 where clinic_id = :c and id = :i "
                 "and status = 'queued' returning phone, body, ref"), {"c": clinic, "i": outbound_id}
        ).one_or_none()  # fmt: skip
    if row is None:
        return
    sid = carrier.send(Message(row.phone, row.body, CLINIC_NUMBER, None, f"http://127.0.0.1/{row.ref}", 36000))
    with database.clinic(clinic) as session:
        session.execute(
            text("update outbound set status = 'accepted', provider_sid = :s where clinic_id = :c and id = :i"),
            {"s": sid, "c": clinic, "i": outbound_id},
        )


PARTS: dict[str, Any] = {}


def _rq_worker(redis_url: str, kind: str) -> None:
    twilio_carrier(Settings())  # so that a forked job finds everything imported
    connection = Redis.from_url(redis_url)
    queue = Queue("one", connection=connection, serializer=JSONSerializer)
    workers: dict[str, Callable[..., Any]] = {"simple": SimpleWorker, "forking": Worker}
    workers[kind]([queue], connection=connection, serializer=JSONSerializer, log_job_description=False).work(
        logging_level="ERROR"
    )


def _loop(api_url: str, count: int, go: Any, done: Any) -> None:
    settings = Settings(twilio_account_sid="AC" + "b" * 32, twilio_auth_token="t", twilio_api_url=api_url)
    carrier = twilio_carrier(settings)
    body = "Please arrive at 9:15 am. " * 11
    carrier.send(Message("+12120000000", body, CLINIC_NUMBER, None, "http://127.0.0.1/x", 36000))
    done.wait()
    go.wait()
    for n in range(count):
        carrier.send(Message(f"+1212{n:07d}", body, CLINIC_NUMBER, None, f"http://127.0.0.1/{n:032x}", 36000))
    done.wait()


class _Bench:
    """Seeds rows, runs each way of sending them, and times from the first ring to the last row."""

    def __init__(self, settings: Settings, carrier_port: int) -> None:
        self.settings = settings.model_copy(update={"twilio_api_url": f"http://127.0.0.1:{carrier_port}"})
        self.database = Database(settings.database_url, doorbell.silent)
        now = clock.utc_now() - timedelta(minutes=1)
        site = SITE.__class__(
            **{**SITE.__dict__, "window_start": SITE.window_start.min, "window_end": SITE.window_end.max}
        )
        made = add_clinic(self.database, "Bench", CLINIC_NUMBER, site, keywords="ours", now=now)
        self.clinic, self.sender = made.clinic_id, made.sender_id
        self.owner = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
        values = {
            "clinic": self.clinic,
            "count": BATCH,
            "now": now,
            "site": made.site_id,
            "arrival": now + timedelta(days=3),
        }
        with self.owner.connect() as connection:
            connection.execute(_PEOPLE, values)
            connection.execute(_CONVERSATIONS)
        self.redis = Redis.from_url(settings.redis_url)

    def fill(self) -> list[int]:
        """Queue one text for everyone, due now; nothing else is in the outbox."""
        with self.owner.connect() as connection:
            connection.execute(text("truncate outbound cascade"))
            connection.execute(_TEXTS, {"sender": self.sender, "now": clock.utc_now() - timedelta(seconds=1)})
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
                while connection.execute(statement, {"c": self.clinic, "ids": some}).scalar_one() < len(some):
                    if time.monotonic() > end:
                        found = connection.execute(
                            text("select status, reason, count(*) from outbound group by 1, 2")
                        ).all()
                        raise TimeoutError(f"{len(ids)} texts were to be accepted: {found}")
                    time.sleep(0.02)

    def batch(self) -> float:
        ids = self.fill()
        ring = doorbell.rq_ring(self.redis)
        with process(_worker, self.settings), process(_worker, self.settings):
            self._until_workers(PROCESSES)
            start = time.perf_counter()
            ring("send", self.clinic, self.sender)
            self.until_accepted(ids)
            return BATCH / (time.perf_counter() - start)

    def one_job_each(self, kind: str, count: int) -> float:
        ids = self.fill()[: count + 5 * PROCESSES]
        queue = Queue("one", connection=self.redis, serializer=JSONSerializer)

        def enqueue(some: list[int]) -> None:
            for outbound_id in some:
                queue.enqueue_call(
                    "bench.outbound.send_one",
                    args=(self.settings.database_url, self.settings.redis_url, self.settings.twilio_api_url, self.clinic,
                          outbound_id), result_ttl=0, failure_ttl=60,
                )  # fmt: skip

        with process(_rq_worker, self.settings.redis_url, kind), process(_rq_worker, self.settings.redis_url, kind):
            self._until_workers(PROCESSES)
            enqueue(ids[count:])  # warm up connections and imports
            self.until_accepted(ids[count:])
            start = time.perf_counter()
            enqueue(ids[:count])
            self.until_accepted(ids[:count])
            return count / (time.perf_counter() - start)

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


def run() -> list[Line]:
    """Each way in turn, several rounds; ratios within a round, medians over the rounds."""
    with servers() as settings:
        port = free_port()
        with process(fast_carrier, port):
            wait_for_port(port)
            bench = _Bench(settings, port)
            rounds = []
            for _ in range(ROUNDS):
                bench.redis.flushall()
                ours = bench.batch()
                bench.redis.flushall()
                simple = bench.one_job_each("simple", SIMPLE)
                bench.redis.flushall()
                forking = bench.one_job_each("forking", FORKING)
                rounds.append((ours, simple, forking, bench.bare_loop()))
            bench.database.forget_connections()
            bench.owner.dispose()
    ours, simple, forking, loop = (statistics.median(values) for values in zip(*rounds, strict=True))

    def ratio(column: int) -> float:
        return statistics.median(row[0] / row[column] for row in rounds)

    return [
        Line(f"batch (ours) {ours:.0f}/s, bare loop {loop:.0f}/s, SimpleWorker pool {simple:.0f}/s, "
             f"forking workers {forking:.0f}/s (medians of {ROUNDS}, {PROCESSES} processes each)"),
        against("ours, against RQ's SimpleWorker pool with one message a job", ratio(1), 8),
        against("ours, against RQ's default forking worker with one message a job", ratio(2), 10),
        against("ours, of a bare loop of the same HTTP calls", ratio(3), 0.7),
    ]  # fmt: skip
