"""What operators see: how late we are, what waits where, what failed, and who is alive. Ids and counts, no patients."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from redis import Redis
from redis.exceptions import RedisError
from rq import Worker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import Connection, text

from service.doorbell import queues
from service.errors import NotFound

_COUNTS = text("""
    select (select count(id) from reminders where status = 'planned' and due_at <= :now) as reminders_due,
           (select min(due_at) from reminders where status = 'planned' and due_at <= :now) as oldest_reminder,
           (select count(id) from outbound where status = 'queued' and due_at <= :now) as texts_due,
           (select min(due_at) from outbound where status = 'queued' and due_at <= :now) as oldest_text,
           (select count(id) from outbound where status in ('sending', 'offered')) as in_flight,
           (select count(id) from outbound where status = 'uncertain') as uncertain,
           (select count(id) from outbound where status in ('failed', 'undelivered')
              and changed_at > :day) as failed_today,
           (select max(received_at) from inbound) as last_inbound,
           (select max(received_at) from receipts) as last_receipt,
           (select at from beats where name = 'ticker') as last_tick,
           (select count(id) from tasks where urgent and acknowledged_at is null and closed_at is null) as unseen_urgent,
           (select count(message_sid) from unrouted_texts where closed_at is null) as unrouted,
           (select count(id) from receipts where outbound_id is null and received_at > :day) as stray_receipts,
           (select count(id) from senders where paused_reason is not null) as stopped_senders,
           coalesce((select value from switches where name = 'pause'), 'off') = 'on' as paused
""")
_SENDERS = text("""
    select s.clinic_id, s.id, s.phone, s.live, s.paused_reason, c.name as clinic, c.paused_at is not null as held,
           count(o.id) filter (where o.status = 'queued' and o.due_at <= :now) as due,
           min(o.due_at) filter (where o.status = 'queued' and o.due_at <= :now) as oldest
    from senders s join clinics c on c.id = s.clinic_id
    left join outbound o on o.clinic_id = s.clinic_id and o.sender_id = s.id and o.status = 'queued'
    group by s.clinic_id, s.id, s.phone, s.live, s.paused_reason, c.name, c.paused_at order by due desc, c.name
""")
_HELD = text("select id, name, paused_at from clinics where paused_at is not null order by paused_at")
_TASKS = text("""
    select clinic_id, id, kind, why, opened_at, due_at from tasks
    where operators and closed_at is null order by due_at limit 200
""")


@dataclass(frozen=True)
class Overview:
    """The state of the whole house at one moment."""

    now: datetime
    reminders_due: int
    texts_due: int
    oldest_due: timedelta | None
    in_flight: int
    uncertain: int
    failed_today: int
    since_inbound: timedelta | None
    since_receipt: timedelta | None
    since_tick: timedelta | None
    unseen_urgent: int
    unrouted: int
    stray_receipts: int
    stopped_senders: int
    paused: bool


def overview(connection: Connection, now: datetime) -> Overview:
    """Read it, across clinics."""
    row = connection.execute(_COUNTS, {"now": now, "day": now - timedelta(days=1)}).one()
    oldest = min((at for at in (row.oldest_reminder, row.oldest_text) if at), default=None)

    def since(at: datetime | None) -> timedelta | None:
        return now - at if at else None

    return Overview(
        now,
        row.reminders_due,
        row.texts_due,
        since(oldest),
        row.in_flight,
        row.uncertain,
        row.failed_today,
        since(row.last_inbound),
        since(row.last_receipt),
        since(row.last_tick),
        row.unseen_urgent,
        row.unrouted,
        row.stray_receipts,
        row.stopped_senders,
        row.paused,
    )


def senders(connection: Connection, now: datetime) -> list[dict[str, object]]:
    """Each number: live or not, paused and why, and what is due on it."""
    return [dict(row) for row in connection.execute(_SENDERS, {"now": now}).mappings()]


def held_clinics(connection: Connection) -> list[dict[str, object]]:
    """Clinics all of whose texts are held, by their staff or by operators, and since when."""
    return [dict(row) for row in connection.execute(_HELD).mappings()]


def operator_tasks(connection: Connection) -> list[dict[str, object]]:
    """Open tasks for operators."""
    return [dict(row) for row in connection.execute(_TASKS).mappings()]


@dataclass(frozen=True)
class QueueState:
    """One queue of the doorbell: rings waiting and under way."""

    name: str
    waiting: int
    started: int
    failed: int


@dataclass(frozen=True)
class FailedJob:
    """A ring whose work raised: its name and row ids, when, and the last line of the error."""

    id: str
    queue: str
    name: str
    ids: str
    ended_at: datetime | None
    error: str


@dataclass(frozen=True)
class Bells:
    """The doorbell's side: None where Redis does not answer."""

    queues: list[QueueState]
    workers: list[str]
    failed: list[FailedJob]


def bells(redis: Redis) -> Bells | None:
    """Queues, workers and failed jobs, or None if Redis is away (conversations go on without it)."""
    try:
        listed, failed = [], []
        for queue in queues(redis):
            registry = queue.failed_job_registry
            listed.append(QueueState(queue.name, queue.count, queue.started_job_registry.count, registry.count))
            for job_id in registry.get_job_ids(0, 49):
                job = queue.fetch_job(job_id)
                if job is not None:
                    failed.append(_failed(job, queue.name))
        workers = [f"{worker.name}: {worker.get_state()}" for worker in Worker.all(connection=redis)]
        return Bells(listed, workers, failed)
    except RedisError:
        return None


def _failed(job: Job, queue: str) -> FailedJob:
    result = job.latest_result()
    error = (result.exc_string or "").strip().splitlines()[-1:] if result else []
    return FailedJob(
        job.id,
        queue,
        job.func_name or job.description or "",
        ", ".join(map(str, job.args)),
        job.ended_at,
        (error or ["unknown"])[0][:200],
    )


def retry_job(redis: Redis, job_id: str) -> None:
    """Ring a failed job again. Raises NotFound if it is gone."""
    _job(redis, job_id).requeue()


def discard_job(redis: Redis, job_id: str) -> None:
    """Forget a failed job; its rows stay, and the ticker finds them if they are still due."""
    _job(redis, job_id).delete()


def _job(redis: Redis, job_id: str) -> Job:
    try:
        job = Job.fetch(job_id, connection=redis, serializer=JSONSerializer)
    except (NoSuchJobError, InvalidJobOperation) as error:
        raise NotFound(f"there is no job {job_id}") from error
    if not job.is_failed:
        raise NotFound(f"job {job_id} has not failed")
    return job
