"""An inbound turn (signed, stored, decided, answered) against a bare FastAPI route that checks the same signature.

Both are served by uvicorn in one process each and driven by the same client over the same number of connections, turn
about, so that a noisy machine slows both. Every text has its own MessageSid; texts are spread over many phones, as the
loop guard would silence one that wrote so often.
"""

import asyncio
import random
import statistics
import time
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import uvicorn
from sqlalchemy import create_engine, text
from twilio.request_validator import RequestValidator

from bench.common import ACCOUNT, TOKEN, Line, against, free_port, process, servers, wait_for_port
from service import clock, doorbell
from service.booking import book
from service.clinics import add_clinic
from service.conversation import Arrived, receive
from service.demo_data import CLINIC_NUMBER, SITE
from service.intake import Permission, read_booking
from service.settings import Settings
from service.store.database import driver_url
from service.wiring import open_parts

PATIENTS, CONNECTIONS, ROUNDS, PER_ROUND = 600, 4, 5, 300
MENU = ("MENU", "menu", "options", "list", "Menu", "OPTIONS")  # said in turn: the loop guard silences a repeater
FREE = ("Does it hurt?", "can I drive home after", "is it safe for my grandkids", "where do I park", "what is the scan")
MIXED_PER_SECOND, MIXED_SECONDS = 100, 8

# Everyone was asked, and agreed to detailed texts.
_AGREED = (
    """
    insert into consents (clinic_id, patient_id, contact_point_id, kind, given, obtained_by, how, at)
    select clinic_id, patient_id, contact_point_id, kind, true, 'bench', 'made up', :now
    from scans, unnest(array['texts', 'detail']) as kind where clinic_id = :clinic
    """,
    "update conversations set state = 'ready' where clinic_id = :clinic",
)


def _phone(n: int) -> str:
    return f"+1212555{n:04d}"


def _ours(settings: Settings, port: int) -> None:
    from service.web.app import create_app

    uvicorn.run(create_app(open_parts(settings)), port=port, log_level="error", access_log=False, lifespan="off")


def _echo(port: int, public_url: str) -> None:
    from fastapi import Depends, FastAPI, HTTPException, Request, Response
    from starlette.datastructures import FormData

    app, validator = FastAPI(), RequestValidator(TOKEN)

    async def signed(request: Request) -> FormData:
        form = await request.form()
        if not validator.validate(f"{public_url}/echo", form, request.headers.get("x-twilio-signature", "")):
            raise HTTPException(403)
        return form

    def echo(form: FormData = Depends(signed)) -> Response:  # noqa: B008
        body = f"<Response><Message><Body>{form['Body']}</Body></Message></Response>"
        return Response(body, media_type="text/xml")

    app.post("/echo")(echo)
    uvicorn.run(app, port=port, log_level="error", access_log=False, lifespan="off")


class _Requests:
    """Signed requests, made before the clock runs."""

    def __init__(self, port: int, path: str, seed: int) -> None:
        self.port, self.path, self.random, self.count = port, path, random.Random(seed), 0
        self.validator = RequestValidator(TOKEN)

    def make(self, words: tuple[str, ...], count: int) -> list[bytes]:
        """So many texts, each phone saying the words in turn."""
        return [self._one(words) for _ in range(count)]

    def _one(self, words: tuple[str, ...]) -> bytes:
        self.count += 1
        body = words[(self.count // PATIENTS + self.count) % len(words)]
        sid = f"SM{self.random.getrandbits(128):032x}"
        form = {
            "ToCountry": "US", "ToState": "NY", "SmsMessageSid": sid, "NumMedia": "0", "ToCity": "", "FromZip": "",
            "SmsSid": sid, "FromState": "NY", "SmsStatus": "received", "FromCity": "", "Body": body,
            "FromCountry": "US", "To": CLINIC_NUMBER, "ToZip": "", "NumSegments": "1", "MessageSid": sid,
            "AccountSid": ACCOUNT, "From": _phone(self.count % PATIENTS), "ApiVersion": "2010-04-01",
        }  # fmt: skip
        url = f"http://127.0.0.1:{self.port}{self.path}"
        content = urlencode(form).encode()
        signature = self.validator.compute_signature(url, form)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nX-Twilio-Signature: {signature}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content


async def _exchange(reader: Any, writer: Any, request: bytes) -> None:
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.split(b"\r\n")[0].decode())
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))[15:])
    body = await reader.readexactly(length)
    if b"<Message" not in body:
        raise RuntimeError("a text was not answered")


async def _rate(port: int, requests: list[bytes]) -> float:
    """Requests a second over a few kept-alive connections."""
    queue = iter(requests)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in queue:
            await _exchange(reader, writer, request)
        writer.close()

    start = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return len(requests) / (time.perf_counter() - start)


