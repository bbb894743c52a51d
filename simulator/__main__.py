"""Runs the carrier and its phone alone, as one process on 127.0.0.1, for tests that want real sockets all the way."""

import argparse
import random
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from simulator.app import create_app
from simulator.carrier import Carrier, Delays, Number


def main() -> None:
    """Read the arguments, serve on 127.0.0.1, and stop cleanly on SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=8100)
    parser.add_argument("--account-sid", required=True)
    parser.add_argument("--auth-token", required=True)
    parser.add_argument("--number", action="append", required=True, help="a clinic's number; may be repeated")
    parser.add_argument("--inbound-url", required=True)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--keyword-handling", choices=("default", "ours"), default="ours")
    parser.add_argument("--delay-sent", type=float, default=0.3)
    parser.add_argument("--delay-delivered", type=float, default=0.8)
    given = parser.parse_args()
    carrier = Carrier(
        given.account_sid,
        given.auth_token,
        now=lambda: datetime.now(UTC),  # noqa: TID251  # run alone, the carrier has no clock but the machine's
        random=random.SystemRandom(),
        numbers=[Number(phone, given.inbound_url, given.keyword_handling) for phone in given.number],
        public_url=f"http://127.0.0.1:{given.port}/",
        store=given.store,
        delays=Delays(given.delay_sent, given.delay_delivered),
    )
    # uvicorn raises the signal again when it has shut down; leaving by an exception lets the carrier stop too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    carrier.start()
    try:
        # Access logs would hold phone numbers; held connections must not hold the process.
        config = uvicorn.Config(
            create_app(carrier),
            host="127.0.0.1",
            port=given.port,
            access_log=False,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run()
    finally:
        carrier.stop()


if __name__ == "__main__":
    main()
