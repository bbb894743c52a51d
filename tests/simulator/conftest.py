"""A clock that stands still, a real web server that records webhooks, and a carrier between the two."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import httpx
import pytest
import uvicorn

from simulator.app import create_app
from simulator.carrier import Carrier, Delays, Number
from tests.house import PLAIN

SID = "AC00000000000000000000000000000001"
TOKEN = "12345"
CLINIC = "+15005550006"
PATIENT = "+12125550123"
EMPTY = "<Response/>"


@dataclass
class Clock:
    """A clock that only tests move."""

    at: datetime = datetime(2026, 3, 8, 14, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Hit:
    """One request the receiver got."""

    path: str
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class Receiver:
    """What the web server got, and how it shall answer."""

    url: str
    answer: Callable[[Hit], tuple[int, str]] = lambda _: (200, EMPTY)
    content_type: str = "text/xml"
    hits: list[Hit] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def at(self, path: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path == path]

    def statuses(self, path: str = "/status") -> list[str]:
        return [hit.form["MessageStatus"] for hit in self.at(path)]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            hit = Hit(self.path, dict(parse_qsl(body, keep_blank_values=True)), dict(self.headers))
            seen.hits.append(hit)
            status, text = seen.answer(hit)
            try:
                self.send_response(status)
                self.send_header("Content-Type", seen.content_type)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())
            except (BrokenPipeError, ConnectionResetError):
                # The carrier has given this answer up.
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # With the default backlog of 5 a burst would wait a second for its second SYN.
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    seen = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield seen
    seen.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


Make = Callable[..., Carrier]


@pytest.fixture
def make(clock: Clock, receiver: Receiver) -> Iterator[Make]:
    """Build started carriers; all are stopped at the end."""
    made: list[Carrier] = []

    def build(fragment: str = "", handling: str = "ours", **settings: object) -> Carrier:
        number = Number(CLINIC, f"{receiver.url}/inbound{fragment}", handling)  # type: ignore[arg-type]
        values = {"now": clock, "random": random.Random(7), "numbers": [number], "delays": Delays(0, 0)}
        carrier = Carrier(SID, TOKEN, **{**values, **settings})  # type: ignore[arg-type]
        carrier.start()
        made.append(carrier)
        return carrier

    yield build
    for carrier in made:
        carrier.stop()


@pytest.fixture
def carrier(make: Make) -> Carrier:
    return make()


@pytest.fixture
def api(carrier: Carrier) -> Iterator[httpx.Client]:
    """An HTTP client of the carrier's web face, with the account's credentials."""
    with serve(carrier) as client:
        yield client


class serve:  # noqa: N801  # reads as a verb where it is used
    """Serve a carrier on a free port for the length of a `with`."""

    def __init__(self, carrier: Carrier, clock_url: str | None = None) -> None:
        # Bound before the server runs: early connections wait in the backlog, so nothing needs to poll for it.
        self._socket = socket.create_server(("127.0.0.1", 0))
        app = create_app(carrier, clock_url=clock_url)
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._client = httpx.Client(base_url=self.url, auth=(SID, TOKEN), timeout=5, verify=PLAIN)

    def __enter__(self) -> httpx.Client:
        self._thread.start()
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


PATH = f"/2010-04-01/Accounts/{SID}/Messages"


def form(**changes: str) -> dict[str, str]:
    """A create request that is in order."""
    return {"To": PATIENT, "From": CLINIC, "Body": "Hello", **changes}
