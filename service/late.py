"""Whether a text reached us too late to be answered: it is old, or the talk has moved on without it (DESIGN 8)."""

from datetime import datetime

from sqlalchemy import text

from flows.limits import LATE_TEXT
from service.effects import Turn

_OVERTAKEN = text("""
    select exists (select from inbound i where i.clinic_id = :clinic and i.contact_point_id = :contact
                   and i.id <> :inbound and i.received_at > :at)
        or exists (select from outbound o where o.clinic_id = :clinic and o.contact_point_id = :contact
                   and o.automated and o.status <> 'refused' and o.created_at > :at)
""")


def why_late(turn: Turn, sent_at: datetime | None) -> str:
    """Why the text of this turn must not be answered as if it came in time, in words for staff; "" where it may be.

    A "1" that was overtaken by a newer text of his or by a planned one of ours may be the answer to another question.
    """
    if sent_at is None:
        return ""
    age = turn.now - sent_at
    if age > LATE_TEXT:
        return f"it reached us {_spoken(int(age.total_seconds()) // 60)} after he sent it"
    values = {"clinic": turn.focus.clinic_id, "contact": turn.focus.contact.id, "inbound": turn.inbound_id}
    overtaken = turn.session.connection().execute(_OVERTAKEN, {**values, "at": sent_at}).scalar_one()
    return "it reached us after newer texts" if overtaken else ""


def _spoken(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"
