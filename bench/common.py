"""What the benchmarks share: real servers, processes of their own, a carrier that costs next to nothing."""

import asyncio
import multiprocessing as mp
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from service import clock
from service.embedded import environment, postgres, valkey
from service.migrate import migrate
from service.settings import Settings

ACCOUNT, TOKEN = "AC" + "b" * 32, "bench-token"
SPAWN = mp.get_context("spawn")


@dataclass(frozen=True)
class Line:
    """One line of the table; `met` is None where there is no target."""

    text: str
    met: bool | None = None


def against(what: str, ratio: float, target: float) -> Line:
    """A ratio and whether it meets its target."""
    return Line(f"{what}: {ratio:.2f} (target {target:.2f}: {'met' if ratio >= target else 'MISSED'})", ratio >= target)


def at_most(what: str, value: float, target: float, unit: str = "") -> Line:
    """A figure of which less is better, and whether it meets its target."""
    met = value <= target
    shown = [f"{figure:.2f}" if isinstance(figure, float) else str(figure) for figure in (value, target)]
    return Line(f"{what}: {shown[0]}{unit} (target at most {shown[1]}: {'met' if met else 'MISSED'})", met)


@contextmanager
def servers() -> Iterator[Settings]:
    """Fresh, migrated servers in a folder of their own."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="scanguide-bench-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o755)
        database = stack.enter_context(postgres(folder / "postgres"))
        redis = stack.enter_context(valkey(folder / "valkey"))
        migrate(database)
        yield Settings(
            database_url=database,
            migrate_database_url=database,
            redis_url=redis,
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=TOKEN,
            secret_key="a bench key that is long enough for everything",
            data_dir=folder,
        )


def free_port() -> int:
    """A port nobody listens on."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(target: Callable[..., None], *args: Any) -> Iterator[Any]:
    """A process of its own, stopped at the end."""
    child = SPAWN.Process(target=target, args=args, daemon=True)
    child.start()
    try:
        yield child
    finally:
        child.terminate()
        child.join(10)


@contextmanager
def module(*arguments: str, **more: str) -> Iterator[None]:
    """`python -m ...` with more environment, stopped at the end; what it prints is not ours to show."""
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", *arguments], env={**os.environ, **more}, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def our_worker(settings: Settings) -> None:
    """`scanguide worker`, in this process."""
    from workers.run import worker

    worker(_as_environment(settings))


def our_ticker(settings: Settings) -> None:
    """`scanguide ticker`, in this process."""
    from workers.run import tick

    tick(_as_environment(settings))


def _as_environment(settings: Settings) -> Settings:
    from service.settings import load

    os.environ.update(environment(settings), SECRET_KEY=settings.secret_key)
    return load()


def wait_for_port(port: int, seconds: float = 30) -> None:
    """Until something answers there."""
    import socket

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing answers on port {port}")


class _Acceptor(asyncio.Protocol):
    """Answers every create with 201 and a fresh id; reads just enough HTTP for keep-alive. A GET fetches the log."""

    count = 0
    log: list[tuple[float, bytes]] | None = None  # when each create came, and its body

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            length = 0
            for line in head.split(b"\r\n")[1:]:
                if line[:15].lower() == b"content-length:":
                    length = int(line[15:])
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            if head.startswith(b"GET /log"):
                self._answer(b"200 OK", b"text/plain", _told(_Acceptor.log or []))
                continue
            if head.startswith(b"GET "):  # a listing: nobody has texted
                self._answer(b"200 OK", b"application/json", b'{"messages": [], "page": 0, "page_size": 50}')
                continue
            if _Acceptor.log is not None:
                _Acceptor.log.append((clock.utc_now().timestamp(), rest[:length]))
            _Acceptor.count += 1
            body = b'{"sid": "SM%032x", "status": "queued"}' % _Acceptor.count
            self._answer(b"201 Created", b"application/json", body)

    def _answer(self, status: bytes, kind: bytes, body: bytes) -> None:
        self.transport.write(  # type: ignore[attr-defined]
            b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s" % (status, kind, len(body), body)
        )


def _told(log: list[tuple[float, bytes]]) -> bytes:
    """The log a line each, the addressee picked out only now."""
    to = re.compile(rb"(?:^|&)To=([^&]*)")
    found = ((at, to.search(body)) for at, body in log)
    return b"\n".join(b"%.6f %s" % (at, match[1]) for at, match in found if match)


def fast_carrier(port: int, keep_log: bool = False) -> None:
    """Serve creates as fast as Python can, so that what is measured is the sender."""
    import uvloop

    _Acceptor.log = [] if keep_log else None

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Acceptor, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


def arrivals(port: int) -> list[tuple[float, str]]:
    """What the carrier was handed so far: when (seconds since the epoch), and to whom."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/log", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    return [(float(at), unquote(to)) for at, _, to in (line.partition(" ") for line in lines)]
