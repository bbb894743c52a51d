"""We come back after being away: what he texted meanwhile is looked at before anything planned leaves."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis import Redis

from flows.gate import REASONS
from flows.limits import CATCH_UP, VAIN_LISTINGS
from service import delivery, doorbell, recovery, reminders
from service.carrier.twilio import twilio_carrier
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.wiring import Parts
from simulator.carrier import Number
from tests.house import IDLE, House
from tests.service.signed import outbound
from workers import jobs, ticker

MINUTE = timedelta(minutes=1)
ABOUT = datetime(2027, 3, 11, 15, tzinfo=UTC)
HELD = ("planned", REASONS["unseen"])


def texted_while_away(house: House, body: str) -> None:
    """Nothing of ours can be reached and he texts; five minutes after a planned text is due we are back."""
    house.opt_in()
    house.clock.at = ABOUT - timedelta(hours=2)
    house.carrier.set_number(Number(CLINIC_NUMBER, "", keyword_handling="ours"))
    house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, body)
    house.clock.at = ABOUT + 5 * MINUTE


def one_worker(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ticker's first turn, and one worker that does what it rings in the order of its queues."""
    redis = Redis.from_url(house.settings.redis_url)
    redis.flushall()
    parts = replace(house.parts, ring=doorbell.rq_ring(redis))
    monkeypatch.setattr(parts.database, "_ring", parts.ring)
    monkeypatch.setattr(jobs, "parts", lambda: parts)
    ticker.tick(parts, house.clock.at, lambda job: 0, at_start=True)
    while queue := next((queue for queue in doorbell.queues(redis) if len(queue)), None):
        job = queue.jobs[0]
        queue.remove(job)
        doorbell.function(str(job.func_name))(*job.args)
    assert house.carrier.wait_idle(IDLE)


def fire(house: House) -> tuple[str, str]:
    """A worker words what is due; what became of the text on the scan."""
    reminders.fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    return house.planned()["about"]


def look(house: House, parts: Parts | None = None) -> None:
    """A worker looks for missed texts."""
    recovery.recover(parts or house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at, anyway=True)


@contextmanager
def unlisted(house: House) -> Iterator[Parts]:
    """A carrier that cannot be asked for its list."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound and not listening
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        yield replace(house.parts, carrier=twilio_carrier(house.settings.model_copy(update={"twilio_api_url": url})))


@pytest.mark.parametrize("body", ["STOP", "I want to die"])
def test_what_he_texted_meanwhile_is_obeyed_before_a_planned_text_leaves(
    house: House, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    texted_while_away(house, body)
    seen = len(house.bodies())
    one_worker(house, monkeypatch)
    assert not any("About your" in body for body in house.bodies()[seen:])
    assert house.planned()["about"][0] in ("skipped", "void")


def test_a_worker_that_has_not_seen_what_was_missed_words_nothing_until_it_was_looked_at(house: House) -> None:
    house.opt_in()
    house.clock.at = ABOUT + 5 * MINUTE
    assert fire(house) == HELD
    look(house)
    house.clock.at += MINUTE
    assert fire(house)[0] == "said"


def test_a_text_that_waited_in_the_outbox_waits_for_the_look_as_well(house: House) -> None:
    house.opt_in()
    house.clock.at = ABOUT
    look(house)
    assert fire(house)[0] == "said"
    house.clock.at += 20 * MINUTE  # all of us was away before it could leave
    delivery.send_due(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    (row,) = outbound(house, "key like 'about%'")
    assert (row["status"], row["reason"]) == ("queued", REASONS["unseen"])
    house.clock.at += MINUTE
    house.turn()
    (row,) = outbound(house, "key like 'about%'")
    assert row["status"] == "delivered"


def test_a_carrier_that_cannot_be_asked_holds_planned_texts_for_some_minutes_only(house: House) -> None:
    house.opt_in()
    house.clock.at = ABOUT
    with unlisted(house) as gone:
        for _ in range(VAIN_LISTINGS):
            assert fire(house) == HELD
            look(house, gone)
            house.clock.at += CATCH_UP
    assert fire(house)[0] == "said"
    assert house.clock.at - ABOUT < timedelta(minutes=15)


def test_a_look_that_came_to_something_ends_the_count_of_those_in_vain(house: House) -> None:
    house.opt_in()
    with unlisted(house) as gone:
        look(house, gone)
    assert house.rows("select in_vain from rounds where kind = 'recover'") == [{"in_vain": 1}]
    look(house)
    assert house.rows("select in_vain from rounds where kind = 'recover'") == [{"in_vain": 0}]
