"""Texts in and out, receipts and tasks."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service.migrations.security import shared, wall_off

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


SECURITY = [
    *wall_off("inbound", cross="clinic_id, id, sender_id, received_at, status"),
    *wall_off(
        "outbound",
        cross="clinic_id, id, sender_id, priority, due_at, status, reason, error_code, segments, tried_at, listings, "
        "created_at, changed_at",
    ),
    *wall_off("receipts", append_only=True, cross="clinic_id, id, received_at, outbound_id, status"),
    *wall_off(
        "tasks",
        cross="clinic_id, id, kind, urgent, operators, why, opened_at, due_at, announce_at, acknowledged_at, closed_at",
    ),
    *shared("unrouted_texts", app="", cross="select, insert, update"),
]


def upgrade() -> None:
    op.create_table(
        "unrouted_texts",
        sa.Column("message_sid", sa.Text(), nullable=False),
        sa.Column("to_number", sa.Text(), nullable=False),
        sa.Column("raw", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("message_sid", name=op.f("pk_unrouted_texts")),
    )
    op.create_table(
        "receipts",
        sa.Column("outbound_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("raw", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_receipts_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_receipts")),
    )
    op.create_index(op.f("ix_receipts_clinic_id_outbound_id"), "receipts", ["clinic_id", "outbound_id"], unique=False)
    op.create_table(
        "inbound",
        sa.Column("message_sid", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("media", sa.BigInteger(), nullable=False),
        sa.Column("opt_out_type", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decision", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_points.clinic_id", "contact_points.id"],
            name=op.f("fk_inbound_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_inbound_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_inbound")),
        sa.UniqueConstraint("clinic_id", "message_sid", name=op.f("uq_inbound_clinic_id_message_sid")),
    )
    op.create_index(
        op.f("ix_inbound_clinic_id_contact_point_id_received_at"),
        "inbound",
        ["clinic_id", "contact_point_id", "received_at"],
        unique=False,
    )
    op.create_table(
        "tasks",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("operators", sa.Boolean(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("patient_id", sa.BigInteger(), nullable=True),
        sa.Column("scan_id", sa.BigInteger(), nullable=True),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("announce_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("announced", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_points.clinic_id", "contact_points.id"],
            name=op.f("fk_tasks_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "patient_id"],
            ["patients.clinic_id", "patients.id"],
            name=op.f("fk_tasks_clinic_id_patient_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "scan_id"], ["scans.clinic_id", "scans.id"], name=op.f("fk_tasks_clinic_id_scan_id")
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_tasks_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_tasks")),
    )
    op.create_index(
        "ix_tasks_announce", "tasks", ["announce_at"], unique=False, postgresql_where=sa.text("announce_at is not null")
    )
    op.create_index(
        "uq_tasks_open",
        "tasks",
        ["clinic_id", "kind", "contact_point_id", "scan_id"],
        unique=True,
        postgresql_where=sa.text("closed_at is null"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "outbound",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("sender_id", sa.BigInteger(), nullable=False),
        sa.Column("contact_point_id", sa.BigInteger(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("scan_id", sa.BigInteger(), nullable=True),
        sa.Column("reminder_id", sa.BigInteger(), nullable=True),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("script", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("segments", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("automated", sa.Boolean(), nullable=False),
        sa.Column("logistics", sa.Boolean(), nullable=False),
        sa.Column("exempt", sa.Boolean(), nullable=False),
        sa.Column("plan_version", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("error_code", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("listings", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_sid", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clinic_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["clinic_id", "contact_point_id"],
            ["contact_points.clinic_id", "contact_points.id"],
            name=op.f("fk_outbound_clinic_id_contact_point_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "inbound_id"],
            ["inbound.clinic_id", "inbound.id"],
            name=op.f("fk_outbound_clinic_id_inbound_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "reminder_id"],
            ["reminders.clinic_id", "reminders.id"],
            name=op.f("fk_outbound_clinic_id_reminder_id"),
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "scan_id"], ["scans.clinic_id", "scans.id"], name=op.f("fk_outbound_clinic_id_scan_id")
        ),
        sa.ForeignKeyConstraint(
            ["clinic_id", "sender_id"],
            ["senders.clinic_id", "senders.id"],
            name=op.f("fk_outbound_clinic_id_sender_id"),
        ),
        sa.ForeignKeyConstraint(["clinic_id"], ["clinics.id"], name=op.f("fk_outbound_clinic_id")),
        sa.PrimaryKeyConstraint("clinic_id", "id", name=op.f("pk_outbound")),
        sa.UniqueConstraint("clinic_id", "ref", name=op.f("uq_outbound_clinic_id_ref")),
    )
    op.create_index("ix_outbound_contact", "outbound", ["clinic_id", "contact_point_id", "created_at"], unique=False)
    op.create_index(
        "ix_outbound_due",
        "outbound",
        ["clinic_id", "sender_id", "priority", "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "ix_outbound_open",
        "outbound",
        ["tried_at"],
        unique=False,
        postgresql_where=sa.text("status in ('sending', 'offered', 'uncertain')"),
    )
    op.create_index(
        "ix_outbound_reminder",
        "outbound",
        ["clinic_id", "reminder_id"],
        unique=False,
        postgresql_where=sa.text("reminder_id is not null"),
    )
    op.create_index(
        "ix_outbound_waiting", "outbound", ["due_at"], unique=False, postgresql_where=sa.text("status = 'queued'")
    )
    for statement in SECURITY:
        op.execute(statement)
