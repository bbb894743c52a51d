"""One Messaging Service, one number: in a look-up nobody could say whose text came from a shared one."""

from collections.abc import Sequence

from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_unique_constraint(op.f("uq_senders_messaging_service_sid"), "senders", ["messaging_service_sid"])
