"""The two ledgers: what was done, and what was agreed to. Both are appended and never changed (the app may not)."""

from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from service.store.people import Audit, Consent

_AUDIT, _CONSENT = insert(Audit), insert(Consent)


def record(
    session: Session,
    clinic_id: int,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    subject_id: int,
    **detail: object,
) -> None:
    """Append one line: `actor` did `action` to `subject`. Only ids and our own words go into `detail`."""
    session.connection().execute(
        _AUDIT,
        {
            "clinic_id": clinic_id,
            "at": at,
            "actor": actor,
            "action": action,
            "subject": subject,
            "subject_id": subject_id,
            "detail": detail,
        },
    )


def consent(
    session: Session,
    clinic_id: int,
    *,
    contact_point_id: int,
    patient_id: int | None,
    kind: str,
    given: bool,
    obtained_by: str,
    how: str,
    at: datetime,
    text_hash: str | None = None,
) -> None:
    """Append one line of consent: permission, texts, detail, opt_out or opt_in, with its evidence."""
    session.connection().execute(
        _CONSENT,
        {
            "clinic_id": clinic_id,
            "contact_point_id": contact_point_id,
            "patient_id": patient_id,
            "kind": kind,
            "given": given,
            "obtained_by": obtained_by,
            "how": how,
            "at": at,
            "text_hash": text_hash,
        },
    )
