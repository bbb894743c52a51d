"""Each rule fails when the service is broken on purpose: a check that cannot fail proves nothing."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from flows import gate as the_gate
from flows import journey, limits
from flows.model import Conversation
from service import conversation, delivery, failures, planning, receipts, reminders, settlement
from service.errors import Unknown
from service.settings import Settings
from service.store.journeys import Reminder
from tests.simulation.bench import Bench, bench
from tests.simulation.story import DAY, HOUR, MINUTE, Clinic, Journey, Step, Story
from tests.simulation.world import play

Patch = pytest.MonkeyPatch
HABITS: dict[str, list[list[Any]]] = {"invite": [[20, "1"]], "detail_ask": [[20, "1"]]}
VISIT = 10 * DAY


@pytest.fixture(scope="module")
def own_bench(servers: Settings) -> Iterator[Bench]:
    """A database of these tests' own."""
    with bench(servers, f"simulation_rules_{os.getpid()}") as opened:
        yield opened


def story(*more: tuple[int, str, dict[str, Any]], habits: dict[str, list[list[Any]]] = HABITS) -> Story:
    """One man, booked in good time, who agrees; and what else happens to him."""
    man = Journey(0, 0, "P-0", "+12125551000", None, "en", "Pylarify", "recurrence", True, habits)
    steps = [
        Step(0, 0, "book", {"arrival": VISIT, "length": HOUR, "site": 0}),
        *(Step(at, 0, what, how) for at, what, how in more),
    ]
    start = datetime(2027, 3, 8, 15, tzinfo=UTC)
    clinic = Clinic("America/New_York", "ours", late_window=False)
    return Story(0, start, (clinic,), (man,), tuple(sorted(steps, key=lambda step: step.at)))


def blind(**facts: Any) -> Callable[[Patch], None]:
    """A gate that believes these facts whatever is so."""

    def patch(monkeypatch: Patch) -> None:
        refusal = the_gate._refusal
        monkeypatch.setattr(the_gate, "_refusal", lambda attempt, now: refusal(replace(attempt, **facts), now))

    return patch


def never_void(monkeypatch: Patch) -> None:
    blind(current_plan=True, booked=True, died=False)(monkeypatch)
    monkeypatch.setattr(planning, "void", lambda *_: None)


def outbox_survives(monkeypatch: Patch) -> None:
    """A move voids the plan and leaves what is worded already."""
    blind(current_plan=True)(monkeypatch)

    def void(session: Session, clinic_id: int, scan_id: int, reason: str, now: datetime) -> None:
        planned = update(Reminder).where(Reminder.scan_id == scan_id, Reminder.status == "planned")
        session.execute(planned.values(status="void", reason=reason, changed_at=now))

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


BREAKS: list[tuple[str, Callable[[Patch], None], Story]] = [
    ("stop", blind(opted_out=False), story((HOUR, "text", {"body": "STOP"}))),
    ("wrong number", blind(frozen=False), story((HOUR, "text", {"body": "wrong number"}))),
    ("died", never_void, story((HOUR, "text", {"body": "my husband died last week"}),
                                      (2 * HOUR, "book", {"arrival": VISIT + DAY}))),
    ("twice", never_void, story((DAY, "book", {"arrival": VISIT + 3 * DAY}))),
    ("moved", outbox_survives, story((8 * DAY, "fault", {"fault": "429", "times": 8}),
                                (9 * DAY - HOUR + MINUTE, "book", {"arrival": VISIT + 3 * DAY}))),
    ("moved", never_void, story((DAY, "end", {"state": "cancelled"}))),
    ("status", lambda patch: patch.setattr(receipts, "rises", lambda old, new: True),
     story((0, "fault", {"fault": "reordered_receipts"}))),
    ("twice", blind_resend, story((0, "fault", {"fault": "timeout_after"}))),
    ("window", always_open,
     story((0, "book", {"arrival": VISIT, "zone": "Pacific/Honolulu"}))),
    ("hush", lambda patch: patch.setattr(limits, "HUSH", timedelta(0)),
     story((3 * DAY - 5 * MINUTE, "text", {"body": "does it hurt"}))),
    ("failed without a task", nothing_checked,
     story((7 * DAY - 8 * HOUR, "fault", {"fault": "undelivered", "code": 30003, "wait": 0}))),
    ("consent", blind(consented=True), story(habits={})),
    ("unprepared", nothing_checked, story(habits={})),
    ("discreet", lambda patch: patch.setattr(Conversation, "form", property(lambda _: "detailed")),
     story(habits={"invite": [[20, "1"]], "detail_ask": [[20, "2"]]})),
    ("open for ever", lambda patch: patch.setattr(settlement, "_open", lambda *_: []),
     story((0, "fault", {"fault": "timeout_before"}))),
    ("safety", lambda patch: patch.setattr(conversation, "_answer", lambda *_, **__: conversation.EMPTY),
     story((HOUR, "text", {"body": "I want to die"}))),
]  # fmt: skip


@pytest.mark.xdist_group("simulation")
@pytest.mark.parametrize(("rule", "breaks", "told"), BREAKS, ids=[f"{n}-{b[0]}" for n, b in enumerate(BREAKS)])
def test_a_service_broken_on_purpose_breaks_the_rule(
    own_bench: Bench, monkeypatch: Patch, rule: str, breaks: Callable[[Patch], None], told: Story
) -> None:
    breaks(monkeypatch)
    broken = play(own_bench, told)
    assert broken.violation is not None
    assert broken.violation.rule == rule, str(broken.violation)
