"""The operators' switches for the whole installation, each change with who and when."""

import json
from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

_SET = text("""
    insert into switches (name, value, changed_at, changed_by) values (:name, :value, :now, :by)
    on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at,
                                     changed_by = excluded.changed_by
""")
_PAUSED = text("select changed_at from switches where name = 'pause' and value = 'on'")
_NOTE = text(
    "insert into operator_audit (at, actor, action, detail) values (:at, :actor, :action, cast(:detail as jsonb))"
)


def paused_since(asking: Connection | Session) -> datetime | None:
    """Since when operators hold all sending; None while it runs."""
    found: datetime | None = asking.execute(_PAUSED).scalar()
    return found


def set_switch(connection: Connection, name: str, value: str, *, by: str, now: datetime) -> None:
    """Set a switch and write down who did."""
    connection.execute(_SET, {"name": name, "value": value, "now": now, "by": by})


def note(connection: Connection, actor: str, action: str, now: datetime, **detail: object) -> None:
    """A line in the operators' audit trail."""
    connection.execute(_NOTE, {"at": now, "actor": actor, "action": action, "detail": json.dumps(detail, default=str)})
