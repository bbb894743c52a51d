"""Whole processes: the demo as a newcomer starts it, a real browser, and single processes that can be killed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from service.embedded import environment
from service.settings import Settings


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], bool], what: str, seconds: float = 30) -> None:
    """Wait until something is so; fails saying what never was."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.1)


@contextmanager
def running(command: str, settings: Settings, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of ours, as `scanguide COMMAND`, ended at the end."""
    changed = {**environment(settings), "SECRET_KEY": settings.secret_key}
    process = subprocess.Popen([sys.executable, "-m", "service.cli", command, *options], env=changed)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def demo(folder: Path, port: int) -> Iterator[str]:
    """`scanguide demo` with its data in `folder`; yields its address once the first page answers."""
    changed = {name: value for name, value in os.environ.items() if not name.endswith("_URL")} | {
        "DATA_DIR": str(folder)
    }
    process = subprocess.Popen([sys.executable, "-m", "service.cli", "demo", "--port", str(port)], env=changed)
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        assert process.poll() is None, "the demo ended"
        try:
            return httpx.get(url).status_code == 200
        except httpx.TransportError:
            return False

    try:
        eventually(answers, "the demo's first page answers", 60)
        yield url
    finally:
        process.terminate()
        assert process.wait(30) == 0, "the demo did not stop cleanly"
