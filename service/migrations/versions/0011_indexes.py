"""Indexes for what is looked up all day in a long history: a carrier's id, today's failures, the last sign of life."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_outbound_sid",
        "outbound",
        ["clinic_id", "provider_sid"],
        postgresql_where=sa.text("provider_sid is not null"),
    )
    op.create_index(
        "ix_outbound_failed",
        "outbound",
        ["changed_at"],
        postgresql_where=sa.text("status in ('failed', 'undelivered')"),
    )
    op.create_index("ix_inbound_latest", "inbound", ["received_at"])
    op.create_index("ix_receipts_latest", "receipts", ["received_at"])
    op.execute("grant select (paced_at) on senders to scanguide_cross")
