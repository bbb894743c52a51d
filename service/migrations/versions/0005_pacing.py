"""Pacing: until when each sender is busy with what it was given, counted in segments."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("senders", sa.Column("paced_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("senders", sa.Column("paced_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_outbound_replies",
        "outbound",
        ["clinic_id", "sender_id", "created_at"],
        postgresql_where=sa.text("inbound_id is not null"),
    )
    op.execute("grant select (paced_until) on senders to scanguide_cross")
