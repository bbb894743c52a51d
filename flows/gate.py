"""The one gate before every send: send now, hold until later, or refuse with a reason.

One pure function with two callers, the sender's claim and the webhook's reply. Safety, STOP and HELP pass caps, hush,
pauses and the window; nothing but them passes an opt-out. A refusal is a row with its reason, never silence.
"""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from zoneinfo import ZoneInfo

from flows import limits
from flows.journey import moment, next_open


class Priority(IntEnum):
    """Order in which one sender's texts leave; the lower the sooner."""

    SAFETY = 0  # safety wording, and the words of a person's own answer
    KEYWORD = 1  # the one opt-out confirmation, HELP; not the answer to START, which a later STOP takes back
    REPLY = 2
    NOTICE = 3  # a move, a cancellation: he may be on his way
    DAY_OF = 4  # the day before and the day of the visit
    REMINDER = 5
    BULK = 6  # invitations, which come in thousands with an import


class Action(StrEnum):
    """What the gate says."""

    SEND = "send"
    HOLD = "hold"
    REFUSE = "refuse"


UTC_ZONE = ZoneInfo("UTC")

# Why a text was not sent, as staff read it.
REASONS = {
    "unreadable": "what is stored about it cannot be read",
    "opted_out": "he opted out of texts",
    "frozen": "this number is not the patient's",
    "died": "we were told that he has died",
    "no_consent": "he has not agreed to texts",
    "too_open": "worded for open talk, and he has asked since for general texts",
    "not_booked": "the visit is no longer booked",
    "moved": "the visit moved after this was planned",
    "worthless": "too late to be of use",
    "closing": "less than a minute was left to send it",
    "care": "held back after a safety reply; only logistics go out",
    "sender_off": "the clinic's number is not in use",
    "paused": "sending is paused",
    "unseen": "we were away: first we look for texts that he sent meanwhile",
    "window": "outside the texting hours",
    "hush": "he is in the middle of a conversation",
    "daily_cap": "he already had an automated text that day",
    "weekly_cap": "he already had three automated texts that week",
}


@dataclass(frozen=True)
class Attempt:
    """All the facts that decide one send. Moments are aware UTC; `texted_at` are his automated texts of the last week."""

    priority: Priority
    automated: bool = False  # a planned touchpoint; a reply to his text is not
    readable: bool = True  # false: its facts make no sense, a zone that no table knows for example
    valid_until: datetime | None = None
    booked: bool = True
    current_plan: bool = True
    consented: bool = True
    too_open: bool = False  # worded in the detailed form, to which he has not agreed or agrees no more
    opted_out: bool = False
    frozen: bool = False
    died: bool = False
    sender_live: bool = True
    paused: bool = False
    seen_until: datetime | None = None  # up to when texts to this number of ours that we missed were looked for
    vain_listings: int = 0  # how often in a row that has come to nothing since
    care_pause: bool = False
    logistics: bool = False
    exempt: bool = False  # from the caps: texts of the day before, the day itself, moves and cancellations
    zone: ZoneInfo = UTC_ZONE
    window: tuple[time, time] = limits.WINDOW
    last_inbound_at: datetime | None = None
    texted_at: tuple[datetime, ...] = field(default=())


@dataclass(frozen=True)
class Verdict:
    """Send (with the seconds the carrier may try), hold until a moment, or refuse; `reason` is a key of REASONS."""

    action: Action
    reason: str = ""
    until: datetime | None = None
    validity_seconds: int = limits.VALIDITY[1]


def gate(attempt: Attempt, now: datetime) -> Verdict:
    """Judge one send at `now`."""
    refused = _refusal(attempt, now)
    if refused:
        return Verdict(Action.REFUSE, refused)
    held = _hold(attempt, now)
    if held:
        reason, until = held
        if until is not None and attempt.valid_until is not None and until >= attempt.valid_until:
            return Verdict(Action.REFUSE, reason)
        return Verdict(Action.HOLD, reason, until)
    remaining = int((attempt.valid_until - now).total_seconds()) if attempt.valid_until else limits.VALIDITY[1]
    if remaining < limits.VALIDITY[0]:
        return Verdict(Action.REFUSE, "closing")
    return Verdict(Action.SEND, validity_seconds=min(remaining, limits.VALIDITY[1]))


def _refusal(attempt: Attempt, now: datetime) -> str:
    if attempt.valid_until is not None and now >= attempt.valid_until:
        return "worthless"
    if attempt.priority <= Priority.KEYWORD:
        return ""
    rules = (
        (not attempt.readable, "unreadable"),
        (attempt.frozen, "frozen"),
        (attempt.opted_out, "opted_out"),
        (attempt.automated and attempt.died, "died"),
        (not attempt.sender_live, "sender_off"),
        (attempt.automated and not attempt.consented, "no_consent"),
        (attempt.automated and not attempt.booked, "not_booked"),
        (not attempt.current_plan, "moved"),  # an answer that was held as well: it may name the hour that was
        (attempt.automated and attempt.care_pause and not attempt.logistics, "care"),
        (attempt.too_open, "too_open"),  # last: what may not go in any words is not worded anew
    )
    return next((reason for broken, reason in rules if broken), "")


def _hold(attempt: Attempt, now: datetime) -> tuple[str, datetime | None] | None:
    """Why and until when to wait; until None means until a person lifts it."""
    if attempt.priority <= Priority.KEYWORD:
        return None
    if attempt.paused:
        return "paused", None
    if not attempt.automated:
        return None
    opens = next_open(now, attempt.zone, attempt.window)
    if opens > now:
        return "window", opens
    if _unseen(attempt, now):
        return "unseen", now + limits.LOOK_TAKES
    if attempt.last_inbound_at is not None and now < attempt.last_inbound_at + limits.HUSH:
        quiet = attempt.last_inbound_at + limits.HUSH
        leaves_time = attempt.valid_until is None or quiet + timedelta(hours=1) < attempt.valid_until
        if leaves_time:
            return "hush", quiet
    return None if attempt.exempt else _cap(attempt, now)


def _unseen(attempt: Attempt, now: datetime) -> bool:
    """Whether he may have texted STOP, or for help, while we were away: the look for missed texts comes first.

    A carrier that cannot list them must not stop every planned text for ever: after some looks in vain they go, as on
    any day, on what we know. A number never looked at yet is a new one and missed nothing.
    """
    if attempt.seen_until is None or attempt.vain_listings >= limits.VAIN_LISTINGS:
        return False
    return now - attempt.seen_until > limits.SEEN_LATELY


def _cap(attempt: Attempt, now: datetime) -> tuple[str, datetime] | None:
    """The day's and the week's caps, in days of the patient's own zone; held to a later morning."""
    today = now.astimezone(attempt.zone).date()
    days = sorted(at.astimezone(attempt.zone).date() for at in attempt.texted_at)
    opens = attempt.window[0]
    if days.count(today) >= limits.DAILY_CAP:
        return "daily_cap", moment(today + timedelta(days=1), opens, attempt.zone)
    week = [day for day in days if day > today - timedelta(days=7)]
    if len(week) >= limits.WEEKLY_CAP:
        return "weekly_cap", moment(week[-limits.WEEKLY_CAP] + timedelta(days=7), opens, attempt.zone)
    return None
