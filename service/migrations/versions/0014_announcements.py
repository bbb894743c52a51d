"""Which task an on-call text is about: once somebody has seen to it, what still waits is taken back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("outbound", sa.Column("task_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_outbound_clinic_id_task_id"), "outbound", "tasks", ["clinic_id", "task_id"], ["clinic_id", "id"]
    )
