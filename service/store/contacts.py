"""A phone number at one clinic, met for the first time: its contact point and its conversation."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

_NEW_CONTACT = text("""
    insert into contact_points (clinic_id, phone, phone_hash, created_at) values (:clinic, :phone, :hash, :now)
    on conflict (clinic_id, phone_hash) do nothing
""")
_FIND_CONTACT = text("select id from contact_points where clinic_id = :clinic and phone_hash = :hash")
_NEW_CONVERSATION = text("""
    insert into conversations (clinic_id, contact_point_id, script, state, attempts, reasked, options, pending, care_pause,
                               more, back, language_offered)
    values (:clinic, :contact, :script, :start, 0, false, '[]', '', false, '', '', false)
    on conflict (clinic_id, contact_point_id) do nothing
""")


def contact_point(
    session: Session, clinic_id: int, phone: str, phone_hash: str, *, script: str, start: str, now: datetime
) -> int:
    """The id of this phone's contact point, made with its conversation if it is new; safe against a twin at once."""
    connection = session.connection()
    values = {"clinic": clinic_id, "phone": phone, "hash": phone_hash, "now": now, "script": script, "start": start}
    connection.execute(_NEW_CONTACT, values)
    found = int(connection.execute(_FIND_CONTACT, values).scalar_one())
    connection.execute(_NEW_CONVERSATION, {**values, "contact": found})
    return found
