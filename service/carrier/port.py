"""What we ask of a carrier, whoever it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Message:
    """One text to hand over: exactly the approved words, and for how many seconds trying makes sense."""

    to: str
    body: str
    sender: str
    messaging_service_sid: str | None
    callback_url: str
    validity_seconds: int


@dataclass(frozen=True)
class Listed:
    """One text as the carrier remembers it."""

    sid: str
    status: str
    body: str
    to: str
    sender: str  # empty while a Messaging Service has not picked the number yet
    messaging_service_sid: str | None
    created_at: datetime | None
    error_code: int | None


@dataclass(frozen=True)
class Received:
    """One text that a phone sent to a number of ours, as the carrier remembers it."""

    sid: str
    phone: str
    body: str
    media: int
    received_at: datetime | None


@dataclass(frozen=True)
class NumberSetup:
    """Where the carrier announces texts to one of our numbers, and where it turns when that fails."""

    inbound_url: str
    inbound_method: str
    fallback_url: str
    fallback_method: str


class Carrier(Protocol):
    """Sends, and remembers what it was given."""

    def send(self, message: Message) -> str:
        """Hand over one text and return the carrier's id. Raises Refused, Busy or Unknown (service/errors.py)."""

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """What was sent to `phone` from about `since` on, newest first. Raises Unknown if the carrier is away."""

    def received(self, number: str, since: datetime) -> list[Received]:
        """What phones sent to `number` from about `since` on, oldest first. Raises Unknown if the carrier is away."""

    def numbers(self) -> dict[str, NumberSetup]:
        """Our numbers as they are set up there. Raises Unknown if the carrier is away or refuses us."""
