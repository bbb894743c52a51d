"""Claiming 1,000 due texts of one sender while a million others wait, against the same with ten thousand waiting.

The claim is the product's own: the due rows with every fact, the gate's verdict on each, the rows marked as being sent,
in one transaction, which is then rolled back so that the next finds the same rows. Both databases are claimed from turn
about. What waits is a night's worth: four texts a person, due within hours; one in twenty is this sender's own, the rest
are of a hundred other clinics, one in ten of them due already.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import create_engine, text

from bench import seed
from bench.common import Line, at_most, servers
from flows.gate import Action, gate
from service import clock, doorbell
from service.store.database import Database, driver_url
from service.store.queue import closing_texts, due_texts, mark_sending

DUE, FEW, MANY = 1000, 10_000, 1_000_000
OTHERS, EACH, OWN = 100, 4, 0.05  # other clinics, texts a person, this sender's share of what waits
WARM_UP, REPEATS = 3, 25

_LATER = "cast(:now as timestamptz) + make_interval(secs => 60 + random() * 43200)"
_MAYBE_DUE = f"case when random() < 0.1 then cast(:now as timestamptz) - interval '1 minute' else {_LATER} end"
_PRIORITY = "4 + floor(random() * 3)::int"


class _Undo(Exception):
    """Rolls a claim back."""


@dataclass(frozen=True)
class _Queue:
    """One database with so much waiting, and how long making it took."""

    database: Database
    place: seed.Place
    seconds: float

    def claim(self, now: datetime) -> float:
        """Milliseconds of one claim."""
        start = time.perf_counter()
        try:
            with self.database.clinic(self.place.clinic) as session:
                closing_texts(session, self.place.clinic, self.place.sender, now, DUE)
                due = due_texts(session, self.place.clinic, self.place.sender, now, DUE)
                cleared = [row.id for row in due if gate(row.attempt, now).action is Action.SEND]
                mark_sending(session, self.place.clinic, cleared, now)
                raise _Undo
        except _Undo:
            taken = (time.perf_counter() - start) * 1000
        if len(cleared) != DUE:
            raise RuntimeError(f"{len(cleared)} of {DUE} texts were cleared")
        return taken


@contextmanager
def _queue(waiting: int, now: datetime) -> Iterator[_Queue]:
    """A database of its own: first the due texts, each to somebody else, then all that waits."""
    with servers() as settings:
        start = time.perf_counter()
        database = Database(settings.database_url, doorbell.silent)
        places = seed.clinics(database, 1 + OTHERS, now)
        own = int(waiting * OWN / EACH)
        others = (waiting // EACH - own) // OTHERS
        counts = [DUE + own, *[others] * OTHERS]
        owner = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            clinic = places[0].clinic
            seed.people(connection, places, counts, now - timedelta(days=1))
            seed.texts(
                connection, now, priority="4 + n % 2", which=f"c.clinic_id = :clinic and n <= {DUE}", clinic=clinic
            )
            for _ in range(EACH):
                seed.texts(connection, now, _LATER, _PRIORITY, f"c.clinic_id = :clinic and n > {DUE}", clinic=clinic)
                seed.texts(connection, now, _MAYBE_DUE, _PRIORITY, "c.clinic_id <> :clinic", clinic=clinic)
            seed.settle(connection)
            found = connection.execute(text("select count(*) from outbound")).scalar_one()
        owner.dispose()
        if abs(found - DUE - waiting) > waiting / 20:
            raise RuntimeError(f"{found - DUE} texts wait, not {waiting}")
        try:
            yield _Queue(database, places[0], time.perf_counter() - start)
        finally:
            database.forget_connections()


def run() -> list[Line]:
    """The same claim from both, turn about."""
    now = clock.utc_now()
    with ExitStack() as stack:
        few, many = (stack.enter_context(_queue(waiting, now)) for waiting in (FEW, MANY))
        both = [(few.claim(now), many.claim(now)) for _ in range(WARM_UP + REPEATS)][WARM_UP:]
    with_few, with_many = (statistics.median(values) for values in zip(*both, strict=True))
    return [
        Line(f"{DUE} due texts claimed in {with_few:.0f} ms with {FEW:,} waiting, {with_many:.0f} ms with {MANY:,} "
             f"(medians of {REPEATS}; made in {few.seconds:.0f} s and {many.seconds:.0f} s)"),
        at_most(f"a claim with {MANY:,} waiting, times one with {FEW:,}", with_many / with_few, 1.5),
    ]  # fmt: skip
