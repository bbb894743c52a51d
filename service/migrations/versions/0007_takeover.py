"""A member of staff writes with a patient: the bot is silent for a while, and takes over again by itself."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("patients", sa.Column("taken_over_until", sa.DateTime(timezone=True), nullable=True))
