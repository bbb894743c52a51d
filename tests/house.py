"""A house for tests: the real service behind real HTTP, a pretend carrier in front of it, and a clock that we move.

Nothing of ours is replaced. Workers' turns are run in this process (`workers/turns.py`); the tests in `end_to_end` run
them as processes instead.
"""

import dataclasses
import os
import random
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine, NullPool, create_engine, text
from starlette.types import ASGIApp

from service import doorbell
from service.booking import Booked, book
from service.clinics import AddedClinic, add_clinic, add_key, add_operator, add_staff
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER, SITE
from service.intake import Booking, Permission, read_booking
from service.settings import Settings
from service.store.database import Database, driver_url
from service.store.work import next_moment
from service.web.app import create_app
from service.wiring import Parts, open_parts
from simulator.app import create_app as create_phone
from simulator.carrier import Carrier, Delays, Message, Number
from workers.turns import run_due

MONDAY = datetime(2027, 3, 8, 14, 0, tzinfo=UTC)  # Monday, March 8, 9:00 in New York
THURSDAY_915 = datetime(2027, 3, 18, 13, 15, tzinfo=UTC)  # March 18, 9:15, after the change to summer time
IDLE = 20.0
PLAIN = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # loopback is plain; reading the machine's certificates costs 25 ms a client


def let_in(folder: Path) -> None:
    """As root the embedded PostgreSQL runs as another user, who must get into the folder."""
    for parent in (folder, *folder.parents):
        if parent.name and os.geteuid() == 0 and parent.owner() == "root" and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)


@cache
def owners_engine(url: str) -> Engine:
    """The tables' owner, who sees everything at once; each time with a connection of his own."""
    return create_engine(driver_url(url), isolation_level="AUTOCOMMIT", poolclass=NullPool)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free loopback port; yields its address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


