"""Scans, their planned texts, and the conversation about them."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from service.store.base import ClinicRow, belongs_to


class Scan(ClinicRow):
    """A booked appointment. `plan_version` rises with every new plan, so that older planned texts become harmless."""

    __tablename__ = "scans"
    __table_args__ = (
        UniqueConstraint("clinic_id", "external_id"),
        belongs_to("patients", "patient_id"),
        belongs_to("contact_points", "contact_point_id"),
        belongs_to("sites", "site_id"),
        Index(None, "clinic_id", "contact_point_id"),
        Index(None, "clinic_id", "arrival_at"),
    )

    external_id: Mapped[str]
    patient_id: Mapped[int]
    contact_point_id: Mapped[int]
    site_id: Mapped[int]
    arrival_at: Mapped[datetime]
    starts_at: Mapped[datetime]
    arrival_wall: Mapped[str]  # as the clinic gave it
    zone: Mapped[str]  # the site's, at the time of booking
    tracer: Mapped[str]
    reason: Mapped[str]
    state: Mapped[str]  # booked | cancelled | completed | no_show
    plan_version: Mapped[int]
    arrival_version: Mapped[int]  # the plan version since which this arrival holds
    confirmed_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class Reminder(ClinicRow):
    """A touchpoint's row in one version of a scan's plan. Old versions stay, void, with the reason."""

    __tablename__ = "reminders"
    __table_args__ = (
        UniqueConstraint("clinic_id", "scan_id", "plan_version", "touchpoint"),
        belongs_to("scans", "scan_id"),
        Index("ix_reminders_due", "due_at", "clinic_id", "id", postgresql_where=text("status = 'planned'")),
    )

    scan_id: Mapped[int]
    plan_version: Mapped[int]
    touchpoint: Mapped[str]
    merged: Mapped[list[str]]
    due_at: Mapped[datetime]
    valid_until: Mapped[datetime]
    status: Mapped[str]  # planned | said | skipped | void
    reason: Mapped[str]
    changed_at: Mapped[datetime]


class Conversation(ClinicRow):
    """The open question with one contact point, and the patient and scan in focus."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("clinic_id", "contact_point_id"),
        belongs_to("contact_points", "contact_point_id"),
        belongs_to("patients", "patient_id"),
        belongs_to("scans", "scan_id"),
    )

    contact_point_id: Mapped[int]
    patient_id: Mapped[int | None]
    scan_id: Mapped[int | None]
    script: Mapped[str]  # the hash of the flow and texts it runs on
    state: Mapped[str]
    attempts: Mapped[int]
    reasked: Mapped[bool]
    options: Mapped[list[str]]
    pending: Mapped[str]
    care_pause: Mapped[bool]
    more: Mapped[str]  # the next page of the answer given last
    back: Mapped[str]  # the question to return to after a choice among topics
    language_offered: Mapped[bool]
    sure_until: Mapped[datetime | None]  # until then a question is about this scan, whichever others there are


class GuideLink(ClinicRow):
    """A link to the guide as a page, sent to one phone about one scan; only the token's digest is kept."""

    __tablename__ = "guide_links"
    __table_args__ = (
        UniqueConstraint("digest"),
        belongs_to("contact_points", "contact_point_id"),
        belongs_to("scans", "scan_id"),
    )

    digest: Mapped[str]
    contact_point_id: Mapped[int]
    scan_id: Mapped[int]
    created_at: Mapped[datetime]
