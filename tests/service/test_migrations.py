"""Migrations: up from empty, no drift from the code, walls around every clinic's table, safe to run twice at once."""

import os
import subprocess
import sys

from sqlalchemy import Engine, create_engine, text

from service.migrate import applied, check_no_drift, head
from service.settings import Settings
from service.store.database import driver_url
from workers.rehearsal import scratch

SHARED = {"operators", "switches", "beats", "unrouted_texts", "operator_audit", "scripts", "alembic_version"}


def test_migrations_run_from_empty_and_leave_no_drift(servers: Settings) -> None:
    with scratch(servers, "from_empty") as url:
        assert applied(url) == head()
        check_no_drift(url)


def test_two_starts_at_once_migrate_once(servers: Settings) -> None:
    server = create_engine(driver_url(servers.owner_url), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("drop database if exists at_once with (force)"))
        connection.execute(text("create database at_once"))
    url = server.url.set(database="at_once").render_as_string(hide_password=False)
    environment = {**os.environ, "DATABASE_URL": url, "REDIS_URL": servers.redis_url}
    starts = [subprocess.Popen([sys.executable, "-m", "service.cli", "migrate"], env=environment) for _ in range(2)]
    assert [start.wait(60) for start in starts] == [0, 0]
    assert applied(url) == head()
    with server.connect() as connection:
        connection.execute(text("drop database at_once with (force)"))
    server.dispose()


def test_every_table_of_a_clinic_is_forced_under_row_security_and_keyed_by_the_clinic_first(owner: Engine) -> None:
    with owner.connect() as connection:
        tables = connection.execute(
            text(
                "select relname, relforcerowsecurity from pg_class "
                "where relkind = 'r' and relnamespace = 'public'::regnamespace"
            )
        ).all()
        first_keys = connection.execute(
            text(
                "select conrelid::regclass::text as name, (select attname from pg_attribute a "
                "where a.attrelid = conrelid and a.attnum = conkey[1]) as key from pg_constraint where contype = 'p'"
            )
        ).all()
    keys = {row.name: row.key for row in first_keys}
    walled = {name for name, forced in tables if forced}
    assert {name for name, _ in tables} - walled == SHARED
    assert {keys[name] for name in walled - {"clinics"}} == {"clinic_id"}
