"""Connections and transactions: the one place that opens, scopes and commits them.

Two roles, two pools. `clinic()` works as `scanguide_app` under forced row-level security and sees one clinic's rows, the
clinic set for the transaction; forgetting it sees nothing. `cross()` works as the narrow `scanguide_cross`, which may read
the few columns that decide which clinic's work is next. The login behind both need only be a member of the two roles.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

APP_ROLE, CROSS_ROLE = "scanguide_app", "scanguide_cross"
Ring = Callable[..., None]

# In one breath, as a round trip of its own for each cost a turn a twentieth of its time. A number, so it needs no binding.
_BEGIN = "begin; set local scanguide.clinic = '%d'"


def driver_url(url: str) -> str:
    """The address with the driver we use, whatever the caller wrote."""
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def _options(role: str) -> str:
    bounds = "-c statement_timeout=20s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
    # Short statements on fast disks, all of them look-ups by key: go by the index, and plan each but once.
    plans = "-c jit=off -c random_page_cost=1.1 -c plan_cache_mode=force_generic_plan"
    return f"-c role={role} -c timezone=UTC {plans} {bounds}"


class Database:
    """The two pools of one process, and what is rung once a transaction has committed."""

    def __init__(self, url: str, ring: Ring, *, pool_size: int = 12) -> None:
        def engine(role: str, **options: object):  # type: ignore[no-untyped-def]  # SQLAlchemy's own return type
            return create_engine(
                driver_url(url),
                # Away is said within 4 s in all: who has waited for a connection in vain may still try one of his own.
                # The driver begins nothing by itself: `clinic()` does, and sets the clinic with it.
                connect_args={"options": _options(role), "connect_timeout": 2, "autocommit": True},
                pool_size=pool_size,
                max_overflow=8,
                pool_timeout=1.5,
                hide_parameters=True,  # an error must not carry a patient's words into a log
                **options,
            )

        self._app = engine(APP_ROLE)
        self._cross = engine(CROSS_ROLE, isolation_level="AUTOCOMMIT")
        self._ring = ring

    @contextmanager
    def clinic(self, clinic_id: int) -> Iterator[Session]:
        """One transaction in one clinic; commits at the end, then rings what `ring_after` collected.

        Any exception rolls back and rings nothing.
        """
        with Session(self._app, expire_on_commit=False) as session:
            session.connection().exec_driver_sql(_BEGIN % clinic_id)
            yield session
            session.commit()
        for bell in dict.fromkeys(session.info.get("bells", ())):
            self._ring(*bell)

    @contextmanager
    def cross(self) -> Iterator[Connection]:
        """A connection across clinics, each statement its own transaction; reads, switches and beats only."""
        with self._cross.connect() as connection:
            yield connection

    @contextmanager
    def unscoped(self) -> Iterator[Session]:
        """The clinics' role without a clinic: sees no clinic's row. For the test that proves it, and for readiness."""
        with Session(self._app) as session:
            yield session

    def forget_connections(self) -> None:
        """Close every pooled connection: on shutdown, and after the server restarted."""
        self._app.dispose()
        self._cross.dispose()


def ring_after(session: Session, job: str, *ids: int) -> None:
    """Ring `job` with row ids once this transaction has committed; never if it rolls back."""
    session.info.setdefault("bells", []).append((job, *ids))
