"""The pretend carrier: everything Twilio does for ScanGuide, in one object that tests and the demo can hold."""

import random as _random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from simulator.background import Background
from simulator.checks import E164, checked
from simulator.faults import Faults
from simulator.incoming import Incoming
from simulator.ledger import Ledger
from simulator.outgoing import Outgoing
from simulator.records import FINAL, Delays, Message, Number, RefusedError
from simulator.webhooks import Webhooks

__all__ = ["Carrier", "Delays", "Message", "Number", "RefusedError"]


class Carrier:
    """Carries texts between clinics' numbers and phones, and tells the service's webhooks about them."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        *,
        now: Callable[[], datetime],
        random: _random.Random,
        numbers: Sequence[Number] = (),
        public_url: str | None = None,
        store: Path | None = None,
        delays: Delays | None = None,
    ) -> None:
        """Set up; `public_url` is where media given by a relative path is found."""
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.now = now
        self.faults = Faults(random)
        self.epoch = now().isoformat()
        self._random = random
        self._public_url = public_url or ""
        self._numbers = {number.phone: number for number in numbers}
        self._ledger = Ledger(store)
        self._background = Background()
        self._webhooks = Webhooks(auth_token, self._token, self._background.stopping)
        self._outgoing = Outgoing(
            account_sid=account_sid,
            ledger=self._ledger,
            background=self._background,
            webhooks=self._webhooks,
            faults=self.faults,
            delays=delays or Delays(),
            now=now,
            new_sid=self._new_sid,
        )
        self._incoming = Incoming(
            account_sid=account_sid,
            ledger=self._ledger,
            background=self._background,
            webhooks=self._webhooks,
            faults=self.faults,
            outgoing=self._outgoing,
            now=now,
            new_sid=self._new_sid,
        )
        self._outgoing.resume()

    @property
    def stopping(self) -> threading.Event:
        """Set while the carrier is stopped; held connections end with it."""
        return self._background.stopping

    def start(self) -> None:
        """Start the background threads."""
        self._background.start()

    def stop(self) -> None:
        """Stop the background threads and close what is open; may be called again."""
        self._background.stop()
        self._webhooks.close()
        self._ledger.close()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until no callback, webhook or status change is pending."""
        return self._background.wait_idle(timeout)

    @property
    def numbers(self) -> list[Number]:
        """The clinics' numbers."""
        return list(self._numbers.values())

    def set_number(self, number: Number) -> None:
        """Add a clinic's number, or replace what is known of it."""
        self._numbers = {**self._numbers, number.phone: number}

    add_number = set_number

    @property
    def blocked(self) -> set[tuple[str, str]]:
        """Pairs of clinic number and phone that a STOP blocked at the carrier."""
        with self._ledger.lock:
            return set(self._ledger.blocked)

    def text_in(self, from_: str, to: str, body: str, media: Sequence[str] = ()) -> str:
        """Let a patient's phone text a clinic's number; returns the MessageSid at once."""
        if to not in self._numbers:
            raise ValueError("the text must go to one of the clinics' numbers")
        if not E164.fullmatch(from_):
            raise ValueError("a phone number looks like +12125550123")
        urls = [urljoin(self._public_url, url) for url in media]
        return self._incoming.take(self._numbers[to], from_, body, urls)

    def create(self, values: Mapping[str, str], media: int = 0) -> Message:
        """Take a text from the REST API, or raise `RefusedError`."""
        text = checked(values, media, self._numbers, self.blocked)
        if (refused := self.faults.take("refused")) is not None:
            raise RefusedError(int(refused.get("code", 21211)), "Refused on purpose.")
        if self.faults.take("21610") is not None:
            raise RefusedError(21610, "Attempt to send to unsubscribed recipient.")
        return self._outgoing.accept(text)

    def fetch(self, sid: str) -> Message:
        """Look one message up, or raise `RefusedError`."""
        message = self._ledger.get(sid)
        if message is None or message.deleted:
            raise RefusedError(20404, "The requested message was not found.", 404)
        return message

    def redact(self, sid: str) -> Message:
        """Forget the body of a finished message; the phone keeps what it got."""
        with self._ledger.lock:
            self._finished(sid)
            return self._ledger.change(sid, body="", updated_at=self.now())

    def delete(self, sid: str) -> None:
        """Forget a finished message; the phone keeps what it got."""
        with self._ledger.lock:
            self._finished(sid)
            self._ledger.change(sid, body="", deleted=True, updated_at=self.now())

    def cancel(self, sid: str) -> Message:
        """Withdraw a message that has not been sent yet."""
        with self._ledger.lock:
            message = self.fetch(sid)
            if message.status not in {"accepted", "queued"}:
                raise RefusedError(30409, "The message can no longer be canceled.")
            now = self.now()
            history = (*message.history, ("canceled", now))
            message = self._ledger.change(sid, status="canceled", updated_at=now, history=history)
        self._outgoing.cancelled(message)
        return message

    def messages(self) -> list[Message]:
        """Everything ever carried, oldest first, deleted ones included."""
        return self._ledger.all()

    def received(self, phone: str) -> list[Message]:
        """What a phone really got, in the order of sending and as its screen shows it.

        A text is there once it is delivered, after the receipt of `sent`: no phone shows what its sender has not heard of.
        """
        got = [m for m in self._ledger.all() if m.to == phone and m.arrived is not None and m.status == "delivered"]
        return [replace(m, body=m.shown) for m in sorted(got, key=lambda m: m.arrived or 0)]

    def since(self, version: int) -> tuple[int, list[Message]]:
        """Return the present version and the messages changed after `version`."""
        return self._ledger.since(version)

    def _finished(self, sid: str) -> None:
        if self.fetch(sid).status not in FINAL | {"sent"}:
            raise RefusedError(20009, "The message is not in a final state yet.", 409)

    def _token(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _new_sid(self) -> str:
        # A seeded carrier that reopens its file would repeat the SIDs of its first run.
        while (sid := "SM" + self._token()) in self._ledger:
            pass
        return sid
