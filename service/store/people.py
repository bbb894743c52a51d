"""Clinics, their people, and the patients: who there is."""

from datetime import datetime, time
from typing import Any

from sqlalchemy import Identity, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import Base, ClinicRow, belongs_to


class Clinic(Base):
    """One clinic: the wall between tenants."""

    __tablename__ = "clinics"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    paused_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Site(ClinicRow):
    """Where a clinic scans, and what only the clinic can say: centres contradict each other, so nothing is guessed."""

    __tablename__ = "sites"
    __table_args__ = (UniqueConstraint("clinic_id", "name"),)

    name: Mapped[str]
    zone: Mapped[str]  # IANA
    address: Mapped[str]
    phone: Mapped[str]
    after_hours_phone: Mapped[str]
    on_call_phone: Mapped[str]
    on_call_phone_2: Mapped[str | None]
    prep: Mapped[dict[str, str]]  # by tracer
    radiation: Mapped[str]
    results_timing: Mapped[str]
    food_drink: Mapped[str]
    arrival_note: Mapped[str]
    results_days: Mapped[int | None]  # days after the visit by which he should have heard
    translations: Mapped[dict[str, Any]]  # language -> the same words in it; English stands in the columns
    terms_url: Mapped[str]
    window_start: Mapped[time]
    window_end: Mapped[time]


class Sender(ClinicRow):
    """A clinic's number (or Messaging Service), and who answers keywords there."""

    __tablename__ = "senders"
    # One number, one clinic; of a shared Messaging Service nobody could say whose a text was.
    __table_args__ = (UniqueConstraint("phone"), UniqueConstraint("messaging_service_sid"))

    phone: Mapped[str]
    messaging_service_sid: Mapped[str | None]
    keyword_handling: Mapped[str]
    segments_per_second: Mapped[int]
    live: Mapped[bool]
    paused_reason: Mapped[str | None]
    paced_until: Mapped[datetime | None]  # busy until then with the segments it was given
    paced_at: Mapped[datetime | None]  # when that was last worked out: replies since then are still to be counted


class Staff(ClinicRow):
    """Someone who works at the clinic and may log in to /clinic."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("email"),)

    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]


class ApiKey(ClinicRow):
    """A clinic system's key; only its digest is kept."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("digest"),)

    label: Mapped[str]
    digest: Mapped[str]
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class Patient(ClinicRow):
    """A patient by the clinic's own id. `zone` is null where it is the site's."""

    __tablename__ = "patients"
    __table_args__ = (UniqueConstraint("clinic_id", "external_id"),)

    external_id: Mapped[str]
    given_name: Mapped[str]
    language: Mapped[str]
    language_chosen: Mapped[bool]  # by himself: what the clinic says of it does not count any more
    zone: Mapped[str | None]
    paused_at: Mapped[datetime | None]  # staff hold the automated texts
    taken_over_until: Mapped[datetime | None]  # a member of staff writes with him; the bot is silent until then
    stopped_at: Mapped[datetime | None]  # we were told that he has died
    created_at: Mapped[datetime]


class ContactPoint(ClinicRow):
    """A phone number at one clinic. Opt-out and wrong number belong here: they hold for everyone on it."""

    __tablename__ = "contact_points"
    __table_args__ = (UniqueConstraint("clinic_id", "phone_hash"),)

    phone: Mapped[str]  # E.164
    phone_hash: Mapped[str]
    opted_out_at: Mapped[datetime | None]
    opted_out_how: Mapped[str | None]
    frozen_at: Mapped[datetime | None]  # wrong number, or one the carrier says cannot be texted
    frozen_why: Mapped[str | None]
    created_at: Mapped[datetime]


class Consent(ClinicRow):
    """One line of the consent ledger: appended, never changed. The newest of a kind counts."""

    __tablename__ = "consents"
    __table_args__ = (
        belongs_to("patients", "patient_id"),
        belongs_to("contact_points", "contact_point_id"),
        Index(None, "clinic_id", "patient_id", "contact_point_id", "kind", "id"),
    )

    patient_id: Mapped[int | None]
    contact_point_id: Mapped[int]
    kind: Mapped[str]  # permission | texts | detail | opt_out | opt_in
    given: Mapped[bool]
    obtained_by: Mapped[str]
    how: Mapped[str]
    text_hash: Mapped[str | None]  # of the text that was answered
    at: Mapped[datetime]


class Audit(ClinicRow):
    """What was done, by whom, to what: appended, never changed. Ids and words of ours only."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "clinic_id", "subject", "subject_id"),)

    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    subject_id: Mapped[int]
    detail: Mapped[dict[str, Any]]
