"""Run migrations as the tables' owner, each in one transaction and with a short wait for locks."""

from alembic import context
from sqlalchemy import create_engine, text

import service.store.journeys
import service.store.people
import service.store.rounds
import service.store.texts  # noqa: F401 - the tables register themselves
from service.store.base import Base
from service.store.database import driver_url

url = context.config.attributes["url"]

engine = create_engine(driver_url(url), connect_args={"options": "-c timezone=UTC"})
with engine.connect() as connection:
    connection.execute(text("set lock_timeout = '5s'"))
    connection.commit()
    context.configure(
        connection=connection, target_metadata=Base.metadata, compare_type=True, compare_server_default=True
    )
    with context.begin_transaction():
        # Two starts at once wait for each other instead of both creating the same tables.
        connection.execute(text("select pg_advisory_xact_lock(7242)"))
        context.run_migrations()
engine.dispose()
