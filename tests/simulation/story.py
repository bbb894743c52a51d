"""A random story as data: clinics, journeys, and steps in time, all from one seed. Playing it is world.py's affair.

Everything random is decided here, so a story can be printed, shortened and played again.
"""

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.simulation.texts import GROUPS

MINUTE, HOUR, DAY = 60, 3600, 86_400
SITE_ZONES = ("America/New_York", "America/New_York", "America/Chicago", "America/Los_Angeles", "America/Phoenix")
FAR_ZONES = ("America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "America/Anchorage", "Europe/Madrid")
KEYWORDS = ("ours", "ours", "ours", "default", "advanced")
# Just before both changes of the clock in the United States, and two dates of no meaning.
STARTS = (datetime(2027, 3, 8, 14, tzinfo=UTC), datetime(2027, 11, 1, 14, tzinfo=UTC), datetime(2027, 6, 7, 3, tzinfo=UTC),
          datetime(2028, 2, 24, 19, tzinfo=UTC))  # fmt: skip
SEND_FAULTS = ("timeout_before", "timeout_after", "500_before", "500_after", "429", "refused_connection",
               "crash_before", "crash_after", "meanwhile")  # fmt: skip
CODES = (21611, 21610, 21614, 30007, 21408, 21617, 99999, 20429)  # at the door, one of each class
LATER_CODES = (30001, 30017, 30500, 30410, 30003, 30005, 30006, 30004, 30007, 30008, 30036, 88888)  # by receipt
FATES = (
    "lost_receipts",
    "double_receipts",
    "reordered_receipts",
    "late_receipts",
    "early_receipt",
    "slow",
    "undelivered",
)
WEBHOOK_FAULTS = ("twice_at_once", "retried", "late_answer", "lost_answer", "broken")
ACTIVITIES = ("send", "send", "send_now", "fire", "settle", "announce", "turn", "turn", "book", "end", "receipt", "receipt",
              "stop_texts")  # fmt: skip


@dataclass(frozen=True)
class Clinic:
    """One clinic with its number; the second site is in the same zone."""

    zone: str
    keywords: str
    late_window: bool  # 8:00 to 21:00 rather than 9:00 to 20:00
    pace: int = 1  # segments a second of its number; a fast one sends many texts in one claim


@dataclass(frozen=True)
class Journey:
    """One scan: whose it is, at which clinic, and how the man on that phone is used to answering."""

    name: int
    clinic: int
    patient: str
    phone: str
    zone: str | None
    language: str
    tracer: str
    reason: str
    permission: bool
    habits: dict[str, list[list[Any]]]  # key of a text received -> [[seconds, words], ...], used up one by one


@dataclass(frozen=True)
class Step:
    """Something that happens: `at` seconds after the story's start, to one journey (-1: to everyone)."""

    at: int
    journey: int
    what: str
    how: dict[str, Any]


@dataclass(frozen=True)
class Story:
    """All of it."""

    seed: int
    start: datetime
    clinics: tuple[Clinic, ...]
    journeys: tuple[Journey, ...]
    steps: tuple[Step, ...]

    def without_journey(self, name: int) -> "Story":
        """The story with one journey fewer."""
        return replace(
            self,
            journeys=tuple(j for j in self.journeys if j.name != name),
            steps=tuple(s for s in self.steps if s.journey != name),
        )

    def dumps(self) -> str:
        """As JSON, a step a line."""
        body = asdict(self) | {"start": self.start.isoformat()}
        steps, journeys = body.pop("steps"), body.pop("journeys")
        lines = [json.dumps(body)[:-1] + ',\n "journeys": [', ",\n".join("  " + json.dumps(j) for j in journeys),
                 ' ],\n "steps": [', ",\n".join("  " + json.dumps(s) for s in steps), " ]}"]  # fmt: skip
        return "\n".join(lines)


def loads(written: str) -> Story:
    """A story from its JSON."""
    body = json.loads(written)
    return Story(
        body["seed"],
        datetime.fromisoformat(body["start"]),
        tuple(Clinic(**c) for c in body["clinics"]),
        tuple(Journey(**j) for j in body["journeys"]),
        tuple(Step(**s) for s in body["steps"]),
    )


def tell(seed: int) -> Story:
    """The story of a seed."""
    random = Random(seed)
    start = random.choice(STARTS) + timedelta(minutes=random.randrange(0, 24 * 60))
    clinics = tuple(
        Clinic(random.choice(SITE_ZONES), random.choice(KEYWORDS), random.random() < 0.2, random.choice((1, 1, 50)))
        for _ in range(random.choice((1, 1, 2, 3)))
    )
    journeys: list[Journey] = []
    steps: list[Step] = []
    for name in range(random.randint(2, 6)):
        journey = _journey(random, name, len(clinics), journeys)
        journeys.append(journey)
        steps += _life(random, journey)
    steps += _weather(random, max(step.at for step in steps))
    return Story(seed, start, clinics, tuple(journeys), tuple(sorted(steps, key=lambda step: step.at)))


def _journey(random: Random, name: int, clinics: int, before: list[Journey]) -> Journey:
    clinic, phone, patient = random.randrange(clinics), f"+1212555{1000 + name}", f"P-{name}"
    zone = random.choice(FAR_ZONES) if random.random() < 0.25 else None
    language = random.choice(("en", "en", "en", "es"))
    if before and random.random() < 0.4:
        other = random.choice(before)
        match random.choice(("second scan", "same phone", "other clinic")):
            case "second scan":
                clinic, phone, patient, zone, language = (
                    other.clinic,
                    other.phone,
                    other.patient,
                    other.zone,
                    other.language,
                )
            case "same phone":
                clinic, phone = other.clinic, other.phone
            case _:
                phone = other.phone
    return Journey(
        name,
        clinic,
        patient,
        phone,
        zone,
        language,
        random.choice(("Pylarify", "Illuccix")),
        random.choice(("staging", "recurrence", "advanced", "unknown")),
        random.random() < 0.95,
        _habits(random),
    )


def _habits(random: Random) -> dict[str, list[list[Any]]]:
    """How he answers: mostly as asked, after a minute or some hours, now and then something else."""

    def reply(*words: str) -> list[list[Any]]:
        other = random.choice([*GROUPS["questions"], *GROUPS["nonsense"], *GROUPS["answers"]]).body
        said = random.choice(words) if random.random() < 0.85 else other
        return [[random.choice((20, MINUTE, 10 * MINUTE, 5 * HOUR)), said]] if random.random() < 0.92 else []

    return {
        "invite": reply("1", "yes", "1", "2") if random.random() < 0.9 else [],
        "invite_again": reply("1"),
        "invite_retry": reply("1"),
        "detail_ask": reply("1", "2", "1"),
        "detail_retry": reply("1", "2"),
        "prepare": reply("C", "C", "R"),
        "tomorrow": reply("1", "2", "3"),
        "results": reply("1", "menu"),
        "goodbye": reply("5"),
        "choose": reply("1", "2", "0"),
        "which_visit": reply("1", "2", "3"),
        "offer_detail": reply("1", "2"),
        "moved": reply("C", "R"),
    }


def _life(random: Random, journey: Journey) -> list[Step]:
    """What happens to one scan from its booking on."""
    steps: list[Step] = []

    def add(at: int, what: str, **how: Any) -> None:
        steps.append(Step(max(at, 0), journey.name, what, how))

    booked = random.randrange(0, 4 * DAY)
    ahead = _ahead(random)
    arrival = booked + ahead
    add(booked, "book", arrival=arrival, length=random.choice((30, 60, 60, 180)) * MINUTE, site=0)
    arrival = _changes(random, journey, add, booked, arrival)
    if random.random() < 0.75:
        add(
            arrival + random.randrange(HOUR, 3 * DAY), "end", state=random.choice(("completed", "completed", "no_show"))
        )
    for _ in range(random.choice((0, 0, 1, 2, 4))):
        _texts(random, add, random.randint(booked, arrival + 20 * DAY))
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        _fault(random, add, random.randint(booked - HOUR, arrival + 10 * DAY))
    if random.random() < 0.3:
        add(random.randint(booked, arrival + DAY), "release")
    if random.random() < 0.08:
        add(random.randint(booked, arrival + DAY), "stop_texts")
    if random.random() < 0.1:
        add(random.randint(booked, arrival + DAY), "pause_patient", seconds=random.choice((HOUR, 5 * HOUR)))
    return steps


def _changes(random: Random, journey: Journey, add: Any, at: int, arrival: int) -> int:
    """Moves, cancellations, corrections; returns the last arrival."""
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 3))):
        at = random.randint(at, max(arrival + HOUR, at + 1))
        match random.choice(("move", "move", "move", "cancel", "number", "language", "zone", "tracer", "rebook")):
            case "move" | "rebook" as what:
                if what == "rebook":
                    add(at, "end", state="cancelled")
                    at += random.choice((MINUTE, HOUR, DAY))
                arrival = at + _ahead(random)
                add(at, "book", arrival=arrival, length=HOUR, site=random.choice((0, 0, 1)))
            case "cancel":
                add(at, "end", state="cancelled")
            case "number":
                add(at, "book", phone=f"+1212555{2000 + journey.name * 10 + random.randrange(3)}")
            case "language":
                add(at, "book", language=random.choice(("en", "es")))
            case "zone":
                add(at, "book", zone=random.choice(FAR_ZONES), reason=random.choice(("staging", "advanced")))
            case _:
                add(at, "book", tracer=random.choice(("Pylarify", "Illuccix")))
    return arrival


