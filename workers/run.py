"""The foreground processes behind `scanguide worker` and `scanguide ticker`; both stop cleanly on SIGTERM."""

import logging
import signal
import threading

from rq import SimpleWorker
from rq.serializers import JSONSerializer

from service import doorbell
from service.settings import Settings
from service.wiring import open_parts
from workers import jobs, ticker


def worker(settings: Settings) -> None:
    """Work off rings until SIGTERM. Jobs run in this very process: forking for each would cost more than a batch.

    A job that hangs is killed by its time-out; a process that dies leaves its rows to the ticker.
    """
    logging.getLogger("rq.worker").setLevel(logging.WARNING)
    redis = doorbell.connect(settings.redis_url)
    jobs.parts()  # opened before the first job: its carrier client is built before any thread
    SimpleWorker(doorbell.queues(redis), connection=redis, serializer=JSONSerializer, log_job_description=False).work(
        with_scheduler=False, logging_level="WARNING"
    )


def tick(settings: Settings) -> None:
    """Tick until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    ticker.run(open_parts(settings), stop)
