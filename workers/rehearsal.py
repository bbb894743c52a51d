"""Play a whole journey in seconds: the real service on a real database, with a carrier that only writes down.

Time is an argument everywhere, so days pass as fast as the work can be done: the clock stops at each due moment, at each
reply, and nowhere else.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import create_engine, select, text

from service import booking, conversation, doorbell, receipts, tasks
from service.carrier.port import Listed, Message, NumberSetup, Received
from service.clinics import add_clinic
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER, SITE
from service.intake import Permission, read_booking
from service.migrate import migrate
from service.settings import Settings
from service.store.database import driver_url
from service.store.journeys import Reminder
from service.store.texts import Outbound, Task
from service.store.work import next_moment
from service.timeline import task_title, touchpoint_name
from service.wiring import Parts, open_parts
from workers.turns import run_due

THINKS = timedelta(minutes=1)  # how long he takes to reply
USUAL = ("invite: 1", "invite: 1", "prepare: C", "prepare: Does it hurt?", "tomorrow: 1",
         "results: What do my results mean?", "goodbye: 5")  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One line of the transcript. `who` is CLINIC, PATIENT or STAFF (what staff see)."""

    at: datetime
    who: str
    words: str


@dataclass
class Tape:
    """A carrier that accepts everything, remembers it, and reports each text as delivered when asked."""

    sent: list[tuple[str, str]] = field(default_factory=list)  # callback URL, words
    count: int = 0

    def send(self, message: Message) -> str:
        """Accept."""
        self.count += 1
        self.sent.append((message.callback_url, message.body))
        return f"SM{self.count:032x}"

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """Nothing is ever in doubt here."""
        return []

    def received(self, number: str, since: datetime) -> list[Received]:
        """No text is ever missed here."""
        return []

    def numbers(self) -> dict[str, NumberSetup]:
        """There are none to set up."""
        return {}


@dataclass(frozen=True)
class Play:
    """What to rehearse. Moments are aware; `replies` are `TOUCHPOINT: words`, given in order after that text."""

    booked_at: datetime
    arrival_at: datetime
    starts_at: datetime
    reason: str = "recurrence"
    zone: str = SITE.zone
    language: str = "en"
    replies: tuple[str, ...] = USUAL


