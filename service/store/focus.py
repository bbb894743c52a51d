"""Everything that one decision about one phone depends on, loaded in one query and locked for the turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from flows.limits import BURST
from flows.model import Conversation as Talk
from flows.model import Keywords, Reason, Standing
from service.store.journeys import Conversation, Scan
from service.store.people import Clinic, Consent, ContactPoint, Patient, Sender, Site
from service.store.texts import Inbound

AFTERWARDS = timedelta(days=30)  # how long after the visit he may still ask


@dataclass
class Focus:
    """One contact point with the patient and scan in focus, as loaded rows; `patient` and `scan` may be unknown."""

    clinic: Clinic
    sender: Sender
    site: Site
    contact: ContactPoint
    conversation: Conversation
    patient: Patient | None
    scan: Scan | None
    opted_in: bool
    detail: bool
    recent_texts: int = 0
    identical_texts: int = 0

    @property
    def zone(self) -> ZoneInfo:
        """The patient's own zone; the site's unless the clinic said otherwise."""
        return ZoneInfo((self.patient and self.patient.zone) or self.site.zone)

    def standing(self, now: datetime) -> Standing:
        """What we are to the person at this number at `now`."""
        if self.contact.frozen_at is not None:
            return Standing.FROZEN
        if self.contact.opted_out_at is not None:
            return Standing.STOPPED
        scan = self.scan
        if scan is None or scan.state in ("cancelled", "no_show") or now > scan.arrival_at + AFTERWARDS:
            return Standing.STRANGER
        return Standing.PATIENT

    def talk(self, now: datetime) -> Talk:
        """The conversation as the engine sees it."""
        row = self.conversation
        return Talk(
            state=row.state,
            standing=self.standing(now),
            detail=self.detail,
            reason=Reason(self.scan.reason) if self.scan else Reason.UNKNOWN,
            attempts=row.attempts,
            reasked=row.reasked,
            options=tuple(row.options),
            pending=row.pending,
            care_pause=row.care_pause,
            keywords=Keywords(self.sender.keyword_handling),
            language=self.patient.language if self.patient else "en",
        )

    def keep(self, talk: Talk) -> None:
        """Write the engine's next conversation back into its row."""
        row = self.conversation
        row.state, row.attempts, row.reasked = talk.state, talk.attempts, talk.reasked
        row.options, row.pending, row.care_pause = list(talk.options), talk.pending, talk.care_pause


def latest_consent(kind: str) -> ColumnElement[bool]:
    """Whether the newest line of `kind` for the joined (patient, contact point) says yes; null if there is none."""
    return (
        select(Consent.given)
        .where(
            Consent.clinic_id == ContactPoint.clinic_id,
            Consent.contact_point_id == ContactPoint.id,
            Consent.patient_id == Patient.id,
            Consent.kind == kind,
        )
        .order_by(Consent.id.desc())
        .limit(1)
        .correlate(ContactPoint, Patient)
        .scalar_subquery()
    )


def _site_of_scan_or_first() -> ColumnElement[bool]:
    any_site = aliased(Site)
    first = select(func.min(any_site.id)).where(any_site.clinic_id == ContactPoint.clinic_id).scalar_subquery()
    return and_(Site.clinic_id == ContactPoint.clinic_id, Site.id == func.coalesce(Scan.site_id, first))


def _query(sender: ColumnElement[bool]) -> Any:
    return (
        select(
            Clinic,
            Sender,
            Site,
            ContactPoint,
            Conversation,
            Patient,
            Scan,
            latest_consent("texts"),
            latest_consent("detail"),
        )
        .select_from(ContactPoint)
        .join(Clinic, Clinic.id == ContactPoint.clinic_id)
        .join(Sender, sender)
        .join(
            Conversation,
            and_(Conversation.clinic_id == ContactPoint.clinic_id, Conversation.contact_point_id == ContactPoint.id),
        )
        .outerjoin(Patient, and_(Patient.clinic_id == ContactPoint.clinic_id, Patient.id == Conversation.patient_id))
        .outerjoin(Scan, and_(Scan.clinic_id == ContactPoint.clinic_id, Scan.id == Conversation.scan_id))
        .join(Site, _site_of_scan_or_first())
        .with_for_update(of=[Conversation, ContactPoint])
    )


def _focus(row: Sequence[Any]) -> Focus:
    clinic, sender, site, contact, conversation, patient, scan, opted_in, detail = row
    return Focus(clinic, sender, site, contact, conversation, patient, scan, bool(opted_in), bool(detail))


def focus_on_contact(session: Session, clinic_id: int, contact_point_id: int, sender_id: int | None = None) -> Focus:
    """Load and lock one contact point's focus. Without a `sender_id` the clinic's first number is used."""
    any_sender = aliased(Sender)
    chosen: ColumnElement[bool] = Sender.id == (
        sender_id
        if sender_id is not None
        else select(func.min(any_sender.id)).where(any_sender.clinic_id == clinic_id).scalar_subquery()
    )
    statement = _query(and_(Sender.clinic_id == ContactPoint.clinic_id, chosen)).where(
        ContactPoint.clinic_id == clinic_id, ContactPoint.id == contact_point_id
    )
    return _focus(session.execute(statement).one())


def focus_on_text(session: Session, inbound: Inbound, phone_hash: str, now: datetime) -> Focus | None:
    """Load and lock the focus of the phone that sent `inbound`, with how busy it has been; None for a new number."""
    since = now - BURST
    mine = and_(
        Inbound.clinic_id == ContactPoint.clinic_id,
        Inbound.contact_point_id == ContactPoint.id,
        Inbound.received_at > since,
        Inbound.id != inbound.id,
    )
    busy = select(func.count()).where(mine).scalar_subquery()
    same = select(func.count()).where(mine, Inbound.body == inbound.body).scalar_subquery()
    chosen = and_(Sender.clinic_id == ContactPoint.clinic_id, Sender.id == inbound.sender_id)
    statement = (
        _query(chosen)
        .where(ContactPoint.clinic_id == inbound.clinic_id, ContactPoint.phone_hash == phone_hash)
        .add_columns(busy, same)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    *known, recent, identical = row
    focus = _focus(known)
    focus.recent_texts, focus.identical_texts = recent, identical
    return focus


def contact_point(
    session: Session, clinic_id: int, phone: str, phone_hash: str, *, script: str, start: str, now: datetime
) -> int:
    """The id of this phone's contact point, made with its conversation if it is new; safe against a twin at once."""
    session.execute(
        insert(ContactPoint)
        .values(clinic_id=clinic_id, phone=phone, phone_hash=phone_hash, created_at=now)
        .on_conflict_do_nothing(index_elements=["clinic_id", "phone_hash"])
    )
    found = session.execute(
        select(ContactPoint.id).where(ContactPoint.clinic_id == clinic_id, ContactPoint.phone_hash == phone_hash)
    ).scalar_one()
    session.execute(
        insert(Conversation)
        .values(
            clinic_id=clinic_id,
            contact_point_id=found,
            script=script,
            state=start,
            attempts=0,
            reasked=False,
            options=[],
            pending="",
            care_pause=False,
        )
        .on_conflict_do_nothing(index_elements=["clinic_id", "contact_point_id"])
    )
    return found
