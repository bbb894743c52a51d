"""How many rounds in a row came to nothing: planned texts wait for a look at what we missed, but not for ever."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("rounds", sa.Column("in_vain", sa.BigInteger(), nullable=False, server_default="0"))
    op.alter_column("rounds", "in_vain", server_default=None)
