"""The carrier as a process of its own: it serves, carries, and leaves cleanly on SIGTERM."""

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from tests.simulator.conftest import CLINIC, PATH, PATIENT, SID, TOKEN, Receiver, form


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops(tmp_path: Path, receiver: Receiver, how: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    given = {"--port": port, "--account-sid": SID, "--auth-token": TOKEN, "--number": CLINIC}
    given |= {"--inbound-url": f"{receiver.url}/inbound", "--store": tmp_path / "store", "--delay-delivered": 0.4}
    arguments = [str(part) for pair in given.items() for part in pair]
    process = subprocess.Popen([sys.executable, "-m", "simulator", *arguments])
    try:
        # Retries of the connection are the wait for the process to listen.
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=(SID, TOKEN)) as api:
            _until_it_listens(api)
            assert api.post(f"{PATH}.json", data=form()).status_code == 201
            api.post("/simulator/text", json={"from": PATIENT, "to": CLINIC, "body": "hello"})
            assert api.post("/simulator/wait", json={"timeout": 5}).json() == {"idle": True}
            statuses = {message["status"] for message in api.get("/simulator/messages").json()["messages"]}
        assert statuses == {"delivered", "received"}
        assert len(receiver.at("/inbound")) == 1
    finally:
        process.send_signal(how)
        code = process.wait(10)
    assert code == 0


def _until_it_listens(api: httpx.Client) -> None:
    pause = threading.Event()
    for _ in range(200):
        try:
            api.get("/simulator/faults")
        except httpx.ConnectError:
            pause.wait(0.05)
        else:
            return
    pytest.fail("the carrier does not listen")
