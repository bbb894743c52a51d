"""The one gate before every send: who may be texted, when, and why not; each refusal and hold in its order."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.gate import REASONS, Action, Attempt, Priority, Verdict, gate
from flows.limits import LOOK_TAKES, SEEN_LATELY, VAIN_LISTINGS

NEW_YORK = ZoneInfo("America/New_York")
SENDABLE = Attempt(Priority.REMINDER, automated=True, zone=NEW_YORK)


def _at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=NEW_YORK).astimezone(UTC)


NOON = _at("2027-03-17 12:00")
BARRED = replace(
    SENDABLE, readable=False, frozen=True, opted_out=True, sender_live=False, paused=True, consented=False, booked=False,
    current_plan=False, care_pause=True, too_open=True, last_inbound_at=NOON, texted_at=(NOON,) * 5,
)  # fmt: skip
RULES = [
    ("unreadable", {"readable": False}),
    ("frozen", {"frozen": True}),
    ("opted_out", {"opted_out": True}),
    ("sender_off", {"sender_live": False}),
    ("no_consent", {"consented": False}),
    ("not_booked", {"booked": False}),
    ("moved", {"current_plan": False}),
    ("care", {"care_pause": True}),
    ("too_open", {"too_open": True}),
]
REFUSE_REPLIES = {"unreadable", "frozen", "opted_out", "sender_off", "too_open", "moved"}


def test_an_open_way_is_sent_at_once() -> None:
    assert gate(SENDABLE, NOON) == Verdict(Action.SEND, validity_seconds=36_000)


@pytest.mark.parametrize(("reason", "broken"), RULES)
def test_each_broken_rule_refuses_an_automated_text_with_its_reason(reason: str, broken: dict[str, bool]) -> None:
    verdict = gate(replace(SENDABLE, **broken), NOON)  # type: ignore[arg-type]
    assert (verdict.action, verdict.reason) == (Action.REFUSE, reason)
    assert reason in REASONS


def test_the_first_broken_rule_in_order_is_the_reason() -> None:
    attempt = replace(BARRED, valid_until=NOON)
    told = [gate(attempt, NOON).reason]
    attempt = replace(attempt, valid_until=None)
    for reason, broken in RULES:
        assert gate(attempt, NOON).reason == reason
        attempt = replace(attempt, **{name: not value for name, value in broken.items()})  # type: ignore[arg-type]
        told.append(reason)
    assert told == ["worthless", *(reason for reason, _ in RULES)]
    assert gate(attempt, NOON).reason == "paused"
    assert gate(replace(attempt, paused=False), NOON).reason == "hush"
    assert gate(replace(attempt, paused=False, last_inbound_at=None), NOON).reason == "daily_cap"


@pytest.mark.parametrize("priority", [Priority.SAFETY, Priority.KEYWORD])
def test_safety_and_keyword_answers_pass_everything(priority: Priority) -> None:
    assert gate(replace(BARRED, priority=priority), _at("2027-03-17 03:00")).action is Action.SEND


@pytest.mark.parametrize(("reason", "broken"), RULES)
def test_a_reply_is_bound_by_the_number_and_the_visit_it_was_worded_for_but_not_by_the_plan(
    reason: str, broken: dict[str, bool]
) -> None:
    reply = Attempt(Priority.REPLY, zone=NEW_YORK, last_inbound_at=NOON, texted_at=(NOON,) * 9, **broken)  # type: ignore[arg-type]
    action = gate(reply, _at("2027-03-17 23:30")).action
    assert action is (Action.REFUSE if reason in REFUSE_REPLIES else Action.SEND)


def test_a_pause_holds_automated_texts_and_replies_until_a_person_lifts_it() -> None:
    for attempt in (SENDABLE, Attempt(Priority.REPLY)):
        paused = replace(attempt, paused=True, valid_until=NOON + timedelta(hours=1))
        assert gate(paused, NOON) == Verdict(Action.HOLD, "paused", None)


def test_during_care_only_logistics_go_out() -> None:
    assert gate(replace(SENDABLE, care_pause=True, logistics=True), NOON).action is Action.SEND


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2027-03-17 03:00", "2027-03-17 09:00"),
        ("2027-03-17 08:59", "2027-03-17 09:00"),
        ("2027-03-17 20:00", "2027-03-18 09:00"),
        ("2027-03-17 23:59", "2027-03-18 09:00"),
        ("2027-03-13 21:00", "2027-03-14 09:00"),
        ("2026-10-31 21:00", "2026-11-01 09:00"),
    ],
)
def test_outside_the_window_it_waits_for_the_next_opening_on_the_patients_clock(now: str, until: str) -> None:
    assert gate(SENDABLE, _at(now)) == Verdict(Action.HOLD, "window", _at(until))


@pytest.mark.parametrize("now", ["2027-03-17 09:00", "2027-03-17 19:59", "2027-03-14 09:00", "2026-11-01 09:00"])
def test_inside_the_window_it_goes(now: str) -> None:
    assert gate(SENDABLE, _at(now)).action is Action.SEND


def test_the_window_is_the_patients_own() -> None:
    assert gate(replace(SENDABLE, zone=ZoneInfo("America/Los_Angeles")), _at("2027-03-17 11:00")).reason == "window"
    assert gate(replace(SENDABLE, window=(time(7), time(22))), _at("2027-03-17 07:30")).action is Action.SEND


def test_nobody_is_interrupted_in_the_middle_of_a_conversation() -> None:
    talking = replace(SENDABLE, last_inbound_at=NOON - timedelta(minutes=5))
    assert gate(talking, NOON) == Verdict(Action.HOLD, "hush", NOON + timedelta(minutes=10))
    assert gate(talking, NOON + timedelta(minutes=10)).action is Action.SEND


def test_the_hush_gives_way_when_waiting_would_leave_no_time() -> None:
    quiet = NOON + timedelta(minutes=15)
    talking = replace(SENDABLE, last_inbound_at=NOON)
    assert gate(replace(talking, valid_until=quiet + timedelta(minutes=60)), NOON).action is Action.SEND
    assert gate(replace(talking, valid_until=quiet + timedelta(minutes=61)), NOON).reason == "hush"


@pytest.mark.parametrize(
    ("sent", "now", "until"),
    [
        ("2027-03-17 09:00", "2027-03-17 19:00", "2027-03-18 09:00"),
        ("2027-03-17 00:30", "2027-03-17 12:00", "2027-03-18 09:00"),
        ("2027-03-14 00:30", "2027-03-14 19:30", "2027-03-15 09:00"),
        ("2027-03-13 10:00", "2027-03-13 19:30", "2027-03-14 09:00"),
        ("2026-11-01 00:30", "2026-11-01 19:30", "2026-11-02 09:00"),
        ("2026-10-31 10:00", "2026-10-31 19:30", "2026-11-01 09:00"),
    ],
)
def test_one_automated_text_a_local_day_also_when_the_clock_changes(sent: str, now: str, until: str) -> None:
    assert gate(replace(SENDABLE, texted_at=(_at(sent),)), _at(now)) == Verdict(Action.HOLD, "daily_cap", _at(until))


@pytest.mark.parametrize(
    ("sent", "now"),
    [("2027-03-16 19:59", "2027-03-17 09:00"), ("2027-03-13 23:30", "2027-03-14 09:00"),
     ("2026-10-31 23:30", "2026-11-01 09:00")],
)  # fmt: skip
def test_a_text_of_yesterday_evening_does_not_count_for_today(sent: str, now: str) -> None:
    assert gate(replace(SENDABLE, texted_at=(_at(sent),)), _at(now)).action is Action.SEND


def test_three_automated_texts_a_week_and_then_the_seventh_morning_after_the_first() -> None:
    week = tuple(_at(f"2027-03-{day} 10:00") for day in (11, 13, 16))
    full = replace(SENDABLE, texted_at=week)
    assert gate(full, NOON) == Verdict(Action.HOLD, "weekly_cap", _at("2027-03-18 09:00"))
    assert gate(full, _at("2027-03-18 09:00")).action is Action.SEND
    assert gate(replace(SENDABLE, texted_at=week[:2]), NOON).action is Action.SEND
    assert gate(replace(full, exempt=True, texted_at=(*week, NOON)), NOON).action is Action.SEND


@pytest.mark.parametrize("left", [timedelta(0), timedelta(hours=-5), timedelta(minutes=-1)])
def test_a_text_held_until_it_is_worthless_is_refused_with_the_reason_for_the_hold(left: timedelta) -> None:
    opens = _at("2027-03-18 09:00")
    attempt = replace(SENDABLE, valid_until=opens + left)
    assert gate(attempt, _at("2027-03-17 21:00")) == Verdict(Action.REFUSE, "window")
    later = replace(SENDABLE, valid_until=opens + timedelta(seconds=1))
    assert gate(later, _at("2027-03-17 21:00")) == Verdict(Action.HOLD, "window", opens)


@pytest.mark.parametrize(
    ("left", "verdict"),
    [
        (-1, Verdict(Action.REFUSE, "worthless")),
        (0, Verdict(Action.REFUSE, "worthless")),
        (59, Verdict(Action.REFUSE, "closing")),
        (60, Verdict(Action.SEND, validity_seconds=60)),
        (35_999, Verdict(Action.SEND, validity_seconds=35_999)),
        (90_000, Verdict(Action.SEND, validity_seconds=36_000)),
    ],
)
def test_the_carrier_may_try_only_as_long_as_the_text_is_of_use(left: int, verdict: Verdict) -> None:
    assert gate(replace(SENDABLE, valid_until=NOON + timedelta(seconds=left)), NOON) == verdict


AWAY = replace(SENDABLE, seen_until=NOON - SEEN_LATELY - timedelta(seconds=1))


def test_a_planned_text_waits_for_a_look_at_what_he_texted_while_we_were_away() -> None:
    assert gate(AWAY, NOON) == Verdict(Action.HOLD, "unseen", NOON + LOOK_TAKES)
    assert gate(replace(AWAY, seen_until=NOON - SEEN_LATELY), NOON).action is Action.SEND
    assert gate(replace(AWAY, automated=False, priority=Priority.REPLY), NOON).action is Action.SEND


def test_a_carrier_that_cannot_list_texts_does_not_stop_planned_ones_for_ever() -> None:
    assert gate(replace(AWAY, vain_listings=VAIN_LISTINGS - 1), NOON).reason == "unseen"
    assert gate(replace(AWAY, vain_listings=VAIN_LISTINGS), NOON).action is Action.SEND


def test_every_reason_has_words_for_staff() -> None:
    used = {reason for reason, _ in RULES} | {"worthless", "closing", "paused", "window", "unseen", "hush"}
    assert set(REASONS) == used | {"daily_cap", "weekly_cap", "died"}
    assert all(REASONS.values())


ZONES = st.sampled_from(["America/New_York", "America/Los_Angeles", "Pacific/Honolulu", "Asia/Tokyo", "Europe/London"])
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=160)).map(lambda after: datetime(2026, 10, 25, tzinfo=UTC) + after)
ATTEMPTS = st.builds(
    Attempt,
    priority=st.sampled_from([Priority.DAY_OF, Priority.REMINDER, Priority.BULK]),
    automated=st.just(True),
    valid_until=st.none() | MOMENTS,
    **{name: st.sampled_from([good] * 5 + [not good]) for name, good in (
        ("booked", True), ("current_plan", True), ("consented", True), ("opted_out", False), ("frozen", False),
        ("sender_live", True), ("paused", False), ("care_pause", False), ("logistics", False), ("exempt", False))},
    zone=ZONES.map(ZoneInfo),
    last_inbound_at=st.none() | MOMENTS,
    texted_at=st.lists(MOMENTS, max_size=3).map(tuple),
)  # fmt: skip


@given(ATTEMPTS, MOMENTS)
@settings(max_examples=500, deadline=None)
def test_no_verdict_ever_breaks_a_promise(attempt: Attempt, now: datetime) -> None:
    verdict = gate(attempt, now)
    local = now.astimezone(attempt.zone)
    if verdict.action is Action.SEND:
        assert attempt.window[0] <= local.time() < attempt.window[1]
        assert attempt.consented
        assert attempt.booked
        assert attempt.current_plan
        assert attempt.sender_live
        assert not any((attempt.opted_out, attempt.frozen, attempt.paused))
        assert attempt.logistics or not attempt.care_pause
        assert 60 <= verdict.validity_seconds <= 36_000
        if attempt.valid_until:
            assert now + timedelta(seconds=verdict.validity_seconds) <= attempt.valid_until
        if not attempt.exempt:
            assert local.date() not in {at.astimezone(attempt.zone).date() for at in attempt.texted_at}
    else:
        assert verdict.reason in REASONS
    if verdict.action is Action.HOLD and verdict.reason != "paused":
        assert verdict.until is not None
        assert verdict.until > now
        assert attempt.valid_until is None or verdict.until < attempt.valid_until