class Door:
    """A server that stays, for one application after another: to start one for each test costs more than the test."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Whoever comes late to a house that is gone is told so."""
        if self.app is None:
            await send({"type": "http.response.start", "status": 410, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self.app(scope, receive, send)


class Present:
    """Whichever carrier is there at present: its web face is built but once."""

    carrier: Carrier | None = None

    def __getattr__(self, name: str) -> Any:
        """What that carrier has by this name."""
        return getattr(self.carrier, name)


@dataclasses.dataclass
class Standing:
    """What stays from one house of a test process to the next, as to build it costs more than the test.

    The carrier's door and ours with their addresses; our database with its compiled statements; both applications with
    their routes.
    """

    theirs: Door
    carrier_url: str
    ours: Door
    web_url: str
    database: Database
    app: FastAPI
    present: Present = dataclasses.field(default_factory=Present)
    phone: FastAPI | None = None  # the carrier's application, from the first carrier on: its account stays

    def at_these_doors(self, settings: Settings) -> Settings:
        """The settings with both addresses."""
        return settings.model_copy(update={"public_url": self.web_url, "twilio_api_url": self.carrier_url})

    @contextmanager
    def open(self, parts: Parts, carrier: Carrier) -> Iterator[None]:
        """Serve a house and its carrier."""
        self.app.state.parts, self.app.state.routes = parts, {}
        self.present.carrier = carrier
        self.phone = self.phone or create_phone(cast(Carrier, self.present))
        self.theirs.app, self.ours.app = self.phone, self.app
        try:
            yield
        finally:
            self.theirs.app = self.ours.app = None
            self.present.carrier = None
            self.database.forget_connections()


@contextmanager
def stand(settings: Settings) -> Iterator[Standing]:
    """What stays, on these servers."""
    database = Database(settings.database_url, doorbell.silent)
    theirs, ours = Door(), Door()
    with serving(theirs) as carrier_url, serving(ours) as web_url:
        ready = settings.model_copy(update={"public_url": web_url, "twilio_api_url": carrier_url})
        app = create_app(open_parts(ready, ring=doorbell.silent, database=database))
        yield Standing(theirs, carrier_url, ours, web_url, database, app)


@dataclasses.dataclass
class Clock:
    """The time of one test."""

    at: datetime = MONDAY

    def __call__(self) -> datetime:
        """Now."""
        return self.at


@dataclasses.dataclass
class House:
    """Everything a test talks to."""

    settings: Settings
    parts: Parts
    carrier: Carrier
    clock: Clock
    web: httpx.Client
    clinic: AddedClinic

    def booking(self, **changes: Any) -> Booking:
        """A good booking for March 18, 9:15, with `changes`."""
        given: dict[str, Any] = {
            "patient_id": "P-1",
            "given_name": "Walter",
            "phone": PATIENT_NUMBER,
            "language": "en",
            "zone": None,
            "arrival_at": "2027-03-18T09:15",
            "starts_at": "2027-03-18T10:15",
            "tracer": "Pylarify",
            "reason": "recurrence",
            "site": None,
            "permission": Permission("front desk", "asked by phone", self.clock.at),
        }
        return read_booking(**{**given, **changes})

    def book(self, external_id: str = "S-1", **changes: Any) -> Booked:
        """Book a scan now."""
        return book(
            self.parts, self.clinic.clinic_id, external_id, self.booking(**changes), actor="test", now=self.clock.at
        )

    def text(self, body: str, phone: str = PATIENT_NUMBER) -> list[str]:
        """The patient texts; returns the words that came back as the answer."""
        sid = self.carrier.text_in(phone, CLINIC_NUMBER, body)
        assert self.carrier.wait_idle(IDLE)
        return [message.body for message in self.carrier.messages() if message.reply_to == sid]

    def turn(self) -> None:
        """Do everything due now, and let the carrier report."""
        run_due(self.parts, self.clock.at)
        assert self.carrier.wait_idle(IDLE)

    def until(self, at: datetime) -> None:
        """Move the clock to `at`, stopping at each due moment in order."""
        while True:
            self.turn()
            with self.parts.database.cross() as connection:
                coming = next_moment(connection)
            if coming is None or coming > at or self.clock.at >= at:
                break
            self.clock.at = max(coming, self.clock.at + timedelta(milliseconds=1))
        self.clock.at = max(self.clock.at, at)
        self.turn()

    def opt_in(self, *, detail: bool = True) -> None:
        """Book, invite, and let him say yes."""
        self.book()
        self.turn()
        self.text("1")
        self.text("1" if detail else "2")

    def received(self, phone: str = PATIENT_NUMBER) -> list[Message]:
        """What a phone really received."""
        return self.carrier.received(phone)

    def bodies(self, phone: str = PATIENT_NUMBER) -> list[str]:
        """The words a phone really received."""
        return [message.body for message in self.received(phone)]

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Look at any rows, as the owner."""
        with owners_engine(self.settings.owner_url).begin() as connection:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def tasks(self) -> dict[str, str]:
        """Open tasks: kind -> why."""
        return {row["kind"]: row["why"] for row in self.rows("select kind, why from tasks where closed_at is null")}

    def planned(self) -> dict[str, tuple[str, str]]:
        """The newest plan of the only scan: touchpoint -> status and reason."""
        rows = self.rows("select touchpoint, status, reason from reminders order by plan_version, id")
        return {row["touchpoint"]: (row["status"], row["reason"]) for row in rows}

    def key(self) -> str:
        """An API key of the clinic."""
        return add_key(self.parts.database, self.clinic.clinic_id, "tests", now=self.clock.at)[1]

    def log_in(self, door: str) -> httpx.Client:
        """A browser's client, logged in at `clinic` or `ops`."""
        if door == "clinic":
            add_staff(self.parts.database, self.clinic.clinic_id, "nurse@clinic.test", "Nurse", "correct horse")
        else:
            add_operator(self.parts.database, "nurse@clinic.test", "Operator", "correct horse")
        client = httpx.Client(
            base_url=self.web.base_url, verify=PLAIN, headers={"Origin": str(self.web.base_url).rstrip("/")}
        )
        answer = client.post(f"/{door}/login", data={"email": "nurse@clinic.test", "password": "correct horse"})
        assert answer.status_code == 303
        return client


@contextmanager
def open_house(
    settings: Settings,
    standing: Standing,
    *,
    keywords: Literal["ours", "default"] = "ours",
    now: datetime = MONDAY,
) -> Iterator[House]:
    """A house on empty servers, with one live clinic."""
    clock = Clock(now)
    carrier = Carrier(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        now=clock,
        random=random.Random(7),
        numbers=[],
        delays=Delays(sent=0, delivered=0),
    )
    ready = standing.at_these_doors(settings)
    parts = open_parts(ready, ring=doorbell.silent, database=standing.database, now=clock)
    inbound = f"{standing.web_url}/twilio/inbound#rc=5&rp=all"
    carrier.add_number(Number(CLINIC_NUMBER, inbound, keyword_handling=keywords))
    clinic = add_clinic(parts.database, "Riverside", CLINIC_NUMBER, SITE, keywords=keywords, now=now)
    with standing.open(parts, carrier), httpx.Client(base_url=standing.web_url, timeout=30, verify=PLAIN) as web:
        carrier.start()
        try:
            yield House(ready, parts, carrier, clock, web, clinic)
        finally:
            carrier.stop()
