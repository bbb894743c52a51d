"""A patient's text: the webhook's fields and retries, TwiML answers, keywords."""

import threading

import pytest

from simulator.carrier import Carrier, Number, RefusedError
from tests.simulator.conftest import CLINIC, EMPTY, PATIENT, SID, Make, Receiver, form

HI = "<Response><Message>Hi</Message></Response>"
NOWHERE = "http://127.0.0.1:9/inbound"


def test_the_form_is_the_real_one(carrier: Carrier, receiver: Receiver) -> None:
    sid = carrier.text_in(PATIENT, CLINIC, " hello\n", ["https://example.org/a.jpg"])
    assert carrier.wait_idle(5)
    (hit,) = receiver.hits
    given = {"MessageSid": sid, "SmsSid": sid, "SmsMessageSid": sid, "AccountSid": SID, "From": PATIENT, "To": CLINIC}
    fixed = {
        "Body": " hello\n",
        "NumMedia": "1",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
    }
    geo = {f"{end}{what}" for end in ("From", "To") for what in ("City", "State", "Zip", "Country")}
    assert hit.form.items() >= {**given, **fixed, "MediaContentType0": "image/jpeg"}.items()
    assert set(hit.form) == {*given, *fixed, *geo, "MediaUrl0", "MediaContentType0"}
    assert hit.headers["Content-Type"].startswith("application/x-www-form-urlencoded")
    assert carrier.messages()[0].answered_at is not None


def test_each_message_becomes_a_reply_with_its_own_callbacks(carrier: Carrier, receiver: Receiver) -> None:
    receiver.answer = lambda hit: (200, _two(receiver.url) if hit.path == "/inbound" else "")
    sid = carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(5)
    assert sorted(message.body for message in carrier.received(PATIENT)) == ["One & only", "Two\nlines"]
    one, two = carrier.messages()[1:]
    assert (one.direction, one.reply_to, two.reply_to) == ("outbound-reply", sid, sid)
    assert len({sid, one.sid, two.sid}) == 3
    assert receiver.statuses("/status/1") == ["sent", "delivered"]
    assert receiver.at("/status/1")[0].form["MessageSid"] == one.sid


def _two(url: str) -> str:
    return (
        f'<?xml version="1.0"?><Response><Message statusCallback="{url}/status/1">One &amp; only</Message>'
        "<Message><Body>Two\nlines</Body></Message></Response>"
    )


@pytest.mark.parametrize(
    ("fragment", "status", "tries"),
    [
        ("", 500, 1),
        ("#rc=5&rp=all", 500, 6),
        ("#rc=2&rp=5xx", 503, 3),
        ("#rc=2&rp=4xx", 503, 1),
        ("#rc=2&rp=ct,4xx", 404, 3),
        ("#rc=9&rp=5xx", 200, 1),
    ],
)
def test_retries_follow_the_fragment(make: Make, receiver: Receiver, fragment: str, status: int, tries: int) -> None:
    receiver.answer = lambda _: (status, EMPTY)
    carrier = make(fragment)
    carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(10)
    assert len(receiver.at("/inbound")) == tries
    assert len({hit.form["MessageSid"] for hit in receiver.hits}) == 1
    assert len({hit.headers["I-Twilio-Idempotency-Token"] for hit in receiver.hits}) == 1
    assert carrier.messages()[0].error_code == (None if status == 200 else 11200)


def test_a_late_answer_is_discarded_and_the_next_one_used(make: Make, receiver: Receiver) -> None:
    def slow_once(_: object) -> tuple[int, str]:
        if len(receiver.hits) == 1:
            receiver.closing.wait(0.5)
            return 200, "<Response><Message>Late</Message></Response>"
        return 200, HI

    receiver.answer = slow_once
    carrier = make("#rt=150&rc=1&rp=rt")
    carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(5)
    assert len(receiver.hits) == 2
    assert [message.body for message in carrier.received(PATIENT)] == ["Hi"]


