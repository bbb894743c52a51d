"""Texts to a phone: their statuses and callbacks, their validity, what survives a restart."""

import random
from pathlib import Path

import pytest

from simulator.carrier import Carrier, Delays, Number
from tests.simulator.conftest import CLINIC, PATIENT, SID, TOKEN, Clock, Hit, Make, Receiver, form


def test_callbacks_follow_each_other(carrier: Carrier, receiver: Receiver) -> None:
    message = carrier.create(form(StatusCallback=f"{receiver.url}/status?id=7"))
    assert carrier.wait_idle(5)
    sent, delivered = receiver.at("/status?id=7")
    assert sent.form == {
        "ApiVersion": "2010-04-01",
        "AccountSid": SID,
        "From": CLINIC,
        "To": PATIENT,
        "MessageSid": message.sid,
        "MessageStatus": "sent",
        "SmsSid": message.sid,
        "SmsStatus": "sent",
    }
    assert (delivered.form["MessageStatus"], delivered.form["RawDlrDoneDate"]) == ("delivered", "2603081400")
    (after,) = carrier.messages()
    assert [status for status, _ in after.history] == ["queued", "sent", "delivered"]


def test_a_failed_callback_is_retried_as_its_fragment_says(carrier: Carrier, receiver: Receiver) -> None:
    receiver.answer = lambda _: (500, "") if len(receiver.hits) == 1 else (204, "")
    carrier.create(form(StatusCallback=f"{receiver.url}/status#rc=2&rp=5xx"))
    assert carrier.wait_idle(5)
    assert receiver.statuses() == ["sent", "sent", "delivered"]


def test_a_phone_shows_a_text_only_after_its_sender_was_told_that_it_went_out(
    carrier: Carrier, receiver: Receiver
) -> None:
    shown: list[tuple[str, int]] = []

    def look(hit: Hit) -> tuple[int, str]:
        shown.append((hit.form["MessageStatus"], len(carrier.received(PATIENT))))
        return 204, ""

    receiver.answer = look
    carrier.create(form(StatusCallback=f"{receiver.url}/status"))
    assert carrier.wait_idle(5)
    assert shown == [("sent", 0), ("delivered", 1)]


def test_delays_are_real_time(make: Make) -> None:
    carrier = make(delays=Delays(0.15, 0.3))
    carrier.create(form())
    assert not carrier.wait_idle(0.05)
    assert carrier.messages()[0].status == "queued"
    assert carrier.received(PATIENT) == []
    assert carrier.wait_idle(5)
    assert carrier.messages()[0].status == "delivered"


@pytest.mark.parametrize(("passed", "end"), [(60, ("delivered", None)), (61, ("failed", 30036))])
def test_validity(make: Make, clock: Clock, receiver: Receiver, passed: int, end: tuple[str, int | None]) -> None:
    carrier = make(delays=Delays(0.2, 0.2))
    carrier.create(form(ValidityPeriod="60", StatusCallback=f"{receiver.url}/status"))
    clock.forward(passed)
    assert carrier.wait_idle(5)
    (message,) = carrier.messages()
    assert (message.status, message.error_code, message.validity_period) == (*end, 60)
    assert receiver.at("/status")[-1].form.get("ErrorCode") == (str(end[1]) if end[1] else None)


def test_texts_are_received_in_the_order_of_arrival(carrier: Carrier) -> None:
    for body in "abc":
        carrier.create(form(Body=body))
        assert carrier.wait_idle(5)
    carrier.create(form(Body="elsewhere", To="+12125550124"))
    assert carrier.wait_idle(5)
    assert [message.body for message in carrier.received(PATIENT)] == ["a", "b", "c"]


def test_a_store_survives_and_unfinished_texts_go_on(make: Make, tmp_path: Path, receiver: Receiver) -> None:
    store = tmp_path / "carrier.sqlite"
    first = make(store=store, handling="default")
    first.text_in(PATIENT, CLINIC, "STOP")
    assert first.wait_idle(5)
    first.stop()
    slow = make(store=store, delays=Delays(60, 60))
    waiting = slow.create(form(To="+12125550124", StatusCallback=f"{receiver.url}/status"))
    slow.stop()
    again = make(store=store)
    assert again.wait_idle(5)
    assert again.blocked == {(CLINIC, PATIENT)}
    assert [message.direction for message in again.messages()] == ["inbound", "outbound-reply", "outbound-api"]
    assert again.received("+12125550124")[0].sid == waiting.sid
    assert receiver.statuses() == ["sent", "delivered"]
    assert len({message.sid for message in again.messages()}) == 3


def test_stop_is_clean_and_may_be_repeated(clock: Clock) -> None:
    carrier = Carrier(SID, TOKEN, now=clock, random=random.Random(7), numbers=[Number(CLINIC)])
    carrier.stop()
    carrier.start()
    carrier.start()
    carrier.stop()
    carrier.stop()
    carrier.create(form())
    assert not carrier.wait_idle(0.01)
    carrier.start()
    assert carrier.wait_idle(5)
    carrier.stop()
    assert carrier.messages()[0].status == "delivered"
