"""What the carrier's codes do, through the carrier itself: stop a number, put off a day, freeze a phone, ask a person."""

from datetime import timedelta

import pytest

from flows.outcomes import _table, outcome
from tests.house import THURSDAY_915, House
from tests.service.signed import browser, outbound, receipt

STOPS = sorted(code for code in _table() if outcome(code).kind == "sender")
AT_THE_DOOR = [code for code in STOPS if code < 30000]
ON_THE_WAY = [code for code in STOPS if code >= 30000]


def stopped(house: House, code: int) -> None:
    """The number is stopped for a reason in words, operators have it on their page and a metric to be paged by."""
    words = outcome(code).words
    assert house.rows("select paused_reason from senders") == [{"paused_reason": words}]
    assert house.tasks()["sender_stopped"] == words
    assert house.rows("select operators from tasks where kind = 'sender_stopped'") == [{"operators": True}]
    assert "scanguide_stopped_senders 1.0" in house.web.get("/metrics").text
    with browser(house, "ops") as ops:
        assert f"stopped: {words}" in ops.get("/ops").text.replace("&#39;", "'")


@pytest.mark.parametrize("code", AT_THE_DOOR)
def test_a_refusal_that_is_about_our_number_stops_it_and_the_text_waits(house: House, code: int) -> None:
    house.carrier.faults.plan("refused", code=code)
    house.book()
    house.turn()
    stopped(house, code)
    (row,) = outbound(house)
    assert (row["status"], row["error_code"], house.bodies()) == ("queued", code, [])
    house.clock.at += timedelta(hours=1)
    house.turn()
    assert house.carrier.faults.counts() == {"refused": 1}  # not asked again while it is stopped
    house.rows("update senders set paused_reason = null")
    house.clock.at += timedelta(minutes=2)
    house.turn()
    assert len(house.bodies()) == 1


@pytest.mark.parametrize("code", ON_THE_WAY)
def test_a_failure_on_the_way_that_is_about_our_number_stops_it_and_a_person_is_told(house: House, code: int) -> None:
    house.carrier.faults.plan("fails", code=code)
    house.book()
    house.turn()
    stopped(house, code)
    (row,) = outbound(house)
    assert (row["status"], row["error_code"]) == ("undelivered", code)
    assert house.tasks()["phone_preparation"] == outcome(code).words
    house.clock.at += timedelta(hours=25)  # the second invitation has come due
    house.turn()
    assert house.bodies() == []


@pytest.mark.parametrize("fault", ["refused", "fails"])
def test_an_unknown_code_asks_a_person_and_stops_nothing(house: House, fault: str) -> None:
    house.carrier.faults.plan(fault, code=39999)
    house.book()
    house.turn()
    assert house.tasks() == {"phone_preparation": "the carrier gave a reason that we do not know (39999)"}
    assert house.rows("select paused_reason from senders") == [{"paused_reason": None}]
    house.clock.at += timedelta(minutes=30)
    house.turn()
    assert house.carrier.faults.counts() == {fault: 1}  # never retried blindly


def test_a_country_that_is_not_switched_on_is_about_one_phone_and_not_about_our_number(house: House) -> None:
    house.carrier.faults.plan("refused", code=21408)
    house.book()
    house.turn()
    assert house.rows("select paused_reason from senders") == [{"paused_reason": None}]
    assert house.rows("select frozen_why from contact_points") == [{"frozen_why": outcome(21408).words}]
    assert "phone_preparation" in house.tasks()


def test_a_used_up_day_is_waited_for_where_the_text_is_still_of_use_by_then(house: House) -> None:
    house.carrier.faults.plan("fails", code=30023)
    house.book()
    house.turn()
    (row,) = outbound(house)
    assert (row["status"], row["reason"]) == ("queued", "the mobile network's daily limit was reached")
    assert row["due_at"].isoformat() == "2027-03-09T08:05:00+00:00"  # midnight on the Pacific coast
    house.until(house.clock.at + timedelta(hours=24))
    assert outbound(house)[0]["status"] == "delivered"
    receipt(house, row["ref"], "undelivered", "SMold", ErrorCode="30023")  # the first attempt speaks no more


def test_a_used_up_day_that_cannot_be_waited_for_is_a_persons_at_once(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=1, hours=1))
    house.carrier.faults.plan("fails", code=30027)
    house.until(THURSDAY_915 - timedelta(hours=20))
    (row,) = outbound(house, "key = 'tomorrow' or key like 'tomorrow%'")
    assert (row["status"], row["error_code"]) == ("undelivered", 30027)
    assert house.tasks()["phone_preparation"] == "the mobile network's daily limit was reached"
