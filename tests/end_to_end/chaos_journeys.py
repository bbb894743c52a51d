"""Patients for the chaos run: booked over the API while everything breaks, and answering like people on their phones."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import httpx

from simulator.carrier import Message
from tests.end_to_end.chaos import NUMBERS, START, Chaos
from tests.end_to_end.conftest import eventually

ZONE = ZoneInfo("America/New_York")
COHORT = timedelta(days=28)  # from one round's first day to the next one's
# The moments of one journey: days after booking, and the hour at the site. Everything planned falls due at one of them.
STOPS = ((0, time(9, 5)), (3, time(10, 5)), (7, time(10, 5)), (9, time(10, 5)), (10, time(11, 5)), (10, time(18, 40)),
         (11, time(10, 5)), (14, time(10, 5)), (24, time(10, 5)))  # fmt: skip
LATER = timedelta(minutes=12)  # past the age of the second listing, and of every waiting new attempt
DECK = (
    *("kill_web", "kill_worker", "kill_worker", "kill_ticker", "stop_postgres", "kill_valkey", "flush_valkey"),
    *("hang", "refuse", "fail_before", "fail_after", "no_receipts", "odd_receipts", "not_delivered", "twice_inbound"),
)
QUESTIONS = (
    "Does it hurt?",
    "Can I eat breakfast?",
    "How long does it take?",
    "Where do I park?",
    "Is it radioactive?",
)
TRIES = 8  # so often somebody texts again what was not answered


class Phones:
    """All patients' phones: each answers what it is asked, now and then asks something, and some say STOP."""

    def __init__(self, house: Chaos, seed: int) -> None:
        self._house, self._seed, self._version, self._end = house, seed, 0, threading.Event()
        self._random: dict[str, Random] = {}
        self._stops_after: dict[str, int] = {}
        self._got: dict[str, set[str]] = {}
        self._again: dict[str, int] = {}
        self._thread = threading.Thread(target=self._run, name="phones", daemon=True)

    def add(self, phone: str) -> None:
        """One more phone; one in ten will have had enough after a few texts."""
        random = self._random[phone] = Random(f"{self._seed}:{phone}")
        self._stops_after[phone] = random.randint(4, 9) if random.random() < 0.1 else 1000
        self._got[phone] = set()

    def start(self) -> None:
        """Begin to look at the screens."""
        self._thread.start()

    def stop(self) -> None:
        """Put the phones away."""
        self._end.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._end.wait(0.05):
            self._version, changed = self._house.carrier.since(self._version)
            for message in changed:
                self._look(message)

    def _look(self, message: Message) -> None:
        if message.direction == "inbound":
            tries = self._again.get(message.body + message.from_, 0)
            if message.error_code and message.answered_at is None and tries < TRIES:
                self._again[message.body + message.from_] = tries + 1
                eventually(self._house.web_answers, "the web process is back", 60)
                self._house.carrier.text_in(message.from_, message.to, message.body)
            return
        got = self._got.get(message.to)
        if got is None or message.arrived is None or message.sid in got:
            return
        got.add(message.sid)
        reply = self._reply(message)
        if reply:
            self._house.carrier.text_in(message.to, message.from_, reply)

    def _reply(self, message: Message) -> str:
        random, got = self._random[message.to], len(self._got[message.to])
        if got == self._stops_after[message.to]:
            return random.choice(("STOP", "please stop texting me"))
        if got > self._stops_after[message.to]:
            return ""
        if "Is this visit yours?" in message.body or "Is it yours" in message.body:
            return "1" if random.random() < 0.95 else ""
        if "May our texts name your scan" in message.body:
            return random.choice("112")
        if "Reply C to confirm" in message.body and random.random() < 0.7:
            return "C"
        return random.choice(QUESTIONS) if message.reply_to is None and random.random() < 0.2 else ""


@contextmanager
def phones_of(house: Chaos, seed: int) -> Iterator[Phones]:
    """The phones, looked at until the end."""
    phones = Phones(house, seed)
    phones.start()
    try:
        yield phones
    finally:
        phones.stop()


def moment(cohort: int, day: int, at: time) -> datetime:
    """A stop of a round's clock."""
    first = (START + COHORT * cohort).astimezone(ZONE).date()
    return datetime.combine(first + timedelta(days=day), at, ZONE).astimezone(START.tzinfo)


def book(house: Chaos, phones: Phones, cohort: int, ranks: range) -> None:
    """Book patients over the API, as a clinic's system does: again until it is told that it is done."""
    for rank in ranks:
        number, phone = NUMBERS[rank % len(NUMBERS)], f"+1312555{cohort * 100 + rank:04}"
        arrival = moment(cohort, 10, time(11, 30)) + timedelta(minutes=rank * 2)
        phones.add(phone)
        body = {
            "patient": {"external_id": f"P{cohort}-{rank}", "given_name": "Walter", "phone": phone},
            "arrival_at": arrival.isoformat(),
            "starts_at": (arrival + timedelta(hours=1)).isoformat(),
            "tracer": "Pylarify",
            "reason": "recurrence",
            "permission": {"obtained_by": "desk", "how": "by phone", "at": house.clock().isoformat()},
        }
        eventually(lambda n=number, b=body, r=rank: _put(house, n, f"S{cohort}-{r}", b), "the booking is taken", 90)  # type: ignore[misc]


def _put(house: Chaos, number: str, scan: str, body: dict[str, object]) -> bool:
    house.mind()
    try:
        answer = house.web.put(
            f"/api/v1/scans/{scan}", json=body, headers={"Authorization": f"Bearer {house.keys[number]}"}
        )
    except httpx.TransportError:
        return False
    assert answer.status_code in (200, 201, 503), answer.text
    return answer.status_code != 503


def journey(house: Chaos, phones: Phones, cohort: int, patients: int, often: int = 1) -> None:
    """One round: every patient's whole journey, stop by stop, with all kinds of trouble at random moments."""
    deck = list(DECK * often)
    house.random.shuffle(deck)
    for rank, (day, at) in enumerate(STOPS):
        house.set_clock(max(moment(cohort, day, at), house.clock()))
        if rank < 2:  # three in four at first, the others late and in the middle of trouble
            early = patients * 3 // 4
            booking = threading.Thread(
                target=book, args=(house, phones, cohort, range(early) if rank == 0 else range(early, patients))
            )
            booking.start()
        for fault in deck[rank :: len(STOPS)]:
            house.after_texts(30)
            house.strike(fault)
        booking.join(90)
        house.work_off()
        house.set_clock(house.clock() + LATER)
        house.work_off()


def settle(house: Chaos) -> None:
    """The trouble is over: let everything open come to its end."""
    house.carrier.faults.clear()
    for _ in range(20):
        house.work_off()
        if not house.rows("select 1 from outbound where status in ('queued','sending','offered','uncertain') limit 1"):
            return
        house.set_clock(house.clock() + LATER)
