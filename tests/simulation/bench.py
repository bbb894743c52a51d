"""What outlives a story: one migrated database of this process's own, emptied between stories, and a database that dies.

Crash points are named `activity.n.before` and `activity.n.after`: the n-th transaction of an activity of the service, and
which side of its commit. After a commit the rings are lost too, as they would be with the process.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session

from service import delivery, doorbell
from service.settings import Settings
from service.store.database import Database, driver_url
from service.wiring import Parts, open_parts
from tests.simulation.carrier import Carrier, Crash
from workers.rehearsal import scratch

EARLY = datetime(2027, 1, 1, tzinfo=UTC)


class MortalDatabase(Database):
    """The service's database, in a process that may die at either side of any commit."""

    def __init__(self, url: str) -> None:
        super().__init__(url, self._hear)
        self.bell: Callable[..., None] = doorbell.silent
        self.armed: list[str] = []
        self.activity = ""
        self.transactions = 0
        self.committed = False
        self._deaf = False

    def _hear(self, job: str, *ids: int) -> None:
        if not self._deaf:
            self.bell(job, *ids)

    def begin(self, activity: str) -> None:
        """From here on transactions belong to `activity`."""
        self.activity, self.transactions, self.committed = activity, 0, False

    def _dies(self, side: str, number: int) -> bool:
        point = f"{self.activity}.{number}.{side}"
        if point not in self.armed:
            return False
        self.armed.remove(point)
        return True

    @contextmanager
    def clinic(self, clinic_id: int) -> Iterator[Session]:
        """One transaction, and perhaps the last of this process."""
        self.transactions += 1
        number = self.transactions
        self._deaf = dies = False
        with super().clinic(clinic_id) as session:
            yield session
            if self._dies("before", number):
                raise Crash
            dies = self._deaf = self._dies("after", number)
        self._deaf = False
        self.committed = True
        if dies:
            raise Crash


class Bench:
    """A database and the service's parts around it."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.url = url
        self.database = MortalDatabase(url)
        self.owner: Engine = create_engine(driver_url(url), isolation_level="AUTOCOMMIT")
        self.look: Connection = self.owner.connect()
        own = settings.model_copy(
            update={"database_url": url, "migrate_database_url": url, "public_url": "https://guide.test"}
        )
        parts = open_parts(own, ring=doorbell.silent, carrier=Carrier(lambda: EARLY), now=lambda: EARLY)
        parts.database.forget_connections()
        self._parts = replace(parts, database=self.database)
        delivery.THREADS = 1  # the order of calls is part of the story
        kept = "('alembic_version', 'scripts')"
        self._tables = self.look.execute(
            text(f"select tablename from pg_tables where schemaname = 'public' and tablename not in {kept}")
        ).scalars().all()  # fmt: skip

    def empty(self) -> None:
        """Forget every row but the published scripts."""
        self.look.execute(text("; ".join(f"delete from {name}" for name in self._in_order())))

    def parts(self, carrier: Carrier, now: Callable[[], datetime]) -> Parts:
        """The service's parts, on this carrier and clock."""
        return replace(self._parts, carrier=carrier, now=now)

    def close(self) -> None:
        """Let go of every connection."""
        self.look.close()
        self.owner.dispose()
        self.database.forget_connections()

    def _in_order(self) -> list[str]:
        first = [
            "receipts",
            "guide_links",
            "outbound",
            "tasks",
            "reminders",
            "inbound",
            "conversations",
            "consents",
            "scans",
        ]
        last = ["contact_points", "patients", "senders", "sites", "staff", "api_keys", "audit", "clinics"]
        middle = [name for name in self._tables if name not in {*first, *last}]
        return [*first, *middle, *(name for name in last if name in self._tables)]


@contextmanager
def bench(settings: Settings, name: str) -> Iterator[Bench]:
    """A bench on a new database beside the one of `settings`, dropped at the end."""
    with scratch(settings, name) as url:
        engine = create_engine(driver_url(settings.owner_url), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'alter database "{name}" set synchronous_commit = off'))
        engine.dispose()
        opened = Bench(settings, url)
        try:
            yield opened
        finally:
            opened.close()
