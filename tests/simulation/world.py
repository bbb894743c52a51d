"""Plays one story: moves the clock from moment to moment, lets things happen, and has the rules look after each.

The clock stops at the story's steps, at the carrier's own events and wherever the ticker would find something due. Rings
are heard at once unless they are lost; then the ticker finds the work some seconds later.
"""

import heapq
import threading
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from service import conversation, receipts
from service.conversation import Arrived
from service.store.work import next_moment, waiting
from tests.simulation import texts
from tests.simulation.bench import Bench
from tests.simulation.carrier import SECOND, Carried, Carrier, Crash
from tests.simulation.rules import Rules, Violation
from tests.simulation.staff import Desk, open_clinic
from tests.simulation.story import Journey, Step, Story
from tests.simulation.truth import Truth
from workers.turns import _run as run_ring

TICK = 5 * SECOND
PATIENCE = timedelta(minutes=20)  # the longest the ticker waits while nothing moves
MOST_STEPS = 60_000
MOST_IDLE = 100  # ticks in a row: more than a day
WEBHOOK_FAULTS = {"twice_at_once", "retried", "late_answer", "lost_answer", "broken"}
RETRIES = 6


@dataclass
class Played:
    """What became of a story."""

    steps: int
    texts_out: int
    texts_in: int
    counts: Counter[str]
    violation: Violation | None = None


