"""A job that has used up its time ends; what it had in hand is not blamed for it, and is done by the next one."""

import signal
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from redis import Redis
from rq.timeouts import JobTimeoutException

from service import conversation, doorbell, recovery, reminders, wording
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.errors import OutOfTime
from simulator.carrier import Number
from tests.house import House
from workers.run import TimeLimit, _Worker

MINUTE = timedelta(minutes=1)
ABOUT_IS_DUE = datetime(2027, 3, 11, 15, tzinfo=UTC)


def time_limit() -> AbstractContextManager[None]:
    """The limit on one job, as the worker sets it."""
    limit: AbstractContextManager[None] = TimeLimit(60, JobTimeoutException)  # type: ignore[no-untyped-call]  # RQ's
    return limit


def alarm(*_: Any, **__: Any) -> Any:
    """What RQ's alarm does, at the worst moment."""
    signal.raise_signal(signal.SIGALRM)


def test_a_reminder_in_hand_is_not_set_aside(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.opt_in()
    house.clock.at = ABOUT_IS_DUE - MINUTE
    house.turn()
    house.clock.at = ABOUT_IS_DUE
    with monkeypatch.context() as patched:
        patched.setattr(wording, "word", alarm)
        with pytest.raises(OutOfTime), time_limit():
            reminders.fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    house.turn()
    assert house.planned()["about"][0] == "said"
    assert "cannot_word" not in house.tasks()


def test_a_missed_text_in_hand_is_answered_by_the_next_round(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.opt_in()
    house.carrier.set_number(Number(CLINIC_NUMBER, "", keyword_handling="ours"))
    house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, "does it hurt")
    house.clock.at += 4 * MINUTE
    seen = len(house.bodies())
    with monkeypatch.context() as patched:
        patched.setattr(conversation, "_decide", alarm)
        with pytest.raises(OutOfTime), time_limit():
            recovery.recover(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    house.clock.at += 4 * MINUTE
    house.turn()
    assert "does not hurt" in house.bodies()[seen]
    assert "unhandled" not in house.tasks()


def test_the_worker_ends_such_a_job_and_goes_on_with_the_next(house: House) -> None:
    redis = Redis.from_url(house.settings.redis_url)
    redis.flushall()
    first, second, *_ = doorbell.queues(redis)
    job = first.enqueue_call("signal.raise_signal", args=(int(signal.SIGALRM),), timeout=60, failure_ttl=600)
    second.enqueue_call("signal.strsignal", args=(int(signal.SIGALRM),), timeout=60, result_ttl=0)
    _Worker(redis, Event()).work(burst=True, logging_level="CRITICAL")
    result = job.latest_result()
    assert result is not None
    assert "OutOfTime" in str(result.exc_string)
    assert len(second) == 0
