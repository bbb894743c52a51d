"""Migrations: up from empty, no drift from the code, walls around every clinic's table, safe to run twice at once."""

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, create_engine, text

from service.migrate import applied, check_no_drift, head, migrate
from service.settings import Settings
from service.store.database import driver_url
from workers.rehearsal import scratch

SHARED = {"operators", "switches", "beats", "unrouted_texts", "operator_audit", "alembic_version"}


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
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(migrate, [url, url]))
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
        keys: dict[str, str] = dict(
            connection.execute(
                text(
                    "select conrelid::regclass::text, (select attname from pg_attribute a where a.attrelid = conrelid "
                    "and a.attnum = conkey[1]) from pg_constraint where contype = 'p'"
                )
            )
            .tuples()
            .all()
        )
    walled = {name for name, forced in tables if forced}
    assert {name for name, _ in tables} - walled == SHARED
    assert {keys[name] for name in walled - {"clinics"}} == {"clinic_id"}
