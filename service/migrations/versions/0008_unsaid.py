"""Texts that the carrier took and of which it never said what became: found by their own index and looked up."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_outbound_unsaid",
        "outbound",
        ["tried_at"],
        postgresql_where=sa.text("status in ('accepted', 'sending_at_carrier', 'sent') and listings < 3"),
    )
