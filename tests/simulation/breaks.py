"""The service broken on purpose, by name: what the rules must find (`make simulate BREAK=plan_version`).

A break replaces one thing inside the service; what it replaces it with is the fault that a careless change would bring.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from flows import gate as the_gate
from flows import journey, limits
from flows.journey import Planned
from flows.model import Conversation
from service import conversation, delivery, failures, planning, receipts, reminders, settlement
from service.errors import Unknown
from service.store.journeys import Reminder
from service.twiml import EMPTY

Patch = pytest.MonkeyPatch
Break = Callable[[Patch], None]


def blind(**facts: Any) -> Break:
    """A gate that believes these facts whatever is so."""

    def patch(monkeypatch: Patch) -> None:
        refusal, hold = the_gate._refusal, the_gate._hold
        monkeypatch.setattr(the_gate, "_refusal", lambda attempt, now: refusal(replace(attempt, **facts), now))
        monkeypatch.setattr(the_gate, "_hold", lambda attempt, now: hold(replace(attempt, **facts), now))

    return patch


def talk_openly(monkeypatch: Patch) -> None:
    blind(too_open=False)(monkeypatch)
    monkeypatch.setattr(Conversation, "form", property(lambda _: "detailed"))


def never_void(monkeypatch: Patch) -> None:
    blind(current_plan=True, booked=True, died=False)(monkeypatch)
    monkeypatch.setattr(planning, "void", lambda *_: [])


def outbox_survives(monkeypatch: Patch) -> None:
    """A move voids the plan and leaves what is worded already."""
    blind(current_plan=True)(monkeypatch)

    def void(session: Session, clinic_id: int, scan_id: int, reason: str, now: datetime, *_: Any) -> list[Planned]:
        planned = update(Reminder).where(Reminder.scan_id == scan_id, Reminder.status == "planned")
        session.execute(planned.values(status="void", reason=reason, changed_at=now))
        return []

    monkeypatch.setattr(planning, "void", void)


def blind_resend(monkeypatch: Patch) -> None:
    def record(session: Any, row: Any, error: Exception, now: datetime) -> None:
        assert isinstance(error, Unknown)
        row.status, row.due_at = "queued", now

    monkeypatch.setattr(delivery, "_record_failure", record)
    monkeypatch.setattr(receipts, "raise_status", lambda *_: False)


def no_caps(monkeypatch: Patch) -> None:
    monkeypatch.setattr(limits, "DAILY_CAP", 99)
    monkeypatch.setattr(limits, "WEEKLY_CAP", 99)


def always_open(monkeypatch: Patch) -> None:
    for module in (the_gate, journey):
        monkeypatch.setattr(module, "next_open", lambda at, *_: at)


def nothing_checked(monkeypatch: Patch) -> None:
    for name in ("preparation_check", "results_check"):
        check = lambda turn, reminder: reminders._settle(reminder, "said", "", turn.now)  # noqa: E731
        monkeypatch.setitem(reminders.CHECKS, name, check)
    monkeypatch.setattr(failures, "tell_someone", lambda *_, **__: None)


BREAKS: dict[str, Break] = {
    "stop": blind(opted_out=False),
    "wrong_number": blind(frozen=False),
    "consent": blind(consented=True),
    "plan_version": blind(current_plan=True),
    "outbox": outbox_survives,
    "no_void": never_void,
    "receipts": lambda patch: patch.setattr(receipts, "rises", lambda old, new: True),
    "blind_resend": blind_resend,
    "pause": blind(paused=False),
    "window": always_open,
    "hush": lambda patch: patch.setattr(limits, "HUSH", timedelta(0)),
    "caps": no_caps,
    "checks": nothing_checked,
    "discreet": talk_openly,
    "settlement": lambda patch: patch.setattr(settlement, "_open", lambda *_: []),
    "safety": lambda patch: patch.setattr(conversation, "_answer", lambda *_, **__: EMPTY),
}
