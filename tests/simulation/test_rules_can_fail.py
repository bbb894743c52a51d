"""Each rule fails when the service is broken on purpose: a check that cannot fail proves nothing."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from service.settings import Settings
from tests.simulation.bench import Bench, bench
from tests.simulation.breaks import BREAKS
from tests.simulation.story import DAY, HOUR, MINUTE, Clinic, Journey, Step, Story
from tests.simulation.world import play

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


def two_visits() -> Story:
    """The same man has a second visit four days after the first: a week before it he is to prepare for the other."""
    one = story()
    (man,) = one.journeys
    second = Step(DAY, 1, "book", {"arrival": VISIT + 4 * DAY, "length": HOUR, "site": 0})
    return replace(one, journeys=(man, replace(man, name=1)), steps=(*one.steps, second))


# The rule that must break, the break, and the story in which it does.
FOUND: list[tuple[str, str, Story]] = [
    ("stop", "stop", story((HOUR, "text", {"body": "STOP"}))),
    ("wrong number", "wrong_number", story((HOUR, "text", {"body": "wrong number"}))),
    ("died", "no_void", story((HOUR, "text", {"body": "my husband died last week"}),
                              (2 * HOUR, "book", {"arrival": VISIT + DAY}))),
    ("twice", "no_void", story((DAY, "book", {"arrival": VISIT + 3 * DAY}))),
    ("moved", "plan_version", story((8 * DAY, "fault", {"fault": "429", "times": 1, "then": "move"}))),
    ("moved", "outbox", story((8 * DAY, "fault", {"fault": "429", "times": 8}),
                              (9 * DAY - HOUR + MINUTE, "book", {"arrival": VISIT + 3 * DAY}))),
    ("moved", "no_void", story((DAY, "end", {"state": "cancelled"}))),
    ("status", "receipts", story((0, "fault", {"fault": "reordered_receipts"}))),
    ("twice", "blind_resend", story((0, "fault", {"fault": "timeout_after"}))),
    ("pause", "pause", story((DAY, "pause_patient", {"seconds": 5 * DAY}))),
    ("window", "window", story((0, "book", {"arrival": VISIT, "zone": "Pacific/Honolulu"}))),
    ("daily cap", "caps", two_visits()),
    ("hush", "hush", story((3 * DAY - 5 * MINUTE, "text", {"body": "does it hurt"}))),
    ("failed without a task", "checks",
     story((7 * DAY - 8 * HOUR, "fault", {"fault": "undelivered", "code": 30003, "wait": 0}))),
    ("consent", "consent", story(habits={})),
    ("unprepared", "checks", story(habits={})),
    ("discreet", "discreet", story(habits={"invite": [[20, "1"]], "detail_ask": [[20, "2"]]})),
    ("open for ever", "settlement", story((0, "fault", {"fault": "timeout_before"}))),
    ("safety", "safety", story((HOUR, "text", {"body": "I want to die"}))),
]  # fmt: skip


@pytest.mark.xdist_group("simulation")
@pytest.mark.parametrize(("rule", "broken", "told"), FOUND, ids=[f"{n}-{b[1]}" for n, b in enumerate(FOUND)])
def test_a_service_broken_on_purpose_breaks_the_rule(
    own_bench: Bench, monkeypatch: pytest.MonkeyPatch, rule: str, broken: str, told: Story
) -> None:
    BREAKS[broken](monkeypatch)
    violation = play(own_bench, told).violation
    assert violation is not None
    assert violation.rule == rule, str(violation)
