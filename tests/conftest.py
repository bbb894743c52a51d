"""Real servers for every test: PostgreSQL and Valkey from wheels, started once, emptied between tests.

A laptop without the embedded servers skips what needs them; CI (the variable CI is set) must not.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher, profiles
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, create_engine, text

from service import keys
from service.embedded import postgres, valkey
from service.errors import SettingsError
from service.migrate import migrate
from service.settings import Settings
from service.store.database import driver_url
from tests.house import House, Standing, let_in, open_house, owners_engine, stand

OUTPUT = Path("test-output")  # screenshots of the browser's tests
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A migrated PostgreSQL and a Valkey of this test process's own."""
    folder = tmp_path_factory.mktemp("servers")
    let_in(folder)
    try:
        with postgres(folder / "postgres") as database, valkey(folder / "valkey") as redis:
            _in_no_hurry_to_the_disk(database)
            migrate(database)
            yield Settings(
                environment="development",
                database_url=database,
                migrate_database_url=database,
                redis_url=redis,
                twilio_account_sid="AC" + "0" * 32,
                twilio_auth_token="12345",
                secret_key="a test key that is long enough for everything",
                data_dir=folder,
            )
    except SettingsError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def _in_no_hurry_to_the_disk(database: str) -> None:
    """Tests kill processes, never the machine: what PostgreSQL gave to the system is not lost by that."""
    engine = create_engine(driver_url(database), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"alter system set {setting} = off"))
        connection.execute(text("select pg_reload_conf()"))
    engine.dispose()


@pytest.fixture(scope="session")
def owner(servers: Settings) -> Engine:
    """A connection as the tables' owner: to empty them, and to look at everything at once."""
    return owners_engine(servers.owner_url)


@pytest.fixture(scope="session")
def emptying(owner: Engine) -> str:
    """What deletes every row and starts every count anew: 1 ms, where to truncate makes each table's files anew in 60."""
    with owner.connect() as connection:
        tables = connection.execute(
            text("select tablename from pg_tables where schemaname = 'public' and tablename <> 'alembic_version'")
        ).scalars()
        counts = connection.execute(text("select sequencename from pg_sequences where schemaname = 'public'")).scalars()
        steps = [f"delete from {table}" for table in tables] + [f"select setval('{name}', 1, false)" for name in counts]
    return f"begin; set local session_replication_role = replica; {'; '.join(steps)}; commit"


@pytest.fixture
def empty(servers: Settings, owner: Engine, emptying: str) -> Settings:
    """The settings of servers without any rows."""
    with owner.connect() as connection:
        connection.execute(text(emptying))
    return servers


@pytest.fixture
def house(empty: Settings, tmp_path: Path, standing: Standing) -> Iterator[House]:
    """The whole house in this process: web doors and a pretend carrier over real HTTP, and a clock that we move."""
    with open_house(empty.model_copy(update={"data_dir": tmp_path}), standing) as opened:
        yield opened


@pytest.fixture(scope="session")
def standing(servers: Settings) -> Iterator[Standing]:
    """What every house of this test process shares."""
    with stand(servers) as opened:
        yield opened


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """Passwords are hashed slowly so that nobody can guess them; here nobody tries."""
    keys.HASHER = PasswordHasher.from_parameters(profiles.CHEAPEST)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; a laptop without it skips, CI does not."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not installed")
        pytest.skip("chromium is not installed")
    OUTPUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-transcripts` writes the golden conversations anew."""
    parser.addoption("--update-transcripts", action="store_true", help="write tests/transcripts anew")
