"""Ring the workers by name. Redis is a doorbell and never a memory: a lost ring costs seconds, the ticker rings again.

Jobs carry row ids only, as JSON. A ring has no fixed id, so a failed job can never silence the next one; a duplicate
ring is harmless because the claim decides.
"""

import logging
from importlib import import_module
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from service.store.database import Ring

log = logging.getLogger(__name__)

# job -> (queue, the function's dotted name). The order of queues is the order in which a worker looks at them.
JOBS = {
    "announce": ("alarms", "workers.jobs.announce"),
    "send_now": ("alarms", "workers.jobs.send"),  # a number with a safety text waiting
    "recover": ("missed", "workers.jobs.recover"),  # one of them may say STOP: before anything planned leaves
    "send": ("sending", "workers.jobs.send"),
    "fire": ("reminders", "workers.jobs.fire"),
    "settle": ("upkeep", "workers.jobs.settle"),
    "tidy": ("upkeep", "workers.jobs.tidy"),
}
QUEUES = ("alarms", "missed", "sending", "reminders", "upkeep")
JOB_SECONDS = 120  # a batch that takes longer is killed; its rows are found again
KEEP_FAILED_SECONDS = 3 * 24 * 3600


def connect(url: str) -> Redis:
    """A client that gives up in a second: conversations must go on while Redis is away."""
    return Redis.from_url(url, socket_timeout=5, socket_connect_timeout=1)


def queues(redis: Redis) -> list[Queue]:
    """All queues, most pressing first."""
    return [Queue(name, connection=redis, serializer=JSONSerializer) for name in QUEUES]


def rq_ring(redis: Redis) -> Ring:
    """A bell that enqueues. A dead Redis is logged, not raised."""
    by_name = {queue.name: queue for queue in queues(redis)}

    def ring(job: str, *ids: int) -> None:
        queue, function = JOBS[job]
        try:
            by_name[queue].enqueue_call(
                function, args=ids, timeout=JOB_SECONDS, result_ttl=0, failure_ttl=KEEP_FAILED_SECONDS, description=job
            )
        except RedisError:
            log.warning("the doorbell is out of reach; the ticker will ring %s again", job)

    return ring


def unheard(redis: Redis, job: str) -> int:
    """How many rings of this job's queue no worker has heard yet; 0 where Redis is away."""
    try:
        return len(Queue(JOBS[job][0], connection=redis, serializer=JSONSerializer))
    except RedisError:
        return 0


def silent(job: str, *ids: int) -> None:
    """A bell that nobody hears: for the command line, where the ticker finds what is due."""


def function(name: str) -> Any:
    """The function behind a dotted name, for callers that run it in this very process."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module), attribute)
