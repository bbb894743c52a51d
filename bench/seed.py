"""Clinics, people and texts by the thousand: statements over whole sets, as the tables' owner.

People get their ids from us, one number for a person's patient, contact point, scan and conversation, so that nothing has
to be joined. References are not checked while seeding: they are right by construction.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from service.clinics import add_clinic
from service.demo_data import SITE
from service.store.database import Database

BODY = "Please arrive at 9:15 am. " * 11  # two segments
UNCHECKED = text("set session_replication_role = replica")

_LIST = text("""
    create temp table people as
    select place.clinic, place.site, row_number() over (order by place.clinic, one) as n
    from unnest(cast(:clinics as bigint[]), cast(:sites as bigint[]), cast(:counts as int[])) as place (clinic, site, count)
    cross join lateral generate_series(1, place.count) as one
""")
_PEOPLE = (
    """
    insert into patients (clinic_id, id, external_id, given_name, language, language_chosen, created_at)
    select clinic, n, 'P-' || n, 'Walter', 'en', false, :now from people
    """,
    """
    insert into contact_points (clinic_id, id, phone, phone_hash, created_at)
    select clinic, n, '+1' || 2120000000 + n, 'h' || n, :now from people
    """,
    """
    insert into consents (clinic_id, patient_id, contact_point_id, kind, given, obtained_by, how, at)
    select clinic, n, n, kind, true, 'bench', 'made up', :now from people, unnest(array['texts', 'detail']) as kind
    """,
    """
    insert into scans (clinic_id, id, external_id, patient_id, contact_point_id, site_id, arrival_at, starts_at,
      arrival_wall, zone, tracer, reason, state, plan_version, arrival_version, created_at, changed_at)
    select clinic, n, 'S-' || n, n, n, site, cast(:arrival as timestamptz), :arrival, '', 'America/New_York',
      'Pylarify', 'unknown', 'booked', 1, 1, :now, :now from people
    """,
    """
    insert into conversations (clinic_id, id, contact_point_id, patient_id, scan_id, script, state, attempts, reasked,
      options, pending, care_pause, more, back, language_offered)
    select clinic, n, n, n, n, 's', 'ready', 0, false, '[]', '', false, '', '', false from people
    """,
)
# One text to each of the people of some clinics; `due` and `priority` are expressions over `n`, one number a person.
_TEXTS = """
    insert into outbound (clinic_id, ref, sender_id, contact_point_id, phone, scan_id, key, language, form, script, body,
      body_hash, segments, priority, automated, logistics, exempt, plan_version, due_at, valid_until, status, reason,
      attempts, listings, created_at, changed_at)
    select c.clinic_id, md5(random()::text || c.id), s.id, c.id, c.phone, c.id, 'prepare', 'en', 'detailed',
      's', :body, 'x', 2, {priority}, true, false, false, 1, {due}, cast(:now as timestamptz) + interval '1 day', 'queued',
      '', 0, 0, :now, :now
    from (select *, id as n from contact_points) c join senders s on s.clinic_id = c.clinic_id
    where {which}
"""


@dataclass(frozen=True)
class Place:
    """A clinic with its one site and sender."""

    clinic: int
    site: int
    sender: int


def clinics(database: Database, count: int, now: datetime) -> list[Place]:
    """So many live clinics, which may text at any hour."""
    site = replace(SITE, window_start=SITE.window_start.min, window_end=SITE.window_end.max)
    made = [
        add_clinic(database, f"Bench {n}", f"+1646555{n:04d}", site, keywords="ours", now=now)
        for n in range(1, count + 1)
    ]
    return [Place(one.clinic_id, one.site_id, one.sender_id) for one in made]


def people(connection: Connection, places: list[Place], counts: list[int], now: datetime) -> None:
    """So many patients for each place: agreed to texts, with a scan in three days and a conversation at rest."""
    connection.execute(UNCHECKED)
    connection.execute(
        _LIST, {"clinics": [p.clinic for p in places], "sites": [p.site for p in places], "counts": counts}
    )
    for statement in _PEOPLE:
        connection.execute(text(statement), {"now": now, "arrival": now + timedelta(days=3)})
    connection.execute(text("drop table people"))
    # The numbers may send as fast as we can: what is measured is us. The burst sets a pace of its own.
    connection.execute(text("update senders set segments_per_second = 1000000"))


def texts(
    connection: Connection,
    now: datetime,
    due: str = "cast(:now as timestamptz)",
    priority: str = "5",
    which: str = "true",
    **more: object,
) -> None:
    """Queue a text of two segments for each person that `which` picks."""
    connection.execute(UNCHECKED)
    statement = _TEXTS.format(due=due, priority=priority, which=which)
    connection.execute(text(statement), {"now": now, "body": BODY, **more})


def settle(connection: Connection) -> None:
    """What the server does by itself within some minutes."""
    connection.execute(text("vacuum analyze"))
    connection.execute(text("checkpoint"))
