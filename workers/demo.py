"""The whole house on one port: embedded servers, a pretend carrier with a phone in the browser, and a clock to move.

Everything under it is the real thing; only the carrier and the clock are not. The clock is a row, read by every process;
a jump stops at each due moment in order, as if the days had passed.
"""

import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy import text

from flows.journey import next_open
from flows.limits import WINDOW
from service import clock, embedded
from service.demo_data import CLINIC_NUMBER, ZONE, seed
from service.migrate import migrate
from service.settings import Settings
from service.store.work import next_moment
from service.switches import set_switch
from service.timeline import touchpoint_name
from service.web.app import create_app
from service.wiring import Parts, open_parts
from simulator.app import create_app as create_phone
from simulator.carrier import Carrier, Number
from workers.turns import run_due

ACCOUNT = "AC" + "d" * 32
SETTLE_SECONDS = 5.0  # real time allowed to the pretend carrier for its receipts at each stop of a jump
MOST_STOPS = 3000
_COMING = text("""
    select r.due_at, r.touchpoint, r.merged from reminders r join scans s on s.clinic_id = r.clinic_id and s.id = r.scan_id
    where r.clinic_id = :clinic and r.status = 'planned' and r.due_at > :now and r.touchpoint <> 'preparation_check'
    order by r.due_at limit 40
""")


class TimeMachine:
    """Moves the shared clock forward through each due moment. One jump at a time."""

    def __init__(self, parts: Parts, carrier: Carrier) -> None:
        self._parts, self._carrier = parts, carrier
        self._jump = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a jump is under way."""
        return self._jump.locked()

    def start(self, to: datetime) -> bool:
        """Begin a jump in the background; False if one is under way."""
        if not self._jump.acquire(blocking=False):
            return False
        threading.Thread(target=self._travel, args=(to,), daemon=True).start()
        return True

    def _travel(self, to: datetime) -> None:
        try:
            for _ in range(MOST_STOPS):
                stop = self._next_stop(to)
                self._set(stop)
                run_due(self._parts, stop)
                self._carrier.wait_idle(SETTLE_SECONDS)
                if stop >= to:
                    break
        finally:
            self._jump.release()

    def _next_stop(self, to: datetime) -> datetime:
        now = self._parts.now()
        with self._parts.database.cross() as connection:
            paused = connection.execute(text("select value from switches where name = 'pause'")).scalar() == "on"
            due = next_moment(connection)
        if due is None or paused:
            return to
        return min(max(due, now), to)

    def _set(self, at: datetime) -> None:
        ahead = max((at - clock.utc_now()).total_seconds(), 0.0)
        with self._parts.database.cross() as connection:
            set_switch(connection, "clock", str(ahead), by="demo", now=at)


def clock_door(parts: Parts, machine: TimeMachine, clinic_id: int, zone: str) -> APIRouter:
    """`/demo/clock`: the system's time, what is coming, and the lever."""
    router = APIRouter(prefix="/demo", include_in_schema=False)

    @router.get("/clock")
    def look() -> dict[str, object]:
        now = parts.now()
        with parts.database.clinic(clinic_id) as session:
            coming = session.execute(_COMING, {"clinic": clinic_id, "now": now}).all()
        moments = [
            {
                "at": row.due_at.isoformat(),
                "name": row.touchpoint,
                "label": f"{touchpoint_name(row.touchpoint, row.merged)} · {_spoken(row.due_at, zone)}",
            }
            for row in coming
        ]
        return {"now": now.isoformat(), "zone": zone, "moments": moments, "busy": machine.busy}

    @router.post("/clock")
    async def jump(request: Request) -> JSONResponse:
        try:
            to = datetime.fromisoformat((await request.json())["to"])
        except (ValueError, KeyError, TypeError):
            return JSONResponse({"error": "give `to` as an ISO 8601 moment with an offset"}, 400)
        if to.tzinfo is None or not parts.now() < to < parts.now() + timedelta(days=400):
            return JSONResponse({"error": "time moves forward only, and at most 400 days"}, 400)
        if not machine.start(to):
            return JSONResponse({"error": "a jump is under way"}, 409)
        return JSONResponse({"busy": True}, 202)

    return router


def _spoken(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a %b} {local.day}, {local.hour % 12 or 12}:{local:%M} {'am' if local.hour < 12 else 'pm'}"


def create_demo(settings: Settings) -> tuple[FastAPI, Carrier]:
    """The demo's application and its carrier (not yet started), on a migrated and seeded database."""
    parts = open_parts(settings)
    _start_in_the_morning(parts)
    clinic = seed(parts, parts.now())
    clinic_number = Number(
        phone=CLINIC_NUMBER, inbound_url=f"{settings.public_url}/twilio/inbound#rc=5&rp=all", keyword_handling="ours"
    )
    carrier = Carrier(
        account_sid=settings.twilio_account_sid,
        auth_token=settings.twilio_auth_token,
        now=parts.now,
        random=random.SystemRandom(),
        numbers=[clinic_number],
        store=settings.data_dir / "carrier.sqlite",
    )
    app = create_app(parts)
    app.include_router(clock_door(parts, TimeMachine(parts, carrier), clinic.clinic_id, clinic.zone))
    links = (("Clinic", "/clinic"), ("Operators", "/ops"))
    phone = create_phone(carrier, title="The patient's phone", clock_url="/demo/clock", links=links)
    app.mount("/phone", phone)
    return app, carrier


def _start_in_the_morning(parts: Parts) -> None:
    """A first start at night would show an empty phone until nine: begin the demo's time at the next open window."""
    with parts.database.cross() as connection:
        fresh = connection.execute(text("select count(*) from switches where name = 'clock'")).scalar_one() == 0
        opens = next_open(clock.utc_now(), ZoneInfo(ZONE), WINDOW)
        if fresh:
            ahead = (opens - clock.utc_now()).total_seconds()
            set_switch(connection, "clock", str(max(ahead, 0.0)), by="demo", now=opens)


def for_demo(settings: Settings) -> Settings:
    """The demo's own settings: one port, a carrier account of its own, a quick ticker."""
    here = f"http://127.0.0.1:{settings.port}"
    return settings.model_copy(
        update={
            "environment": "demo",
            "public_url": here,
            "twilio_account_sid": ACCOUNT,
            "twilio_auth_token": "demo-token",
            "twilio_api_url": f"{here}/phone",
            "tick_seconds": 1.0,
        }
    )


@contextmanager
def children(settings: Settings, *commands: str) -> Iterator[None]:
    """Run worker and ticker beside this process, and stop them with it."""
    environment = embedded.environment(settings)
    running = [
        subprocess.Popen([sys.executable, "-m", "service.cli", command], env=environment)  # noqa: S603 - our own
        for command in commands
    ]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)


def main(settings: Settings, say: Callable[[str], None]) -> None:
    """Run the demo until SIGTERM or Ctrl-C; its data stays in the data folder for the next start."""
    with embedded.servers(for_demo(settings)) as ready:
        migrate(ready.owner_url)
        app, carrier = create_demo(ready)
        carrier.start()
        try:
            with children(ready, "worker", "ticker"):
                say(f"ScanGuide demo: {ready.public_url}/   (stop with Ctrl-C; data in {ready.data_dir})")
                uvicorn.run(app, host="127.0.0.1", port=ready.port, log_level="warning", access_log=False)
        finally:
            carrier.stop()
