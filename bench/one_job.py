"""The usual ways of sending: one job a message (claim one row, call the carrier, record), with RQ, Celery and dramatiq.

Each as its own documentation sets it up for speed. Celery and dramatiq are needed here only (`make bench` installs them);
where they are missing the benchmark says so. `PROCESSES` is the number of processes that send, as many as ours.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from redis import Redis
from rq import Queue, SimpleWorker, Worker
from rq.serializers import JSONSerializer
from sqlalchemy import text

from bench.common import ACCOUNT, TOKEN, module, process
from service import doorbell
from service.carrier.port import Message
from service.carrier.twilio import twilio_carrier
from service.settings import Settings
from service.store.database import Database

PROCESSES = 2
NUMBER = "+16465550001"
BROKER = "BENCH_BROKER"  # the variable that tells Celery's and dramatiq's own commands where Redis is

_CLAIM = text("""
    update outbound set status = 'sending', attempts = attempts + 1
    where clinic_id = :clinic and id = :id and status = 'queued' returning phone, body, ref
""")
# As cheap as ours: a lost record leaves `sending`, which is looked up, so nothing waits for the disk.
_RECORD = text("""
    update outbound set status = 'accepted', provider_sid = :sid
    from (select set_config('synchronous_commit', 'off', true)) as quick
    where clinic_id = :clinic and id = :id
""")
_parts: dict[str, Any] = {}
_lock = threading.Lock()


def send_one(database_url: str, api_url: str, clinic: int, outbound_id: int) -> None:
    """The job itself, the same for all."""
    database, carrier = _opened(database_url, api_url)
    with database.clinic(clinic) as session:
        row = session.execute(_CLAIM, {"clinic": clinic, "id": outbound_id}).one_or_none()
    if row is None:
        return
    sid = carrier.send(Message(row.phone, row.body, NUMBER, None, f"http://127.0.0.1/{row.ref}", 36000))
    with database.clinic(clinic) as session:
        session.execute(_RECORD, {"sid": sid, "clinic": clinic, "id": outbound_id})


def _opened(database_url: str, api_url: str) -> Any:
    """This process's database and carrier, opened at its first job."""
    with _lock:
        if "one" not in _parts:
            _parts["one"] = Database(database_url, doorbell.silent), carrier_at(api_url)
        return _parts["one"]


def carrier_at(api_url: str) -> Any:
    """The product's own adapter, pointed at the local carrier."""
    return twilio_carrier(Settings(twilio_account_sid=ACCOUNT, twilio_auth_token=TOKEN, twilio_api_url=api_url))


@dataclass(frozen=True)
class Way:
    """How to run the workers for a while, and how to queue one job. `count` makes a run of at least five seconds or so."""

    workers: Callable[[], Any]
    enqueue: Callable[..., Any]
    count: int
    warm_up: int


def rq_way(redis_url: str, kind: str, count: int) -> Way:
    """RQ: `forking` is its default worker, `simple` runs jobs in the worker's own process."""
    connection = Redis.from_url(redis_url)
    queue = Queue("one", connection=connection, serializer=JSONSerializer)

    @contextmanager
    def workers() -> Iterator[None]:
        with ExitStack() as stack:
            for _ in range(PROCESSES):
                stack.enter_context(process(_rq_worker, redis_url, kind))
            yield

    def enqueue(*args: Any) -> None:
        queue.enqueue_call("bench.one_job.send_one", args=args, result_ttl=0, failure_ttl=60)

    return Way(workers, enqueue, count, 5 * PROCESSES)


def _rq_worker(redis_url: str, kind: str) -> None:
    # Built once and thrown away, so that a forked job finds its carrier's and driver's modules imported.
    carrier_at("http://127.0.0.1")
    Database("postgresql://127.0.0.1", doorbell.silent)
    connection = Redis.from_url(redis_url)
    queue = Queue("one", connection=connection, serializer=JSONSerializer)
    kinds: dict[str, Callable[..., Any]] = {"simple": SimpleWorker, "forking": Worker}
    kinds[kind]([queue], connection=connection, serializer=JSONSerializer, log_job_description=False).work(
        logging_level="ERROR"
    )


def celery_way(redis_url: str, count: int) -> Way | None:
    """Celery: a prefork pool, early acknowledgement, JSON, no results, no gossip between workers."""
    if find_spec("celery") is None:
        return None
    os.environ[BROKER] = redis_url
    from bench.celery_app import send

    run = partial(
        module, "celery", "-A", "bench.celery_app", "worker", "--pool", "prefork", "--concurrency", str(PROCESSES),
        "--loglevel", "ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat", **{BROKER: redis_url},
    )  # fmt: skip
    return Way(run, send.delay, count, 100)


def dramatiq_way(redis_url: str, count: int) -> Way | None:
    """dramatiq: its default of eight threads in each process."""
    if find_spec("dramatiq") is None:
        return None
    os.environ[BROKER] = redis_url
    from bench.dramatiq_app import send

    run = partial(
        module, "dramatiq", "bench.dramatiq_app", "--processes", str(PROCESSES), "--threads", "8", "--skip-logging",
        **{BROKER: redis_url},
    )  # fmt: skip
    return Way(run, send.send, count, 200)
