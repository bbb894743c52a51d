"""The foreground processes behind `scanguide worker` and `scanguide ticker`; both stop cleanly on SIGTERM."""

import logging
import signal
import threading
from contextlib import suppress
from functools import partial

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer
from rq.timeouts import UnixSignalDeathPenalty
from rq.worker_registration import REDIS_WORKER_KEYS

from service import doorbell
from service.errors import OutOfTime
from service.settings import Settings
from service.wiring import open_parts
from workers import jobs, ticker

log = logging.getLogger(__name__)
RETRY_SECONDS = 0.5


def worker(settings: Settings) -> None:
    """Work off rings until SIGTERM. Jobs run in this very process: forking for each would cost more than a batch.

    A job that hangs is killed by its time-out; a process that dies leaves its rows to the ticker. Where Redis goes away
    RQ's worker ends; this process waits for the doorbell and begins with a new one.
    """
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    redis = doorbell.connect(settings.redis_url)
    jobs.parts()  # opened before the first job: its carrier client is built before any thread
    told = threading.Event()
    while not told.is_set():
        try:
            _Worker(redis, told).work(with_scheduler=False, logging_level="WARNING")
        except RedisError:
            log.warning("the doorbell is out of reach; the worker waits for it")
        except StopRequested:
            return
        if not told.is_set():
            _wait_for(redis, told)


class TimeLimit(UnixSignalDeathPenalty):
    """RQ's alarm, in words of ours: its own is an `Exception`, which the reminder or text in hand would be blamed for."""

    def handle_death_penalty(self, signum: int, frame: object) -> None:
        """The time is up: end the job, whatever it is doing."""
        raise OutOfTime(f"a job took longer than {self._timeout} seconds")


class _Worker(SimpleWorker):
    """RQ's worker, which says whether it ended because it was told to."""

    death_penalty_class = TimeLimit

    def __init__(self, redis: Redis, told: threading.Event) -> None:
        super().__init__(doorbell.queues(redis), connection=redis, serializer=JSONSerializer, log_job_description=False)
        self._told = told

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM or Ctrl-C: after the job in hand this is the last worker."""
        self._told.set()
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]  # RQ ships it untyped

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """A sign of life; a doorbell that has lost its memory is told anew who works here."""
        super().heartbeat(timeout, pipeline)
        if pipeline is None and not self.connection.sismember(REDIS_WORKER_KEYS, self.key):
            self.connection.delete(self.key)
            self.register_birth()  # type: ignore[no-untyped-call]  # RQ ships it untyped


def _wait_for(redis: Redis, told: threading.Event) -> None:
    """Wait until Redis answers, or until told to stop."""
    while not told.wait(RETRY_SECONDS):
        with suppress(RedisError):
            redis.ping()
            return


def tick(settings: Settings) -> None:
    """Tick until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    redis = doorbell.connect(settings.redis_url)
    ticker.run(open_parts(settings), stop, partial(doorbell.unheard, redis))
