"""Words in two languages: what a site says in Spanish, published scripts, pages of an answer, and links to the guide."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.migrations.security import shared, wall_off

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

JSON = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
SECURITY = [
    *shared("scripts", app="select", cross="select, insert"),
    *wall_off("guide_links", cross="clinic_id, digest"),
]


def upgrade() -> None:
    op.add_column("sites", sa.Column("food_drink", sa.Text(), nullable=False, server_default=""))
    op.add_column("sites", sa.Column("arrival_note", sa.Text(), nullable=False, server_default=""))
    op.add_column("sites", sa.Column("results_days", sa.BigInteger(), nullable=True))
    op.add_column("sites", sa.Column("translations", JSON, nullable=False, server_default="{}"))
    op.add_column("conversations", sa.Column("more", sa.Text(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("back", sa.Text(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("language_offered", sa.Boolean(), nullable=False, server_default="false"))
    for table, column in (
        ("sites", "food_drink"),
        ("sites", "arrival_note"),
        ("sites", "translations"),
        ("conversations", "more"),
        ("conversations", "back"),
        ("conversations", "language_offered"),
    ):
        op.alter_column(table, column, server_default=None)
    op.create_table(
        "scripts",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sources", JSON, nullable=False),
        sa.Column("unsigned", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_scripts")),
    )
    op.create_table(
        "guide_links",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("scan_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_guide_links_clinic_id")),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_points.clinic_id", "contact_points.id"],
            name=op.f("fk_guide_links_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "scan_id"], ["scans.clinic_id", "scans.id"], name=op.f("fk_guide_links_clinic_id_scan_id")
        ),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_guide_links")),
        sa.UniqueConstraint("digest", name=op.f("uq_guide_links_digest")),
    )
    for statement in SECURITY:
        op.execute(statement)