@contextmanager
def scratch(settings: Settings, name: str) -> Iterator[str]:
    """A new, migrated database beside the one at `settings.owner_url`, dropped at the end; yields its address."""
    server = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
    url = server.url.set(database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.execute(text(f'drop database if exists "{name}" with (force)'))
        connection.execute(text(f'create database "{name}"'))
    try:
        migrate(url)
        yield url
    finally:
        with server.connect() as connection:
            connection.execute(text(f'drop database if exists "{name}" with (force)'))
        server.dispose()


def rehearse(settings: Settings, url: str, play: Play) -> list[Line]:
    """Play it on the empty database at `url`; returns the transcript in order."""
    tape = Tape()
    quiet = settings.model_copy(update={"database_url": url, "migrate_database_url": url})
    parts = open_parts(quiet, ring=doorbell.silent, carrier=tape, now=lambda: play.booked_at)
    try:
        clinic = add_clinic(
            parts.database,
            "Rehearsal",
            CLINIC_NUMBER,
            replace(SITE, zone=play.zone),
            keywords="ours",
            now=play.booked_at,
        )
        return _Stage(parts, tape, clinic.clinic_id, clinic.sender_id, play).run()
    finally:
        parts.database.forget_connections()


class _Stage:
    """One performance: the moving clock, the replies still to give, and the lines so far."""

    def __init__(self, parts: Parts, tape: Tape, clinic_id: int, sender_id: int, play: Play) -> None:
        self.parts, self.tape, self.clinic_id, self.sender_id, self.play = parts, tape, clinic_id, sender_id, play
        self.lines: list[Line] = []
        self.waiting = [tuple(part.strip() for part in reply.split(":", 1)) for reply in play.replies]
        self.due: list[tuple[datetime, str]] = []
        self.count = 0

    def run(self) -> list[Line]:
        """Book, then move from moment to moment until nothing is left to happen."""
        self._book()
        now, end = self.play.booked_at, self.play.arrival_at + timedelta(days=31)
        while now <= end:
            self._turn(now)
            with self.parts.database.cross() as connection:
                coming = next_moment(connection)
            moments = [at for at in (coming, *(at for at, _ in self.due)) if at is not None]
            if not moments:
                break
            now = max(now, min(moments))
            for at, words in [item for item in self.due if item[0] <= now]:
                self.due.remove((at, words))
                self._reply(words, now)
        self._what_staff_see(now)
        return self.lines

    def _book(self) -> None:
        play = self.play
        read = read_booking(
            patient_id="P-1",
            given_name="Walter",
            phone=PATIENT_NUMBER,
            language=play.language,
            zone=None,
            arrival_at=play.arrival_at.isoformat(),
            starts_at=play.starts_at.isoformat(),
            tracer="Pylarify",
            reason=play.reason,
            site=None,
            permission=Permission("front desk", "asked by phone", play.booked_at),
        )
        booking.book(self.parts, self.clinic_id, "S-1", read, actor="rehearsal", now=play.booked_at)
        local = play.arrival_at.astimezone(ZoneInfo(play.zone))
        self.lines.append(Line(play.booked_at, "STAFF", f"booked: arrive {local:%a %b %d %Y, %H:%M}"))

    def _turn(self, now: datetime) -> None:
        run_due(self.parts, now)
        for url, words in self.tape.sent:
            self._delivered(url, now)
            touchpoints = self._touchpoints(url)
            to_staff = not touchpoints
            self.lines.append(Line(now, "STAFF" if to_staff else "CLINIC", words))
            while self.waiting and self.waiting[0][0] in touchpoints:
                self.due.append((now + THINKS * (len(self.due) + 1), self.waiting.pop(0)[1]))
        self.tape.sent.clear()
        self._staff_see_urgent_tasks(now)

    def _staff_see_urgent_tasks(self, now: datetime) -> None:
        """Someone acknowledges what has been announced twice; else it would be announced until the end of the play."""
        with self.parts.database.clinic(self.clinic_id) as session:
            for task in session.scalars(select(Task).where(Task.announced > 1, Task.acknowledged_at.is_(None))):
                tasks.acknowledge(session, self.clinic_id, task.id, by="rehearsal", now=now)
                self.lines.append(Line(now, "STAFF", f"acknowledged task {task.id}"))

    def _touchpoints(self, url: str) -> tuple[str, ...]:
        with self.parts.database.clinic(self.clinic_id) as session:
            row = session.execute(
                select(Reminder.touchpoint, Reminder.merged)
                .join(Outbound, Outbound.reminder_id == Reminder.id)
                .where(Outbound.ref == _ref(url))
            ).one_or_none()
        return (row.touchpoint, *row.merged) if row else ()

    def _delivered(self, url: str, now: datetime) -> None:
        form = {"MessageSid": f"SM{_ref(url)}", "MessageStatus": "delivered"}
        with self.parts.database.clinic(self.clinic_id) as session:
            sid = session.scalar(select(Outbound.provider_sid).where(Outbound.ref == _ref(url)))
        receipts.receive(self.parts, self.clinic_id, _ref(url), {**form, "MessageSid": sid or form["MessageSid"]}, now)

    def _reply(self, words: str, now: datetime) -> None:
        self.count += 1
        self.lines.append(Line(now, "PATIENT", words))
        arrived = conversation.Arrived(f"MM{self.count:032x}", PATIENT_NUMBER, CLINIC_NUMBER, words)
        answer = conversation.receive(self.parts, self.clinic_id, self.sender_id, arrived, now)
        for message in ET.fromstring(answer):  # noqa: S314 - our own TwiML
            self._delivered(message.attrib["statusCallback"], now)
            self.lines.append(Line(now, "CLINIC", message.findtext("Body", "")))

    def _what_staff_see(self, now: datetime) -> None:
        """Texts that were not sent, and the tasks opened on the way, with their reasons."""
        with self.parts.database.clinic(self.clinic_id) as session:
            for row in session.scalars(select(Reminder).where(Reminder.status == "skipped").order_by(Reminder.id)):
                words = f"not sent: {touchpoint_name(row.touchpoint, row.merged)} ({row.reason})"
                self.lines.append(Line(now, "STAFF", words))
            for task in session.scalars(select(Task).order_by(Task.id)):
                ended = f"; closed: {task.outcome}" if task.closed_at else ""
                why = f" ({task.why})" if task.why else ""
                self.lines.append(Line(now, "STAFF", f"task: {task_title(task)}{why}{ended}"))


def _ref(url: str) -> str:
    found = re.search(r"/status/\d+/([0-9a-f]{32})", url)
    assert found, "our own callback address"
    return found.group(1)


def show(lines: list[Line], zone: str) -> str:
    """The transcript as text, each line dated on the site's clock."""
    out = []
    for line in lines:
        local = line.at.astimezone(ZoneInfo(zone))
        first, *rest = line.words.split("\n")
        out.append(f"{local:%a %b %d  %H:%M}  {line.who:<7}  {first}")
        out += [" " * 28 + more for more in rest]
    return "\n".join(out) + "\n"


def moment(written: str, zone: str) -> datetime:
    """`2027-03-18T09:15` on the site's clock, as UTC."""
    at = datetime.fromisoformat(written)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def ten_days_ahead(now: datetime, zone: str) -> datetime:
    """A visit to rehearse when none is given: ten days on, at 9:15."""
    day = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=10)
    return datetime.combine(day, time(9, 15), tzinfo=ZoneInfo(zone)).astimezone(UTC)