class World:
    """One story being played."""

    def __init__(self, bench: Bench, story: Story) -> None:
        bench.empty()
        self.story, self.bench, self.now = story, bench, story.start
        self.database = bench.database
        self.carrier = Carrier(lambda: self.now)
        self.parts = bench.parts(self.carrier, lambda: self.now)
        self.database.bell, self.database.armed = self._ring, []
        self.database.begin("start")
        self.truth = Truth()
        opened = [open_clinic(self.parts, n, clinic, self.now) for n, clinic in enumerate(story.clinics)]
        self.clinics = [added for added, _ in opened]
        self.numbers = [phone for _, phone in opened]
        self.carrier.keywords = {self.numbers[n]: clinic.keywords for n, clinic in enumerate(story.clinics)}
        self.desk = Desk(self.parts, bench.look, self.truth, self.clinics, [c.zone for c in story.clinics], story.start)
        self.rules = Rules(bench.look, self.truth, self.carrier, lambda: self.now)
        self.carrier.taking, self.carrier.meanwhile = self.rules.taking, self._meanwhile
        self.carrier.report = lambda what: self._receipt(**what)
        self.journeys = {journey.name: journey for journey in story.journeys}
        self.habits = {j.name: {key: list(said) for key, said in j.habits.items()} for j in story.journeys}
        self.bells: list[tuple[str, *tuple[int, ...]]] = []
        self.deaf_until: datetime | None = None
        self.tick_at, self.idle, self.mending = self.now, 0, set[int]()
        self.steps = self.texts_in = 0
        self.busy = False  # an activity of the service is under way
        self.stored: dict[str, str] = {}  # MessageSid -> the answer first given

    # Time -----------------------------------------------------------------------------------------------------------

    def play(self) -> Played:
        """To the end, or to the first broken rule."""
        violation = None
        try:
            self._play()
        except Violation as broken:
            violation = broken
        counts = self.carrier.counts
        return Played(self.steps, len(self.carrier.log), self.texts_in, counts, violation)

    def _play(self) -> None:
        coming = list(reversed(self.story.steps))
        while True:
            moments = [at for at in (self._next_tick(), *(e[0] for e in self.carrier.events[:1])) if at is not None]
            if coming:
                moments.append(self.story.start + timedelta(seconds=coming[-1].at))
            if not moments:
                break
            self.now = max(self.now, min(moments))
            if coming and self.story.start + timedelta(seconds=coming[-1].at) <= self.now:
                self._step(coming.pop())
            elif self.carrier.events and self.carrier.events[0][0] <= self.now:
                _, _, kind, what = heapq.heappop(self.carrier.events)
                self._event(kind, what)
            else:
                self._tick()
            self._work()
            self.rules.after_step()
            self.steps += 1
            if self.steps > MOST_STEPS:
                raise Violation("open for ever", f"still busy after {self.steps} steps, at {self.now}")
        self.rules.at_the_end(self.stored)

    def _next_tick(self) -> datetime | None:
        with self.database.cross() as connection:
            due = next_moment(connection)
        if due is None:
            return None
        if due > self.tick_at:
            self.idle = 0
        wait: timedelta = min(TICK * int(2 ** min(self.idle, 10)), PATIENCE)
        return max(due, self.tick_at + wait)

    def _tick(self) -> None:
        """The ticker looks, and rings for everything that is due."""
        self.tick_at, self.idle = self.now, self.idle + 1
        if self.idle > MOST_IDLE:
            raise Violation("open for ever", f"something is due and nothing moves, at {self.now}")
        with self.database.cross() as connection:
            self.bells += waiting(connection, self.now)
        for clinic in self.clinics:
            self.desk.acknowledge(clinic.clinic_id, self.now)
        stopped = "select clinic_id from senders where paused_reason is not null"
        for clinic_id in self.bench.look.execute(text(stopped)).scalars():
            if clinic_id not in self.mending:
                self.mending.add(clinic_id)
                self.carrier.later(timedelta(hours=2), "mend", clinic_id=clinic_id)

    def _ring(self, job: str, *ids: int) -> None:
        if self.deaf_until is not None and self.now < self.deaf_until:
            self.carrier.counts["ring lost"] += 1
        elif (job, *ids) not in self.bells:
            self.bells.append((job, *ids))

    def _work(self) -> None:
        """Workers do what was rung for."""
        for _ in range(300):
            if not self.bells:
                return
            bell = self.bells.pop(0)
            self._do(bell[0], lambda bell=bell: run_ring(self.parts, bell, self.now))
        raise Violation("open for ever", f"work at {self.now} does not end: {self.bells[:3]}")

    def _do(self, activity: str, act: Any) -> bool:
        """One activity of the service, in a process that may die; whether it lived."""
        before = (self.database.activity, self.database.transactions, self.database.committed)
        outermost, self.busy = not self.busy, True
        self.database.begin(activity)
        lived = True
        try:
            act()
        except Crash:
            self.carrier.counts[f"crash in {activity}"] += 1
            lived = False
        finally:  # also where a rule is broken: the database outlives the story
            self.last_committed = self.database.committed
            if outermost:
                self.busy = False
                self.rules.cleared.clear()
            self.database.activity, self.database.transactions, self.database.committed = before
        return lived

    # What happens ---------------------------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        journey, how = self.journeys.get(step.journey), step.how
        match step.what:
            case "crash":
                self.database.armed.append(how["point"])
            case "flush":
                self.bells.clear()
                self.deaf_until = self.now + timedelta(seconds=how["seconds"])
            case "pause_everything" | "pause_clinic" | "pause_patient":
                self.carrier.counts[step.what] += 1
                self._pause(step.what, journey, True)
                self.carrier.later(timedelta(seconds=how["seconds"]), "unpause", what=step.what, journey=journey)
            case _ if journey is None:
                pass
            case "listing_down":
                self.carrier.listing_down_until = self.now + timedelta(seconds=how["seconds"])
            case "fault":
                self.carrier.arm(self._phone(journey), dict(how))
            case "text":
                self._text(journey, how["body"])
            case "release":
                self.desk.release(journey, self.now)
            case _:
                self._clinic(step.what, journey, how)

    def _pause(self, what: str, journey: Journey | None, value: bool) -> None:
        if what == "pause_everything":
            self.desk.pause_everything(value, self.now)
        elif what == "pause_clinic":
            self.desk.pause_clinic(value, self.now)
        elif journey is not None:
            self.desk.pause_patient(journey, value, self.now)

    def _clinic(self, what: str, journey: Journey, how: dict[str, Any]) -> None:
        """The clinic's system says something; if we died it says it again."""
        act = {"book": self.desk.book, "end": self.desk.end, "stop_texts": self.desk.stop_texts}[what]
        if how.get("arrival") is None and what != "end" and self.desk.ids(journey) not in self.truth.scans:
            return
        if not self._do(what, lambda: act(journey, how, self.now)):
            self.carrier.later(30 * SECOND, "clinic", what=what, journey=journey, how=how)
        self.rules.watch(*self.desk.ids(journey))

    def _phone(self, journey: Journey) -> str:
        scan = self.truth.scans.get(self.desk.ids(journey))
        return scan.phone if scan else journey.phone

    def _event(self, kind: str, what: dict[str, Any]) -> None:
        match kind:
            case "receipt":
                self._receipt(**what)
            case "arrive":
                self._arrive(**what)
            case "webhook":
                self._webhook(**what)
            case "habit":
                self._text(what["journey"], what["body"], what["phone"])
            case "clinic":
                self._clinic(**what)
            case "unpause":
                self._pause(what["what"], what["journey"], False)
            case "mend":
                self.mending.discard(what["clinic_id"])
                self.desk.mend(what["clinic_id"])

    def _meanwhile(self, phone: str, what: str) -> None:
        """While the carrier takes a text, something else happens to the man it goes to."""
        journey = next((j for j in self.story.journeys if self._phone(j) == phone), None)
        if journey is None or self.desk.ids(journey) not in self.truth.scans:
            return
        self.rules.meanwhile(self.desk.ids(journey)[0], phone)
        if what == "STOP":
            self._text(journey, "STOP", phone)
        elif what == "move":
            ahead = (self.now - self.story.start).total_seconds() + 4 * 86_400
            self._clinic("book", journey, {"arrival": ahead})
        else:
            self._clinic("end", journey, {"state": what})

    # Texts ----------------------------------------------------------------------------------------------------------

    def _text(self, journey: Journey, body: str, phone: str = "") -> None:
        phone = phone or self._phone(journey)
        self.texts_in += 1
        sender = self.numbers[journey.clinic]
        tag = self.carrier.keyword(sender, phone, body)
        arrived = Arrived(f"MM{self.texts_in:032x}", phone, sender, body, 0, tag)
        self._webhook(journey.clinic, arrived, 0, self.carrier.take_fault(phone, WEBHOOK_FAULTS) or {"fault": ""})

    def _webhook(self, clinic: int, arrived: Arrived, attempt: int, fault: dict[str, Any]) -> None:
        """The carrier hands a text over; what it hears back in time it uses, once."""
        added = self.clinics[clinic]
        answers: list[str] = []
        route = texts.broken if fault["fault"] == "broken" else texts.route

        def once() -> None:
            answers.append(
                conversation.receive(
                    self.parts,
                    added.clinic_id,
                    added.sender_id,
                    arrived,
                    self.now,
                    router=route,
                )
            )

        if fault["fault"] == "twice_at_once":
            twins = [threading.Thread(target=once) for _ in range(2)]
            for twin in twins:
                twin.start()
            for twin in twins:
                twin.join()
            lived = self.last_committed = True
        else:
            lived = self._do("turn", once)
        if self.last_committed and arrived.message_sid not in self.stored:
            self.truth.hear(added.clinic_id, arrived.phone, texts.BY_BODY[arrived.body].means, self.now)
            self.rules.heard(added.clinic_id, arrived, texts.BY_BODY[arrived.body], fault["fault"])
        if not lived and attempt < RETRIES:
            what = {"clinic": clinic, "arrived": arrived, "attempt": attempt + 1, "fault": {"fault": ""}}
            if self.last_committed:
                self.stored.setdefault(arrived.message_sid, "")
            self.carrier.later(10 * SECOND, "webhook", **what)
            return
        self._answer(clinic, arrived, attempt, fault, answers)

    def _answer(self, clinic: int, arrived: Arrived, attempt: int, fault: dict[str, Any], answers: list[str]) -> None:
        sid, again = (
            arrived.message_sid,
            {"clinic": clinic, "arrived": arrived, "attempt": attempt + 1, "fault": {"fault": ""}},
        )
        first = self.stored.get(sid) or answers[0]
        self.stored[sid] = first
        phone = self.truth.phone(self.clinics[clinic].clinic_id, arrived.phone)
        # What was answered before is not said after it.
        if phone.stopped_at or phone.wrong_at or self.desk.silenced(clinic, arrived.phone):
            first = answers[0]
        if any(answer != first for answer in answers):
            raise Violation("same answer", f"{sid}: {first!r} and then {answers!r}")
        if fault["fault"] == "late_answer":
            self.carrier.later(15 * SECOND, "webhook", **again)
        elif fault["fault"] == "lost_answer":
            self.carrier.answered[sid] = ""
        else:
            self.carrier.use_answer(sid, arrived.to, arrived.phone, first)
        if fault["fault"] == "retried":
            self.carrier.later(60 * SECOND, "webhook", **again)

    def _receipt(self, clinic_id: int, ref: str, form: dict[str, str], attempt: int = 0) -> None:
        if not self._do("receipt", lambda: receipts.receive(self.parts, clinic_id, ref, form, self.now)):
            what = {"clinic_id": clinic_id, "ref": ref, "form": form, "attempt": attempt + 1}
            self.carrier.later(10 * SECOND, "receipt", **what)

    def _arrive(self, carried: Carried, code: int) -> None:
        if not self.carrier.arrive(carried, code):
            return
        key, external_id = self.rules.arrived(carried)
        owner = [j for j in self.story.journeys if external_id == f"S-{j.name}"]
        there = [j for j in self.story.journeys if self._phone(j) == carried.to]
        for journey in (owner or there)[:1]:
            for part in key.split("+"):
                if self.habits[journey.name].get(part):
                    seconds, body = self.habits[journey.name][part].pop(0)
                    what = {"journey": journey, "body": body, "phone": carried.to}
                    self.carrier.later(timedelta(seconds=seconds), "habit", **what)
                    return


def play(bench: Bench, story: Story) -> Played:
    """Play a story on a bench."""
    return World(bench, story).play()
