"""The carrier's plain records: its numbers, its delays and the messages it carries."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

KeywordHandling = Literal["default", "ours"]
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "received"})


class RefusedError(Exception):
    """A request the carrier will not take, in the words of its REST API."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        """Keep Twilio's error code, its sentence and the HTTP status."""
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass(frozen=True, slots=True)
class Number:
    """One of the clinics' numbers, and where texts to it are announced."""

    phone: str
    inbound_url: str = ""
    keyword_handling: KeywordHandling = "default"
    messaging_service_sid: str | None = None
    fallback_url: str | None = None
    fallback_method: Literal["GET", "POST"] = "POST"


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds of real time from acceptance to each later status."""

    sent: float = 0.3
    delivered: float = 0.8


@dataclass(frozen=True, slots=True)
class Message:
    """One text as the carrier knows it; every change makes a new one."""

    sid: str
    direction: str
    from_: str
    to: str
    body: str
    status: str
    created_at: datetime
    num_segments: int
    error_code: int | None = None
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    status_callback: str | None = None
    validity_period: int | None = None
    history: tuple[tuple[str, datetime], ...] = ()
    reply_to: str | None = None
    messaging_service_sid: str | None = None
    num_media: int = 0
    answered_at: datetime | None = None
    # What the handset shows: redacting or deleting at the carrier never reaches into a phone.
    shown: str = ""
    # Rank in which it was sent on to the handset; None when it never was.
    arrived: int | None = None
    deleted: bool = False
    version: int = 0


def to_json(message: Message) -> dict[str, Any]:
    """Turn a message into plain JSON values."""
    values = asdict(message)
    values["history"] = [[status, at.isoformat()] for status, at in message.history]
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in values.items()}


def from_json(values: Mapping[str, Any]) -> Message:
    """Rebuild a message from `to_json`."""
    fields = dict(values)
    for key in ("created_at", "sent_at", "updated_at", "answered_at"):
        fields[key] = datetime.fromisoformat(fields[key]) if fields[key] else None
    fields["history"] = tuple((status, datetime.fromisoformat(at)) for status, at in fields["history"])
    return Message(**fields)
