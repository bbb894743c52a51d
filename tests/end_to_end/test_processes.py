"""Processes that die: conversation goes on without worker and Valkey, and every due text still arrives exactly once."""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import text

from service import clock, doorbell
from service.demo_data import PATIENT_NUMBER
from service.settings import Settings
from service.switches import set_switch
from service.wiring import open_parts
from tests.end_to_end.chaos import Valkey
from tests.end_to_end.conftest import eventually, running
from tests.house import House, Standing, open_house
from workers.ticker import tick

ABOUT_IS_DUE = datetime(2027, 3, 11, 15, tzinfo=UTC)  # a week before the visit, 10:00 in New York
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]


def opted_in_for_next_week(house: House) -> None:
    """A visit in ten days of real time, and his two answers; the moments before are far in the real future."""
    arrival = house.clock.at + timedelta(days=10)
    house.book(arrival_at=arrival.isoformat(), starts_at=arrival.isoformat())
    house.turn()
    house.text("1")
    house.text("1")


def make_everything_due(house: House, at: datetime) -> None:
    """Bring every planned text to `at`, as if the days had passed."""
    house.rows("update reminders set due_at = :at, valid_until = :until where status = 'planned'", at=at,
               until=at + timedelta(days=2))  # fmt: skip


def test_worker_killed_and_valkey_flushed_in_mid_journey(empty: Settings, standing: Standing) -> None:
    now = clock.utc_now()
    quick = empty.model_copy(update={"tick_seconds": 0.2})
    with open_house(quick, standing, now=now) as house:
        house.rows("update sites set window_start = '00:00', window_end = '23:59:59'")  # at whatever hour this runs
        opted_in_for_next_week(house)
        ready = house.settings
        redis = Redis.from_url(ready.redis_url)
        with running("ticker", ready):
            with running("worker", ready) as worker:
                eventually(lambda: bool(_workers(redis)), "a worker is there")
                worker.send_signal(signal.SIGKILL)
                worker.wait(10)
            redis.flushall()
            before = len(house.bodies())
            assert "does not hurt" in house.text("Does it hurt?")[0]  # conversation goes on
            house.rows("update inbound set received_at = received_at - interval '1 hour'")
            make_everything_due(house, now)
            eventually(lambda: redis.llen("rq:queue:reminders") > 0, "the ticker rings")
            assert len(house.bodies()) == before + 1
            redis.flushall()  # every ring is lost once more
            with running("worker", ready):
                eventually(lambda: not _waiting(house), "every due text is said, or held with its reason", 60)
                eventually(lambda: not _unsent(house), "every said text is sent", 60)
        assert house.carrier.wait_idle(20)
        bodies = house.bodies()
        assert len(bodies) == len(set(bodies)), "a text came twice"
        automated = house.rows("select body from outbound where automated and status in ('sent', 'delivered')")
        assert {row["body"] for row in automated} <= set(bodies)
        assert len(automated) >= 4


def _workers(redis: Redis) -> set[str]:
    return {str(name) for name in redis.smembers("rq:workers")}


def _rings(url: str) -> int:
    return int(Redis.from_url(url).llen(f"rq:queue:{doorbell.JOBS['announce'][0]}"))


def _waiting(house: House) -> list[dict[str, object]]:
    """Planned texts that nobody has looked at; the caps hold some for a later day, each with its reason."""
    return house.rows("select touchpoint from reminders where status = 'planned' and reason = ''")


def _unsent(house: House) -> list[dict[str, object]]:
    return house.rows("select id from outbound where status in ('queued', 'sending', 'accepted')")


def test_a_killed_sender_leaves_a_row_that_is_looked_up_and_sent_once(house: House) -> None:
    house.opt_in()
    house.clock.at = ABOUT_IS_DUE
    house.carrier.faults.plan("500_after")  # accepted, and the answer lost: as if the process had died right then
    house.turn()
    house.until(house.clock.at + timedelta(minutes=30))
    assert sum(body.startswith("About your") for body in house.bodies()) == 1
    assert house.rows("select count(*) as n from outbound where status = 'uncertain'") == [{"n": 0}]


def test_a_worker_outlives_its_doorbell_and_still_stops_when_told(house: House, tmp_path: Path) -> None:
    valkey = Valkey(tmp_path / "valkey")
    try:
        with running("worker", house.settings.model_copy(update={"redis_url": valkey.url})) as worker:
            eventually(lambda: bool(_workers(Redis.from_url(valkey.url))), "a worker is there", 60)
            ring = doorbell.rq_ring(doorbell.connect(valkey.url))
            for _ in range(300):
                ring("announce", house.clinic.clinic_id)
            eventually(lambda: _rings(valkey.url) < 295, "the worker is busy")
            for _ in range(2):  # in the middle of a job, then while it waits for one
                valkey.kill()
                valkey.start()
                eventually(lambda: bool(_workers(Redis.from_url(valkey.url))), "a worker is there again", 60)
                ring("announce", house.clinic.clinic_id)
                eventually(lambda: not _rings(valkey.url), "it works", 60)
            assert worker.poll() is None
            worker.terminate()
            assert worker.wait(20) == 0
    finally:
        valkey.stop()


def broken(*_: object) -> None:
    """A job that fails."""
    raise RuntimeError("on purpose")


def test_a_failed_job_does_not_silence_the_next_due_text(house: House) -> None:
    house.opt_in()
    redis = doorbell.connect(house.settings.redis_url)
    redis.flushall()
    sending = next(queue for queue in doorbell.queues(redis) if queue.name == doorbell.JOBS["send"][0])
    sending.enqueue_call("tests.end_to_end.test_processes.broken", args=(1, 1), result_ttl=0, failure_ttl=600)
    _work(redis)
    assert sending.failed_job_registry.count == 1
    house.clock.at = ABOUT_IS_DUE
    rung = open_parts(house.settings, ring=doorbell.rq_ring(redis), now=house.clock)
    tick(rung, house.clock.at, lambda job: 0)
    import workers.jobs

    workers.jobs.parts.cache_clear()
    try:
        workers.jobs.parts = lambda: rung  # type: ignore[assignment]  # the jobs of this process use the house's clock
        _work(redis)
        _work(redis)
    finally:
        rung.database.forget_connections()
    assert house.carrier.wait_idle(20)
    assert house.bodies(PATIENT_NUMBER)[-1].startswith("About your PSMA PET scan")


def _work(redis: Redis) -> None:
    queues = [Queue(name, connection=redis, serializer=JSONSerializer) for name in doorbell.QUEUES]
    SimpleWorker(queues, connection=redis, serializer=JSONSerializer).work(burst=True, logging_level="CRITICAL")


def test_the_demo_clock_is_one_for_all_processes(house: House) -> None:
    demo = open_parts(house.settings.model_copy(update={"environment": "demo"}), ring=doorbell.silent)
    with demo.database.cross() as connection:
        set_switch(connection, "clock", str(86_400), by="test", now=house.clock.at)
    ahead = demo.now() - clock.utc_now()
    assert timedelta(hours=23, minutes=59) < ahead <= timedelta(days=1)
    with house.parts.database.cross() as connection:
        assert connection.execute(text("select value from switches where name = 'clock'")).scalar() == "86400"
    demo.database.forget_connections()