def _ahead(random: Random) -> int:
    """How long before the visit it is booked: in good time, or late. Arrivals are rounded to the hour by the world."""
    if random.random() < 0.35:
        return random.randrange(1 * HOUR, 4 * DAY)
    return random.randrange(4 * DAY, 21 * DAY)


def _texts(random: Random, add: Any, at: int) -> None:
    group = random.choices(list(GROUPS), weights=(5, 3, 5, 3, 2, 2, 3, 1, 0.5))[0]
    body = random.choice(GROUPS[group]).body
    if random.random() < 0.08:
        for n in range(7):
            add(at + 5 * n, "text", body=body)
        return
    add(at, "text", body=body)
    if group in ("stops",) and random.random() < 0.5:
        add(at + random.choice((20, 2 * HOUR, DAY)), "text", body=random.choice(GROUPS["keywords"]).body)
    if random.random() < 0.2:
        add(at, "text", body=random.choice(GROUPS[random.choice(("answers", "stops", "safety"))]).body)


def _fault(random: Random, add: Any, at: int) -> None:
    match random.choice(("send", "send", "code", "fate", "fate", "webhook", "listing")):
        case "send":
            fault = random.choice(SEND_FAULTS)
            how: dict[str, Any] = {"times": random.choice((1, 1, 3, 8))} if fault == "429" else {}
            if fault == "meanwhile" or random.random() < 0.3:
                how["then"] = random.choice(("STOP", "move", "cancelled"))
            add(at, "fault", fault=fault, **how)
        case "code":
            add(at, "fault", fault="code", code=random.choice(CODES))
        case "fate":
            fate = random.choice(FATES)
            fails = fate == "undelivered" or (fate == "lost_receipts" and random.random() < 0.4)
            code = random.choice(LATER_CODES) if fails else 0
            wait = random.choice((2, 5, 40, 600)) * MINUTE if fate in ("late_receipts", "slow") else 0
            for _ in range(random.choice((1, 1, 2, 6)) if fate in ("lost_receipts", "undelivered") else 1):
                add(at, "fault", fault=fate, code=code, wait=wait)
        case "webhook":
            add(at, "fault", fault=random.choice(WEBHOOK_FAULTS))
        case _:
            add(at, "listing_down", seconds=random.choice((5 * MINUTE, HOUR, 8 * HOUR)))


def _weather(random: Random, end: int) -> list[Step]:
    """What befalls the whole house: crashes, lost rings, pauses."""
    points = [
        f"{random.choice(ACTIVITIES)}.{random.choice((1, 1, 2, 3))}.{random.choice(('before', 'after'))}"
        for _ in range(random.choice((0, 1, 3, 6)))
    ]
    steps = [Step(random.randrange(0, end), -1, "crash", {"point": point}) for point in points]
    steps += [
        Step(random.randrange(0, end), -1, "flush", {"seconds": random.choice((MINUTE, HOUR, DAY))})
        for _ in range(random.choice((0, 1, 3)))
    ]
    for what in ("pause_everything", "pause_clinic"):
        if random.random() < 0.15:
            seconds = random.choice((HOUR, 5 * HOUR, 20 * HOUR))
            steps.append(Step(random.randrange(0, end), -1, what, {"seconds": seconds}))
    return steps
