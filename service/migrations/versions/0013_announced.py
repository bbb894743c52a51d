"""When the on-call contact was last told of a task: what is raised anew is announced at once, and not twice a minute."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True))
