"""The Twilio adapter: it speaks to the configured carrier and to no other, waits only so long, and never retries a create."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import urllib3

from service.carrier import twilio
from service.carrier.port import Carrier, Message
from service.carrier.twilio import PlainHttp, twilio_carrier
from service.errors import Busy, Refused, Unknown
from service.settings import Settings

ACCOUNT = "AC" + "a" * 32
MESSAGE = Message("+12125550123", "hello", "+12125550100", None, "https://scans.clinic.test/twilio/status/1/x", 600)


class _Carrier(BaseHTTPRequestHandler):
    """Answers each request with what the test has set, and counts them."""

    status: ClassVar[int] = 201
    body: ClassVar[bytes] = b'{"sid": "SM1"}'
    hits: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.hits.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def carrier_url() -> Iterator[str]:
    """A carrier on loopback that answers as `_Carrier` says."""
    _Carrier.hits.clear()
    _Carrier.status, _Carrier.body = 201, b'{"sid": "SM1"}'
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Carrier)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def settings(url: str) -> Settings:
    """Settings that point the adapter at `url`."""
    return Settings(twilio_account_sid=ACCOUNT, twilio_auth_token="token", twilio_api_url=url)


def test_every_thread_reaches_the_configured_carrier_from_its_first_request_on(carrier_url: str) -> None:
    adapter = twilio_carrier(settings(carrier_url))
    ready = threading.Barrier(12)
    sids: list[str] = []

    def send() -> None:
        ready.wait()
        sids.append(adapter.send(MESSAGE))

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sids == ["SM1"] * 12
    assert len(_Carrier.hits) == 12


def test_a_request_to_any_other_host_is_refused_before_it_leaves() -> None:
    http = PlainHttp("http://127.0.0.1:1", 1)
    with pytest.raises(Unknown, match="another host"):
        http.request("POST", "https://api.twilio.com/2010-04-01/Accounts.json", data={})


def test_the_words_the_time_allowed_and_the_callback_are_handed_over_as_they_are(carrier_url: str) -> None:
    twilio_carrier(settings(carrier_url)).send(MESSAGE)
    sent = _Carrier.hits[0]
    for part in (
        "To=%2B12125550123",
        "From=%2B12125550100",
        "Body=hello",
        "ValidityPeriod=600",
        "StatusCallback=https",
    ):
        assert part in sent
    assert "SmartEncoded" not in sent


@pytest.mark.parametrize(
    ("status", "body", "error", "code"),
    [
        (429, b'{"code": 20429, "message": "", "status": 429}', Busy, 20429),
        (400, b'{"code": 21610, "message": "", "status": 400}', Refused, 21610),
        (401, b'{"code": 20003, "message": "", "status": 401}', Refused, 20003),
        (500, b'{"code": 20500, "message": "", "status": 500}', Unknown, 20500),
        (503, b"not json at all", Unknown, 503),
    ],
)
def test_each_failure_has_its_class_and_is_tried_once(
    carrier_url: str, status: int, body: bytes, error: type[Exception], code: int
) -> None:
    _Carrier.status, _Carrier.body = status, body
    with pytest.raises(error) as raised:
        twilio_carrier(settings(carrier_url)).send(MESSAGE)
    assert getattr(raised.value, "code", None) == code
    assert len(_Carrier.hits) == 1


def test_a_refused_connection_was_never_processed_and_is_safe_to_try_again() -> None:
    with pytest.raises(Busy):
        twilio_carrier(settings("http://127.0.0.1:1")).send(MESSAGE)


def test_the_time_that_a_carrier_gets_to_answer_is_a_few_seconds() -> None:
    for given, most in ((twilio.TIMEOUT.connect_timeout, 5), (twilio.TIMEOUT.read_timeout, 15)):
        assert isinstance(given, float)
        assert 0 < given <= most


@pytest.fixture
def silent_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A carrier on loopback that takes each connection and never says a word, for which we wait less than usual."""
    monkeypatch.setattr(twilio, "TIMEOUT", urllib3.Timeout(connect=0.2, read=0.3))
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:  # the system accepts; nobody reads
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


ASK: list[Callable[[Carrier], object]] = [
    lambda carrier: carrier.send(MESSAGE),
    lambda carrier: carrier.sent_to(MESSAGE.to, datetime(2027, 3, 8, tzinfo=UTC)),
    lambda carrier: carrier.received(MESSAGE.sender, datetime(2027, 3, 8, tzinfo=UTC)),
    lambda carrier: carrier.numbers(),
]


@pytest.mark.parametrize("ask", ASK, ids=["send", "sent_to", "received", "numbers"])
def test_a_carrier_that_never_answers_is_not_waited_for_and_leaves_the_outcome_unknown(
    silent_url: str, ask: Callable[[Carrier], object]
) -> None:
    carrier = twilio_carrier(settings(silent_url))
    started = time.monotonic()
    with pytest.raises(Unknown):
        ask(carrier)
    assert 0.2 < time.monotonic() - started < 5


def test_a_carrier_that_takes_no_connection_is_not_waited_for(silent_url: str) -> None:
    carrier = twilio_carrier(settings(silent_url))
    port = int(silent_url.rpartition(":")[2])
    with ExitStack() as waiting:
        for _ in range(200):  # until its line is full, each further connection gets no answer at all
            line = waiting.enter_context(socket.socket())
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", port))
        started = time.monotonic()
        with pytest.raises(Unknown):
            carrier.send(MESSAGE)
        assert time.monotonic() - started < 5
