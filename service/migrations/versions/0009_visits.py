"""Which of several visits a question is about, and whether he chose the language himself."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("sure_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("patients", sa.Column("language_chosen", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("patients", "language_chosen", server_default=None)
