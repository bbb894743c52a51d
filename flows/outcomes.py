"""What a carrier's answer or receipt means: the rank of a status, and the class of an error code.

Status only rises: receipts come late, twice and out of order, so each status has a rank and a lower one changes
nothing. Among final ones `delivered` wins: a long text may fail in one part before all of it arrives.
"""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

# Statuses of an outbound text, ours and the carrier's, by rank.
RANK = {
    "planned": 0,
    "held": 0,
    "queued": 0,
    "offered": 1,  # given to the carrier as the answer to a webhook; no receipt yet
    "sending": 1,  # claimed; the call is under way
    "uncertain": 2,  # the call ended without an answer; looked up, never resent blindly
    "accepted": 3,
    "sending_at_carrier": 4,
    "sent": 5,
    "undelivered": 6,
    "failed": 6,
    "canceled": 6,
    "delivered": 7,
}
FINAL = frozenset({"delivered", "undelivered", "failed", "canceled"})
# The carrier's own words (Twilio's message_enum_status) to ours.
FROM_CARRIER = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "sending_at_carrier",
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "partially_delivered": "sent",
    "undelivered": "undelivered",
    "failed": "failed",
    "canceled": "canceled",
}


@dataclass(frozen=True)
class Outcome:
    """The class of an error code and the words staff read for it."""

    kind: str  # retry | again | next_day | uncertain | number | opted_out | sender | person
    words: str


def rises(old: str, new: str) -> bool:
    """Whether a receipt of status `new` may replace `old`."""
    return RANK.get(new, -1) > RANK.get(old, -1)


@lru_cache(maxsize=1)
def _table() -> dict[int, Outcome]:
    rows = tomllib.loads(files("flows").joinpath("carrier_codes.toml").read_text(encoding="utf-8"))
    return {int(code): Outcome(row["class"], row["words"]) for code, row in rows.items()}


def outcome(code: int | None) -> Outcome:
    """What an error code means; an unknown one is for a person to look at, never to retry."""
    known = _table().get(code or 0)
    return known or Outcome("person", f"the carrier gave a reason that we do not know ({code})")
