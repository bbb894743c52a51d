"""Every switch makes its failure happen, as often as asked, and is counted."""

import httpx
import pytest

from simulator.carrier import Carrier
from simulator.faults import KINDS
from tests.simulator.conftest import CLINIC, PATH, PATIENT, Make, Receiver, form, serve


@pytest.mark.parametrize(
    ("kind", "refusal", "accepted"),
    [
        ("429", (429, 20429), 0),
        ("500_before", (500, 20500), 0),
        ("500_after", (500, 20500), 1),
        ("21610", (400, 21610), 0),
    ],
)
def test_answers(api: httpx.Client, carrier: Carrier, kind: str, refusal: tuple[int, int], accepted: int) -> None:
    carrier.faults.plan(kind)
    answer = api.post(f"{PATH}.json", data=form())
    assert (answer.status_code, answer.json()["code"]) == refusal
    assert len(carrier.messages()) == accepted
    assert api.post(f"{PATH}.json", data=form()).status_code == 201
    assert carrier.faults.counts() == {kind: 1}


@pytest.mark.parametrize(("kind", "accepted"), [("timeout_before", 0), ("timeout_after", 1)])
def test_time_outs(api: httpx.Client, carrier: Carrier, kind: str, accepted: int) -> None:
    carrier.faults.plan(kind, seconds=0.1)
    with pytest.raises(httpx.RemoteProtocolError):
        api.post(f"{PATH}.json", data=form())
    carrier.faults.plan(kind, seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        api.post(f"{PATH}.json", data=form(), timeout=0.3)
    # The server can only go at once because stopping the carrier ends what it still holds.
    carrier.stop()
    assert len(carrier.messages()) == 2 * accepted
    assert carrier.faults.counts() == {kind: 2}


@pytest.mark.parametrize("kind", ["30003", "30007"])
def test_undelivered(carrier: Carrier, receiver: Receiver, kind: str) -> None:
    carrier.faults.plan(kind)
    carrier.create(form(StatusCallback=f"{receiver.url}/status"))
    assert carrier.wait_idle(5)
    assert receiver.statuses() == ["sent", "undelivered"]
    assert receiver.hits[-1].form["ErrorCode"] == kind
    assert carrier.received(PATIENT) == []


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("no_callbacks", []),
        ("duplicate_callback", ["sent", "sent", "delivered", "delivered"]),
        ("reordered_callbacks", ["delivered", "sent"]),
        ("delayed_callbacks", ["sent", "delivered"]),
    ],
)
def test_callbacks(carrier: Carrier, receiver: Receiver, kind: str, statuses: list[str]) -> None:
    carrier.faults.plan(kind, seconds=0.2)
    carrier.create(form(StatusCallback=f"{receiver.url}/status"))
    assert carrier.wait_idle(5)
    # Late callbacks keep no order, as at the real carrier.
    got = receiver.statuses() if kind != "delayed_callbacks" else sorted(receiver.statuses(), reverse=True)
    assert got == statuses
    assert carrier.messages()[0].status == "delivered"
    assert carrier.faults.counts() == {kind: 1}


def test_duplicate_inbound_uses_one_answer(carrier: Carrier, receiver: Receiver) -> None:
    receiver.answer = lambda _: (200, "<Response><Message>Hi</Message></Response>")
    carrier.faults.plan("duplicate_inbound")
    sid = carrier.text_in(PATIENT, CLINIC, "hello")
    assert carrier.wait_idle(5)
    assert [hit.form["MessageSid"] for hit in receiver.at("/inbound")] == [sid, sid]
    assert [message.body for message in carrier.received(PATIENT)] == ["Hi"]


def test_a_rate_strikes_by_the_seeded_dice(make: Make) -> None:
    outcomes = []
    for carrier in (make(), make()):
        carrier.faults.rate("30003", 0.5)
        for _ in range(20):
            carrier.create(form())
            assert carrier.wait_idle(5)
        outcomes.append([message.status for message in carrier.messages()])
        assert carrier.faults.counts()["30003"] == outcomes[-1].count("undelivered")
    assert outcomes[0] == outcomes[1]
    assert {"undelivered", "delivered"} == set(outcomes[0])


def test_clear_and_unknown_kinds(carrier: Carrier) -> None:
    for kind in KINDS:
        carrier.faults.plan(kind, times=3)
    carrier.faults.rate("30003", 1)
    carrier.faults.clear()
    assert [carrier.faults.take(kind) for kind in sorted(KINDS)] == [None] * len(KINDS)
    with pytest.raises(ValueError, match="unknown fault"):
        carrier.faults.plan("gremlins")


def test_switches_over_http(api: httpx.Client, carrier: Carrier) -> None:
    armed = api.post("/simulator/faults", json={"kind": "delayed_callbacks", "times": 2, "seconds": 0.1}).json()
    assert armed == {"planned": {"delayed_callbacks": 2}, "rates": {}, "counts": {}}
    assert carrier.faults.take("delayed_callbacks") == {"seconds": 0.1}
    assert api.post("/simulator/faults", json={"kind": "429", "rate": 0.25}).json()["rates"] == {"429": 0.25}
    assert api.post("/simulator/faults", json={"clear": True}).json()["rates"] == {}
    assert api.post("/simulator/faults", json={"kind": "gremlins"}).status_code == 400
    assert api.get("/simulator/faults").json()["counts"] == {"delayed_callbacks": 1}


def test_texts_and_messages_over_http(carrier: Carrier) -> None:
    with serve(carrier) as api:
        sid = api.post("/simulator/text", json={"from": PATIENT, "to": CLINIC, "body": "hi"}).json()["sid"]
        assert api.post("/simulator/wait", json={"timeout": 5}).json() == {"idle": True}
        got = api.get("/simulator/messages").json()
        assert [message["sid"] for message in got["messages"]] == [sid]
        assert api.get("/simulator/messages", params={"since": got["version"]}).json()["messages"] == []
        for wrong in ({"from": "me", "to": CLINIC}, {"from": PATIENT, "to": "+15005550009"}):
            assert api.post("/simulator/text", json={**wrong, "body": "hi"}).status_code == 400
