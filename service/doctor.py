"""Look at a set-up as a careful operator would, and say what is wrong and how to mend it."""

from dataclasses import dataclass

from redis.exceptions import RedisError
from rq import Worker
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from service import clock, doorbell
from service.carrier.twilio import twilio_carrier
from service.carrier_setup import faults
from service.errors import Unknown
from service.migrate import applied, head
from service.settings import Settings
from service.store.database import APP_ROLE, CROSS_ROLE, Database
from service.store.work import since_beat


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    ok: bool
    what: str


def examine(settings: Settings) -> list[Finding]:
    """Every finding, in the order in which one would mend them."""
    findings = [
        Finding(bool(settings.twilio_auth_token), "TWILIO_AUTH_TOKEN is set: without it every webhook is refused"),
        Finding(bool(settings.twilio_account_sid), "TWILIO_ACCOUNT_SID is set: without it nothing is sent"),
        Finding(
            settings.public_url.startswith("https://"), "PUBLIC_URL is https: the carrier should call nothing else"
        ),
    ]
    if not settings.database_url:
        return [*findings, Finding(True, "DATABASE_URL is empty: the embedded PostgreSQL is used")]
    return [*findings, *_database(settings), _redis(settings), *_carrier(settings)]


def _database(settings: Settings) -> list[Finding]:
    try:
        version = applied(settings.owner_url)
    except SQLAlchemyError as error:
        return [Finding(False, f"the database does not answer ({type(error).__name__}): check DATABASE_URL")]
    found = [Finding(version == head(), f"the database is at {version}, the code at {head()}: `scanguide migrate`")]
    if version is None:
        return found
    database = Database(settings.database_url, doorbell.silent)
    try:
        with database.unscoped() as session:
            role, rows = session.execute(text("select current_user, (select count(*) from clinics)")).one()
        found.append(Finding(role == APP_ROLE and rows == 0, f"row security binds us as {role}"))
        with database.cross() as connection:
            role = connection.execute(text("select current_user")).scalar_one()
            lacking = connection.execute(
                text("select c.name from senders s join clinics c on c.id = s.clinic_id where not s.live order by 1")
            ).scalars()
            found.append(Finding(role == CROSS_ROLE, f"work across clinics is done as {role}"))
            found += [Finding(False, f"clinic {name!r} is not live: fill its fields") for name in lacking]
    except SQLAlchemyError as error:
        found.append(Finding(False, f"the roles cannot be used ({type(error).__name__}): grant both to the log-in"))
    finally:
        database.forget_connections()
    return found


def _carrier(settings: Settings) -> list[Finding]:
    """Each number as it is set up at the carrier. Texts must be tried again, and answered while we are down."""
    if not (settings.twilio_account_sid and settings.twilio_auth_token):
        return []
    database = Database(settings.database_url, doorbell.silent)
    try:
        with database.cross() as connection:
            phones = connection.execute(text("select phone from senders order by clinic_id, id")).scalars().all()
        known = twilio_carrier(settings, connections=1).numbers()
    except SQLAlchemyError:
        return []  # said above
    except Unknown as error:
        return [Finding(False, f"the carrier does not answer or refuses the account: {error}")]
    finally:
        database.forget_connections()
    findings = []
    for phone in phones:
        wrong = list(faults(phone, known.get(phone), settings.public_url))
        findings += [Finding(False, words) for words in wrong]
        if not wrong:
            findings.append(
                Finding(True, f"{phone}: texts come to us, are tried again, and are answered while we are down")
            )
    return findings


def _redis(settings: Settings) -> Finding:
    if not settings.redis_url:
        return Finding(True, "REDIS_URL is empty: the embedded Valkey is used")
    try:
        doorbell.connect(settings.redis_url).ping()
    except RedisError:
        return Finding(False, "Redis does not answer: conversations go on, planned texts wait; check REDIS_URL")
    return Finding(True, "Redis answers")


def alive(settings: Settings, part: str) -> bool:
    """Whether a worker answers its roll-call, or the ticker's last turn is recent: for health checks."""
    if part == "worker":
        return bool(Worker.all(connection=doorbell.connect(settings.redis_url)))
    database = Database(settings.database_url, doorbell.silent)
    with database.cross() as connection:
        since = since_beat(connection, "ticker", clock.utc_now())
    database.forget_connections()
    return since is not None and since.total_seconds() < 12 * settings.tick_seconds + 30