def test_an_unreachable_webhook_goes_to_the_fallback_or_is_recorded(make: Make, receiver: Receiver) -> None:
    carrier = make(numbers=[Number(CLINIC, NOWHERE, "ours")])
    sid = carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(5)
    assert carrier.fetch(sid).error_code == 11200
    receiver.answer = lambda _: (200, HI)
    carrier.set_number(Number(CLINIC, NOWHERE, "ours", fallback_url=f"{receiver.url}/fallback"))
    carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(5)
    assert receiver.at("/fallback")[0].form["ErrorUrl"] == NOWHERE
    assert [message.body for message in carrier.received(PATIENT)] == ["Hi"]


@pytest.mark.parametrize(
    ("content_type", "body", "used"),
    [
        ("text/xml", EMPTY, (None, [])),
        ("text/xml", "", (None, [])),
        ("text/plain", "Plain", (None, ["Plain"])),
        ("application/json", "{}", (12300, [])),
        ("text/xml", "<Response><Message>", (12100, [])),
        ("text/xml", "<Reply/>", (12100, [])),
        ("text/xml", f"<Response><Message>{'a' * 70_000}</Message></Response>", (11750, [])),
    ],
)
def test_answers_of_every_kind(
    carrier: Carrier, receiver: Receiver, content_type: str, body: str, used: tuple[int | None, list[str]]
) -> None:
    receiver.content_type = content_type
    receiver.answer = lambda _: (200, body)
    sid = carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(5)
    assert (carrier.fetch(sid).error_code, [message.body for message in carrier.received(PATIENT)]) == used


@pytest.mark.parametrize(
    "word", ["STOP", " stop\n", "StopAll", "unsubscribe", "END", "quit", "Cancel", "revoke", "optout"]
)
def test_default_handling_blocks(make: Make, receiver: Receiver, word: str) -> None:
    receiver.answer = lambda _: (
        200,
        f"<Response><Message statusCallback='{receiver.url}/status'>Hi</Message></Response>",
    )
    carrier = make(handling="default")
    carrier.text_in(PATIENT, CLINIC, word)
    assert carrier.wait_idle(5)
    assert carrier.blocked == {(CLINIC, PATIENT)}
    assert len(receiver.at("/inbound")) == 1
    (canned,) = carrier.received(PATIENT)
    assert canned.body.startswith("You have successfully been unsubscribed")
    assert (receiver.statuses(), receiver.at("/status")[0].form["ErrorCode"]) == (["failed"], "21610")
    with pytest.raises(RefusedError) as refusal:
        carrier.create(form())
    assert refusal.value.code == 21610


def test_start_and_help(make: Make) -> None:
    carrier = make(handling="default")
    for word in ("START", "please stop", "STOP", "HELP", "Yes", "info"):
        carrier.text_in(PATIENT, CLINIC, word)
        assert carrier.wait_idle(5)
    openings = [message.body[:21] for message in carrier.received(PATIENT)]
    assert openings == [
        "You have successfully",
        "Reply STOP to unsubsc",
        "You have successfully",
        "Reply STOP to unsubsc",
    ]
    assert carrier.blocked == set()
    carrier.create(form())
    assert carrier.wait_idle(5)
    assert len(carrier.received(PATIENT)) == 5


def test_our_handling_leaves_keywords_to_the_service(carrier: Carrier, receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, HI)
    carrier.text_in(PATIENT, CLINIC, "STOP")
    assert carrier.wait_idle(5)
    assert carrier.blocked == set()
    assert [message.body for message in carrier.received(PATIENT)] == ["Hi"]


def test_texts_from_many_threads_are_each_answered_once(carrier: Carrier, receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, HI)
    phones = [f"+121255501{n:02}" for n in range(40)]
    threads = [threading.Thread(target=carrier.text_in, args=(phone, CLINIC, "hello")) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert carrier.wait_idle(10)
    assert [len(carrier.received(phone)) for phone in phones] == [1] * 40
