"""Scans, planned texts and conversations."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.migrations.security import wall_off

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


SECURITY = [
    *wall_off("scans"),
    *wall_off("reminders", cross="clinic_id, id, touchpoint, due_at, status"),
    *wall_off("conversations"),
]


def upgrade() -> None:
    op.create_table(
        "scans",
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("arrival_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arrival_wall", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("tracer", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("plan_version", sa.BigInteger(), nullable=False),
        sa.Column("arrival_version", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_points.clinic_id", "contact_points.id"],
            name=op.f("fk_scans_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_scans_clinic_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "site_id"], ["sites.clinic_id", "sites.id"], name=op.f("fk_scans_clinic_id_site_id")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_scans_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_scans")),
        sa.UniqueConstraint("clinic_id", "external_id", name=op.f("uq_scans_clinic_id_external_id")),
    )
    op.create_index(op.f("ix_scans_clinic_id_arrival_at"), "scans", ["clinic_id", "arrival_at"], unique=False)
    op.create_index(
        op.f("ix_scans_clinic_id_contact_point_id"), "scans", ["clinic_id", "contact_point_id"], unique=False
    )
    op.create_table(
        "conversations",
        sa.Column("contact_point_id", sa.BigInteger(), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("scan_id", sa.BigInteger(), nullable=True),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("reasked", sa.Boolean(), nullable=False),
        sa.Column("options", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("pending", sa.Text(), nullable=False),
        sa.Column("care_pause", sa.Boolean(), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_points.clinic_id", "contact_points.id"],
            name=op.f("fk_conversations_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_conversations_clinic_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "scan_id"], ["scans.clinic_id", "scans.id"], name=op.f("fk_conversations_clinic_id_scan_id")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_conversations_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("clinic_id", "contact_point_id", name=op.f("uq_conversations_clinic_id_contact_point_id")),
    )
    op.create_table(
        "reminders",
        sa.Column("scan_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_version", sa.BigInteger(), nullable=False),
        sa.Column("touchpoint", sa.Text(), nullable=False),
        sa.Column("merged", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "scan_id"], ["scans.clinic_id", "scans.id"], name=op.f("fk_reminders_clinic_id_scan_id")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_reminders_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_reminders")),
        sa.UniqueConstraint(
            "clinic_id",
            "scan_id",
            "plan_version",
            "touchpoint",
            name=op.f("uq_reminders_clinic_id_scan_id_plan_version_touchpoint"),
        ),
    )
    op.create_index(
        "ix_reminders_due",
        "reminders",
        ["due_at", "clinic_id", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'planned'"),
    )
    for statement in SECURITY:
        op.execute(statement)
