"""Rounds of upkeep (missed texts, old words), and the mark of a text whose words have been removed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from service.migrations.security import wall_off

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

SECURITY = [
    *wall_off("rounds", cross="clinic_id, id, kind, subject_id, next_at, seen_until"),
    # A receipt stays as it came but for the phone numbers in it, which go with the words.
    "grant update (raw) on receipts to scanguide_app",
]


def upgrade() -> None:
    op.create_table(
        "rounds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_rounds_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_rounds")),
        sa.UniqueConstraint("clinic_id", "kind", "subject_id", name=op.f("uq_rounds_clinic_id_kind_subject_id")),
    )
    for table, moment in (("inbound", "received_at"), ("outbound", "created_at")):
        op.add_column(table, sa.Column("words_removed_at", sa.DateTime(timezone=True), nullable=True))
        op.create_index(
            f"ix_{table}_words", table, ["clinic_id", moment], postgresql_where=sa.text("words_removed_at is null")
        )
    for statement in SECURITY:
        op.execute(statement)
