"""Texts in, texts out, what the carrier said of them, and what a person must look at."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import Base, ClinicRow, belongs_to


class Inbound(ClinicRow):
    """A text received, stored before anything is made of it; `answer` is the TwiML that a retried webhook gets again."""

    __tablename__ = "inbound"
    __table_args__ = (
        UniqueConstraint("clinic_id", "message_sid"),
        belongs_to("contact_points", "contact_point_id"),
        Index(None, "clinic_id", "contact_point_id", "received_at"),
        Index("ix_inbound_latest", "received_at"),
        Index("ix_inbound_words", "clinic_id", "received_at", postgresql_where=text("words_removed_at is null")),
    )

    message_sid: Mapped[str]
    sender_id: Mapped[int]
    contact_point_id: Mapped[int | None]
    phone: Mapped[str]
    body: Mapped[str]
    media: Mapped[int]
    opt_out_type: Mapped[str]
    received_at: Mapped[datetime]
    status: Mapped[str]  # received | answered | unhandled | late
    decision: Mapped[dict[str, Any] | None]
    answer: Mapped[str | None]
    words_removed_at: Mapped[datetime | None]  # old enough: body and answer are empty


class Outbound(ClinicRow):
    """A text to send: its words as approved, and where it stands. `ref` is random and stands in the callback URL."""

    __tablename__ = "outbound"
    __table_args__ = (
        UniqueConstraint("clinic_id", "ref"),
        belongs_to("senders", "sender_id"),
        belongs_to("contact_points", "contact_point_id"),
        belongs_to("scans", "scan_id"),
        belongs_to("reminders", "reminder_id"),
        belongs_to("inbound", "inbound_id"),
        belongs_to("tasks", "task_id"),
        Index(
            "ix_outbound_due",
            "clinic_id",
            "sender_id",
            "priority",
            "due_at",
            "id",
            postgresql_where=text("status = 'queued'"),
        ),
        Index("ix_outbound_waiting", "due_at", postgresql_where=text("status = 'queued'")),
        Index("ix_outbound_closing", "valid_until", postgresql_where=text("status = 'queued'")),
        Index(
            "ix_outbound_open",
            "tried_at",
            postgresql_where=text("status in ('sending', 'offered', 'uncertain')"),
        ),
        Index(
            "ix_outbound_unsaid",
            "tried_at",
            postgresql_where=text("status in ('accepted', 'sending_at_carrier', 'sent') and listings < 3"),
        ),
        Index("ix_outbound_words", "clinic_id", "created_at", postgresql_where=text("words_removed_at is null")),
        Index("ix_outbound_contact", "clinic_id", "contact_point_id", "created_at"),
        Index(
            "ix_outbound_replies",
            "clinic_id",
            "sender_id",
            "created_at",
            postgresql_where=text("inbound_id is not null"),
        ),
        Index("ix_outbound_sid", "clinic_id", "provider_sid", postgresql_where=text("provider_sid is not null")),
        Index("ix_outbound_failed", "changed_at", postgresql_where=text("status in ('failed', 'undelivered')")),
        Index("ix_outbound_reminder", "clinic_id", "reminder_id", postgresql_where=text("reminder_id is not null")),
    )

    ref: Mapped[str]
    sender_id: Mapped[int]
    contact_point_id: Mapped[int | None]  # null: to the site's on-call contact
    phone: Mapped[str]
    scan_id: Mapped[int | None]
    reminder_id: Mapped[int | None]
    inbound_id: Mapped[int | None]
    task_id: Mapped[int | None]  # to the on-call contact: the task that it announces
    key: Mapped[str]
    language: Mapped[str]
    form: Mapped[str]
    script: Mapped[str]
    body: Mapped[str]
    body_hash: Mapped[str]
    segments: Mapped[int]
    priority: Mapped[int]
    automated: Mapped[bool]
    logistics: Mapped[bool]
    exempt: Mapped[bool]
    plan_version: Mapped[int | None]
    due_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    status: Mapped[str]  # the words of flows/outcomes.py, or `refused`
    reason: Mapped[str]  # why it was refused, held or failed: a key of REASONS, or the words of an error code
    error_code: Mapped[int | None]
    attempts: Mapped[int]
    listings: Mapped[int]  # times it was looked up at the carrier: not found there, or once taken, not final yet
    tried_at: Mapped[datetime | None]
    provider_sid: Mapped[str | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    words_removed_at: Mapped[datetime | None]  # old enough: the body is empty, its hash, key and script stay


class Receipt(ClinicRow):
    """One raw status callback, kept whether or not it changed anything; only its phone numbers go, with the words."""

    __tablename__ = "receipts"
    __table_args__ = (Index(None, "clinic_id", "outbound_id"), Index("ix_receipts_latest", "received_at"))

    outbound_id: Mapped[int | None]  # null: nobody's
    status: Mapped[str]
    error_code: Mapped[int | None]
    raw: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]


class Task(ClinicRow):
    """Something a person must look at. At most one open task of a kind for one phone and scan."""

    __tablename__ = "tasks"
    __table_args__ = (
        belongs_to("patients", "patient_id"),
        belongs_to("scans", "scan_id"),
        belongs_to("contact_points", "contact_point_id"),
        Index(
            "uq_tasks_open",
            "clinic_id",
            "kind",
            "contact_point_id",
            "scan_id",
            unique=True,
            postgresql_where=text("closed_at is null"),
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_tasks_announce", "announce_at", postgresql_where=text("announce_at is not null")),
    )

    kind: Mapped[str]
    urgent: Mapped[bool]
    operators: Mapped[bool]
    why: Mapped[str]  # in our words, never the patient's
    times: Mapped[int]  # how often it was raised while open
    contact_point_id: Mapped[int | None]
    patient_id: Mapped[int | None]
    scan_id: Mapped[int | None]
    site_id: Mapped[int | None]
    inbound_id: Mapped[int | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    announce_at: Mapped[datetime | None]  # when the on-call contact is told (again)
    announced: Mapped[int]  # how often, since it was raised or seen last
    announced_at: Mapped[datetime | None]  # when last
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    outcome: Mapped[str | None]


# The short list of tables without a clinic -------------------------------------------------------------------------


class Operator(Base):
    """Someone who runs the service and may log in to /ops."""

    __tablename__ = "operators"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    password_hash: Mapped[str]


class Switch(Base):
    """A switch for the whole installation: `pause` holds all sending, `clock` is the demo clock's offset."""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class PublishedScript(Base):
    """A flow and its texts as they were published: kept for ever, so that a conversation can end on what it began with."""

    __tablename__ = "scripts"

    digest: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    sources: Mapped[dict[str, str]]  # path -> text: the flow, the texts, the facts, the signatures of that day
    unsigned: Mapped[int]  # texts that no clinician had signed
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class Beat(Base):
    """The last sign of life of each moving part."""

    __tablename__ = "beats"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Unrouted(Base):
    """A signed text to a number that belongs to no clinic: kept raw until an operator has looked."""

    __tablename__ = "unrouted_texts"

    message_sid: Mapped[str] = mapped_column(primary_key=True)
    to_number: Mapped[str]
    raw: Mapped[dict[str, Any]]
    received_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class OperatorAudit(Base):
    """What operators did: appended, never changed."""

    __tablename__ = "operator_audit"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    detail: Mapped[dict[str, Any]]
