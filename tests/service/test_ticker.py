"""Nine o'clock, when hundreds of numbers wait: few rings, none heaped on those not heard yet, and none spoils another."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from service import delivery, doorbell
from service.clinics import add_clinic
from service.demo_data import SITE
from service.store.work import SENDERS_A_RING, waiting
from service.wiring import Parts
from tests.house import IDLE, House
from tests.service.signed import outbound
from workers import jobs, ticker


def waiting_at(house: House, clinics: int) -> None:
    """One text due now at each of so many clinics."""
    for n in range(clinics):
        added = add_clinic(house.parts.database, f"Clinic {n}", f"+1212555{3000 + n}", SITE, now=house.clock.at)
        house.rows(
            "insert into outbound (clinic_id, ref, sender_id, phone, key, language, form, script, body, body_hash, segments,"
            " priority, automated, logistics, exempt, due_at, status, reason, attempts, listings, created_at, changed_at)"
            " values (:c, md5(cast(:c as text)), :s, '+12125550177', 'moved', 'en', 'general', 's', 'Due now', 'x', 1, 3,"
            " false, false, false, :now, 'queued', '', 0, 0, :now, :now)",
            c=added.clinic_id, s=added.sender_id, now=house.clock.at,
        )  # fmt: skip


def rung(house: House, unheard: int = 0) -> tuple[list[tuple[object, ...]], float]:
    """What the ticker rings for sending, and in how many seconds it looks again."""
    rings: list[tuple[object, ...]] = []
    parts = replace(house.parts, ring=lambda *bell: rings.append(bell))
    again = ticker.tick(parts, house.clock.at, lambda job: unheard)
    return [bell for bell in rings if bell[0] == "send"], again


def test_many_numbers_share_a_ring_and_the_ticker_looks_again_soon(house: House) -> None:
    waiting_at(house, SENDERS_A_RING + 2)
    rings, again = rung(house)
    assert [len(bell) for bell in rings] == [1 + 2 * SENDERS_A_RING, 5]
    assert again == ticker.SOONEST


def test_a_round_that_nobody_has_heard_yet_is_not_rung_again(house: House) -> None:
    waiting_at(house, 2 * SENDERS_A_RING)
    assert len(rung(house, unheard=1)[0]) == 2
    assert rung(house, unheard=2)[0] == []


def test_an_hour_without_workers_leaves_no_more_rings_than_two_rounds(house: House) -> None:
    house.book()
    house.text("I want to kill myself")
    redis = doorbell.connect(house.settings.redis_url)
    redis.flushall()
    parts = replace(house.parts, ring=doorbell.rq_ring(redis))
    most = 0
    for _ in range(120):
        with parts.database.cross() as connection:
            most = max(most, len(waiting(connection, house.clock.at)))
        ticker.tick(parts, house.clock.at, partial(doorbell.unheard, redis))
        house.clock.at += timedelta(seconds=30)
    rings = [len(queue) for queue in doorbell.queues(redis)]
    redis.flushall()
    assert 4 <= sum(rings) < 2 * most


def test_a_number_whose_sending_fails_spoils_no_other_of_the_same_ring(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_at(house, 2)
    (ring,), _ = rung(house)
    record = delivery.record

    def faulty(parts: Parts, clinic_id: int, *results: Any) -> None:
        if clinic_id == ring[1]:
            raise RuntimeError("a fault of ours")
        record(parts, clinic_id, *results)

    monkeypatch.setattr(delivery, "record", faulty)
    monkeypatch.setattr(jobs, "parts", lambda: house.parts)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        jobs.send(*(int(str(part)) for part in ring[1:]))
    assert [row["attempts"] for row in outbound(house)] == [1, 1]


# Alarms ---------------------------------------------------------------------------------------------------------------


def worked(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The jobs of one tick, in the order in which one worker does them."""
    redis = doorbell.connect(house.settings.redis_url)
    redis.flushall()
    parts = replace(house.parts, ring=doorbell.rq_ring(redis))
    monkeypatch.setattr(parts.database, "_ring", parts.ring)
    monkeypatch.setattr(jobs, "parts", lambda: parts)
    ticker.tick(parts, house.clock.at, lambda job: 0)
    done: list[str] = []
    while queue := next((queue for queue in doorbell.queues(redis) if len(queue)), None):
        job = queue.jobs[0]
        queue.remove(job)
        done.append(str(job.description))
        doorbell.function(str(job.func_name))(*job.args)
    return done


def test_the_alarm_of_a_cry_for_help_leaves_before_everything_that_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.opt_in()
    house.until(house.clock.at + timedelta(minutes=1))
    waiting_at(house, 2 * SENDERS_A_RING)
    house.text("I want to kill myself")
    done = worked(house, monkeypatch)
    assert done[:2] == ["announce", "send_now"]
    assert done.count("send") >= 2
    assert house.carrier.wait_idle(IDLE)
    assert len(house.bodies(SITE.on_call_phone)) == 1


def test_a_safety_text_that_waits_in_the_outbox_is_rung_for_among_the_alarms(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting_at(house, 1)
    house.rows("update outbound set priority = 0")
    assert worked(house, monkeypatch)[0] == "send_now"
    assert {row["attempts"] for row in outbound(house)} == {1}