async def _paced(port: int, requests: list[bytes]) -> list[float]:
    """Latencies in ms at a fixed arrival rate: a late answer delays nobody else's arrival."""
    pool: asyncio.Queue[tuple[Any, Any]] = asyncio.Queue()
    for _ in range(24):
        pool.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    latencies: list[float] = []

    async def one(request: bytes, due: float) -> None:
        reader, writer = await pool.get()
        await _exchange(reader, writer, request)
        latencies.append((time.perf_counter() - due) * 1000)
        pool.put_nowait((reader, writer))

    start, tasks = time.perf_counter(), []
    for n, request in enumerate(requests):
        due = start + n / MIXED_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(request, due)))
    await asyncio.gather(*tasks)
    return sorted(latencies)


def _seed(settings: Settings) -> None:
    """Patients who have opted in to detailed texts, with a scan in ten days, and have written twice."""
    parts = open_parts(settings, ring=doorbell.silent)
    now = clock.utc_now()
    clinic = add_clinic(parts.database, "Bench", CLINIC_NUMBER, SITE, keywords="ours", now=now)
    arrival = (now + timedelta(days=10)).isoformat()
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    for n in range(PATIENTS):
        read = read_booking(
            patient_id=f"P-{n}", given_name="Walter", phone=_phone(n), language="en", zone=None, arrival_at=arrival,
            starts_at=None, tracer="Pylarify", reason="recurrence", site=None,
            permission=Permission("bench", "made up", long_ago),
        )  # fmt: skip
        book(parts, clinic.clinic_id, f"S-{n}", read, actor="bench", now=now - timedelta(hours=1))
    with parts.database.clinic(clinic.clinic_id) as session:
        for statement in _AGREED:
            session.execute(text(statement), {"clinic": clinic.clinic_id, "now": now})
    for n, words in product(range(PATIENTS), MENU[:2]):
        arrived = Arrived(f"SMseed{n}{words}", _phone(n), CLINIC_NUMBER, words)
        receive(parts, clinic.clinic_id, clinic.sender_id, arrived, now - timedelta(minutes=50))
    parts.database.forget_connections()
    owner = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:  # as the server does by itself within a minute
        connection.execute(text("vacuum analyze"))
    owner.dispose()


def run() -> list[Line]:
    """Both rates turn about, then latency at a steady hundred mixed texts a second."""
    with servers() as settings:
        ours, echo = free_port(), free_port()
        ready = settings.model_copy(update={"public_url": f"http://127.0.0.1:{ours}"})
        _seed(ready)
        with process(_ours, ready, ours), process(_echo, echo, f"http://127.0.0.1:{echo}"):
            wait_for_port(ours)
            wait_for_port(echo)
            to_us, to_echo = _Requests(ours, "/twilio/inbound", 1), _Requests(echo, "/echo", 2)
            return _measure(to_us, to_echo)


def _measure(to_us: _Requests, to_echo: _Requests) -> list[Line]:
    asyncio.run(_rate(to_us.port, to_us.make(MENU, 100)))
    asyncio.run(_rate(to_echo.port, to_echo.make(MENU, 100)))
    menu, free, bare = [], [], []
    for _ in range(ROUNDS):
        bare.append(asyncio.run(_rate(to_echo.port, to_echo.make(MENU, PER_ROUND * 2))))
        menu.append(asyncio.run(_rate(to_us.port, to_us.make(MENU, PER_ROUND))))
        free.append(asyncio.run(_rate(to_us.port, to_us.make(FREE, PER_ROUND))))
    mixed = to_us.make((*MENU, "C", *FREE), MIXED_PER_SECOND * MIXED_SECONDS)
    latencies = asyncio.run(_paced(to_us.port, mixed))
    p99 = latencies[int(len(latencies) * 0.99)]
    rates = [statistics.median(values) for values in (bare, menu, free)]

    def ratio(rates: list[float]) -> float:
        return statistics.median(ours / echo for ours, echo in zip(rates, bare, strict=True))

    return [
        Line(f"bare signed echo {rates[0]:.0f}/s, menu reply {rates[1]:.0f}/s, free text {rates[2]:.0f}/s (medians)"),
        against("menu reply, of the bare echo's rate", ratio(menu), 1 / 6),
        against("free text, of the bare echo's rate", ratio(free), 1 / 12),
        Line(f"at {MIXED_PER_SECOND} mixed texts/s: p50 {statistics.median(latencies):.1f} ms, p99 {p99:.1f} ms "
             f"(target p99 under 50: {'met' if p99 < 50 else 'MISSED'})", p99 < 50),
    ]  # fmt: skip
