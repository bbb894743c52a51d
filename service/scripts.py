"""Published scripts: kept for ever, one for each conversation to end on what it began with, and moved only on purpose.

The newest published script is what new conversations start on. In production only a wholly signed one can be published;
elsewhere the shipped one is published as it is, marked with how many of its texts no clinician has signed.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import text

from flows.check import prove
from flows.script import Script, ScriptError, parse
from flows.shipped import script as shipped
from flows.shipped import source as shipped_flow
from messages.catalog import load, shipped_sources
from service.errors import Conflict, Invalid, NotFound
from service.settings import Settings
from service.store.database import Database

FLOW = "flow.toml"
_PUBLISH = text("""
    insert into scripts (digest, name, sources, unsigned, published_at, published_by)
    values (:digest, :name, cast(:sources as jsonb), :unsigned, :at, :by) on conflict (digest) do nothing
""")
_NEWEST = text("select digest from scripts order by published_at desc, digest limit 1")
_SOURCES = text("select sources from scripts where digest = :digest")


def of_sources(sources: Mapping[str, str]) -> Script:
    """A script from the texts of its files, proved. Raises ScriptError or CatalogError."""
    script = parse(sources[FLOW], load({path: words for path, words in sources.items() if path != FLOW}))
    prove(script)
    return script


class Scripts:
    """The scripts of one process: the one that new conversations start on, and each older one once it is needed."""

    def __init__(self, latest: Callable[[], Script], find: Callable[[str], Script]) -> None:
        self._latest, self._find = latest, find
        self._loaded: dict[str, Script] = {}

    @cached_property
    def newest(self) -> Script:
        """Asked for at its first use: a process starts, and says that it cannot serve, while the database is away."""
        script = self._latest()
        self._loaded[script.digest] = script
        return script

    def of(self, digest: str) -> Script:
        """The script that a conversation is pinned to. Raises NotFound if it was never published here."""
        found = self._loaded.get(digest)
        if found is None:
            found = self._loaded[digest] = self._find(digest)
        return found


def open_scripts(database: Database, settings: Settings, now: datetime) -> Scripts:
    """The published scripts; what is newest raises Conflict in production as long as none is published."""

    def latest() -> Script:
        if settings.environment != "production":
            publish(database, settings, by="start", now=now)
            return shipped()
        with database.cross() as connection:
            newest = connection.execute(_NEWEST).scalar()
        if newest is None:
            raise Conflict("no script is published yet: have it signed, then run `scanguide script --publish`")
        return find(database, newest)

    return Scripts(latest, lambda digest: find(database, digest))


def find(database: Database, digest: str) -> Script:
    """A published script by its hash. Raises NotFound."""
    if digest == shipped().digest:
        return shipped()
    with database.cross() as connection:
        sources = connection.execute(_SOURCES, {"digest": digest}).scalar()
    if sources is None:
        raise NotFound(f"no script {digest[:12]} was ever published here")
    return of_sources(sources)


def publish(database: Database, settings: Settings, *, by: str, now: datetime) -> str:
    """Publish the shipped script; returns its hash. In production raises Invalid while a text is unsigned."""
    script = shipped()
    unsigned = script.texts.unsigned()
    if unsigned and settings.environment == "production":
        first = unsigned[0]
        raise Invalid("script", f"{len(unsigned)} texts are not signed, the first at {first.place} ({first.key})")
    values = {
        "digest": script.digest,
        "name": script.name,
        "sources": json.dumps({FLOW: shipped_flow(), **shipped_sources()}),
        "unsigned": len(unsigned),
        "at": now,
        "by": by,
    }
    with database.cross() as connection:
        connection.execute(_PUBLISH, values)
    return script.digest


# Moving running conversations ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Affected:
    """Conversations of one clinic that wait in one state, and the state they would go on in."""

    clinic_id: int
    state: str
    to: str
    conversations: int


_WAITING = text("""
    select state, count(*) from conversations where clinic_id = :clinic and script = :digest group by state order by state
""")
_MOVE = text("""
    update conversations set script = :to, state = :after, attempts = 0, options = '[]', pending = '', more = '', back = ''
    where clinic_id = :clinic and script = :digest and state = :state
""")


def move(database: Database, old: str, new: str, states: Mapping[str, str], *, really: bool) -> list[Affected]:
    """Who is affected by moving every conversation from script `old` to `new`; with `really` they are moved.

    `states` maps a state of the old script to one of the new; the others keep their name. Raises ScriptError for a state
    that the new script does not have: nobody may be left in a question that nobody asks.
    """
    target = find(database, new)
    with database.cross() as connection:
        clinics = [row[0] for row in connection.execute(text("select id from clinics order by id"))]
    affected = []
    for clinic_id in clinics:
        with database.clinic(clinic_id) as session:
            for state, count in session.connection().execute(_WAITING, {"clinic": clinic_id, "digest": old}).all():
                to = states.get(state, state)
                if to not in target.states:
                    raise ScriptError(f"{count} conversations wait in {state!r}, which the new script has not: map it")
                affected.append(Affected(clinic_id, state, to, count))
    if really:
        for row in affected:
            with database.clinic(row.clinic_id) as session:
                session.connection().execute(
                    _MOVE,
                    {"clinic": row.clinic_id, "digest": old, "state": row.state, "to": new, "after": row.to},
                )
    return affected
