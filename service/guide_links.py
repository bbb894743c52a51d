"""Links to the guide as a page: random, kept as a digest, good until some weeks after the visit or until he opts out."""

import secrets
from datetime import datetime

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from flows.model import Standing
from service import keys
from service.store.database import Database
from service.store.facts import Focus
from service.store.focus import focus_on_scan
from service.store.journeys import GuideLink

_WHOSE = text("select clinic_id from guide_links where digest = :digest")


def mint(session: Session, focus: Focus, public_url: str, now: datetime) -> str:
    """A new link for the phone and scan in focus: 128 random bits, of which only a digest is stored."""
    assert focus.scan is not None, "only a patient with a visit asks for his guide"
    token = secrets.token_urlsafe(16)
    session.execute(
        insert(GuideLink).values(
            clinic_id=focus.clinic_id,
            digest=keys.digest(token),
            contact_point_id=focus.contact.id,
            scan_id=focus.scan.id,
            created_at=now,
        )
    )
    return f"{public_url.rstrip('/')}/g/{token}"


def follow(database: Database, token: str, now: datetime) -> Focus | None:
    """The phone and scan behind a link, or None where it leads nowhere: unknown or dead looks the same to the caller.

    Dead is what he may no longer be told: he opted out, it is not his number, he took back that we may name the scan, the
    scan is off or long past, its texts now go to another phone, or he has died.
    """
    digest = keys.digest(token)
    with database.cross() as connection:
        clinic_id = connection.execute(_WHOSE, {"digest": digest}).scalar()
    if clinic_id is None:
        return None
    with database.clinic(clinic_id) as session:
        link = session.execute(
            select(GuideLink.contact_point_id, GuideLink.scan_id).where(GuideLink.digest == digest)
        ).one()
        focus = focus_on_scan(session, clinic_id, link.scan_id)
    stopped = focus.patient is None or focus.patient.stopped
    if focus.contact.id != link.contact_point_id or stopped or not focus.detail:
        return None
    return focus if focus.standing(now) is Standing.PATIENT else None
