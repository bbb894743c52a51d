"""What the benchmarks share: real servers, processes of their own, a carrier that costs next to nothing."""

import asyncio
import multiprocessing as mp
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.embedded import postgres, valkey
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
    """Answers every create with 201 and a fresh id; reads just enough HTTP for keep-alive."""

    count = 0

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
            _Acceptor.count += 1
            body = b'{"sid": "SM%032x", "status": "queued"}' % _Acceptor.count
            self.transport.write(  # type: ignore[attr-defined]
                b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (len(body), body)
            )


def fast_carrier(port: int) -> None:
    """Serve creates as fast as Python can, so that what is measured is the sender."""
    import uvloop

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Acceptor, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())
