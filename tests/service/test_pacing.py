"""A number's pace, kept on its row: answers just given hold up what is planned, answers of long ago do not."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from flows.gate import Priority
from service import booking, care
from service.delivery import send_due
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.recovery import recover
from service.reminders import fire_due
from service.store.queue import sender_pace
from service.store.work import next_look
from simulator.carrier import Number
from tests.house import THURSDAY_915, House
from tests.service.signed import outbound

ABOUT = datetime(2027, 3, 11, 15, tzinfo=UTC)  # 10:00 in New York
OTHER = "+12125550188"
MINUTE = timedelta(minutes=1)


def waits_until(house: House) -> datetime | None:
    """Until when the clinic's number is busy, by what was last worked out."""
    send_due(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    (row,) = house.rows("select paced_until from senders where id = :id", id=house.clinic.sender_id)
    until: datetime = row["paced_until"]
    return until if until > house.clock.at else None


def others_wait(house: House, texts: int, priority: Priority) -> None:
    """So many long texts to other people, due for a minute already."""
    house.rows(
        "insert into outbound (clinic_id, ref, sender_id, phone, key, language, form, script, body, body_hash, segments,"
        " priority, automated, logistics, exempt, due_at, status, reason, attempts, listings, created_at, changed_at)"
        " select :clinic, 'other-' || n, :sender, :phone, 'other', 'en', 'general', 's', 'Another', 'x', 4, :priority,"
        " false, false, false, :due, 'queued', '', 0, 0, :due, :due from generate_series(1, :texts) n",
        clinic=house.clinic.clinic_id, sender=house.clinic.sender_id, phone=OTHER, priority=int(priority),
        due=house.clock.at - MINUTE, texts=texts,
    )  # fmt: skip


def busy_for(house: House, span: timedelta) -> None:
    """The clinic's number has as much in hand as it can carry in `span`."""
    now = house.clock.at
    house.rows("update senders set paced_until = :until, paced_at = :now", until=now + span, now=now)


def test_answers_of_days_ago_do_not_make_a_reminder_late(house: House) -> None:
    house.opt_in()
    house.clock.at += timedelta(minutes=1)
    for question in ("Does it hurt?", "MENU", "Can I drive?"):
        house.text(question)
    house.clock.at = ABOUT
    house.turn()
    assert "About your PSMA PET scan" in house.bodies()[-1]


def test_answers_just_given_are_carried_before_what_is_planned(house: House) -> None:
    house.opt_in()
    house.clock.at = ABOUT
    for question in ("Who is this?", "HELP", "What?"):  # another person, answered through the same number
        house.text(question, OTHER)
    answered = sum(row["segments"] for row in house.rows("select segments from outbound where phone = :p", p=OTHER))
    assert answered > 1
    until = waits_until(house)
    assert until == ABOUT + timedelta(seconds=answered - 1)
    house.turn()
    assert "About your PSMA PET scan" not in house.bodies()[-1]
    house.clock.at = until
    house.turn()
    assert "About your PSMA PET scan" in house.bodies()[-1]


def test_what_becomes_too_late_behind_a_busy_number_is_refused_on_time_and_a_person_told(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T13:15", starts_at="2027-03-18T14:15")
    arrival = THURSDAY_915 + timedelta(hours=4)
    house.until(arrival - timedelta(hours=3, minutes=1))
    busy_for(house, timedelta(hours=8))
    house.until(arrival - 2 * MINUTE)
    (row,) = outbound(house, "key like 'today%'")
    assert (row["status"], house.tasks()) == ("queued", {})
    with house.parts.database.cross() as connection:
        assert next_look(connection, house.clock.at) == arrival - MINUTE
    house.until(arrival)
    (row,) = outbound(house, "key like 'today%'")
    assert (row["status"], list(house.tasks())) == ("refused", ["phone_preparation"])


def test_a_cancellation_overtakes_the_mornings_reminders_of_others(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - 10 * MINUTE)
    others_wait(house, 170, Priority.DAY_OF)
    house.until(house.clock.at + timedelta(seconds=10))
    booking.end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    house.until(house.clock.at + timedelta(seconds=10))
    (row,) = outbound(house, "key like 'cancelled%'")
    assert row["status"] == "delivered"
    assert len(outbound(house, "key = 'other' and status = 'queued'")) > 100


def test_an_import_of_invitations_does_not_overtake_the_texts_of_the_day_before(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=1, minutes=-44))  # "tomorrow" is due in a minute
    for n in range(30):
        house.book(f"I-{n}", patient_id=f"I-{n}", phone=f"+1212555{2000 + n}", arrival_at="2027-04-18T09:15",
                   starts_at="2027-04-18T10:15")  # fmt: skip
    busy_for(house, MINUTE)
    house.until(house.clock.at + timedelta(seconds=64))
    (row,) = outbound(house, "key like 'tomorrow%'")
    assert row["status"] == "delivered"
    assert outbound(house, "key = 'invite' and status = 'queued'") != []


@pytest.mark.parametrize(("days", "rank"), [(1, Priority.DAY_OF), (30, Priority.BULK)])
def test_an_invitation_is_pressing_only_where_the_visit_is_near(house: House, days: int, rank: Priority) -> None:
    arrival = house.clock.at + timedelta(days=days)
    house.book(arrival_at=arrival.isoformat(), starts_at=(arrival + timedelta(hours=1)).isoformat())
    house.turn()
    (row,) = outbound(house, "key like 'invite%'")
    assert row["priority"] == rank


def test_an_answer_does_not_wait_for_a_claim_of_the_same_number(house: House) -> None:
    house.opt_in()
    house.text("can I drive?")  # the router is loaded by now
    claimed, answered = threading.Event(), threading.Event()

    def claim() -> None:
        with house.parts.database.clinic(house.clinic.clinic_id) as session:
            sender_pace(session, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
            claimed.set()
            answered.wait(10)

    claiming = threading.Thread(target=claim)
    claiming.start()
    assert claimed.wait(10)
    asking = threading.Thread(target=house.text, args=("does it hurt?",))
    asking.start()
    asking.join(5)
    waited = asking.is_alive()
    answered.set()
    claiming.join(10)
    asking.join(10)
    assert not waited


def test_a_clock_that_was_wrong_once_does_not_silence_a_number(house: House) -> None:
    house.opt_in()
    house.rows("update senders set paced_until = :later, paced_at = :later", later=ABOUT + timedelta(days=2))
    house.clock.at = ABOUT
    house.turn()
    assert "About your PSMA PET scan" in house.bodies()[-1]


def test_an_answer_through_the_outbox_is_charged_once(house: House) -> None:
    house.opt_in()
    house.clock.at += 20 * MINUTE
    assert waits_until(house) is None
    house.carrier.set_number(Number(CLINIC_NUMBER, "", keyword_handling="ours"))  # our webhook is away
    house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, "does it hurt?")
    house.clock.at += 5 * MINUTE
    house.turn()
    answer = outbound(house)[-1]
    until = waits_until(house)
    assert until is not None
    assert until - house.clock.at <= timedelta(seconds=answer["segments"])


def test_the_caps_count_when_a_text_left_not_when_it_was_worded(house: House) -> None:
    house.opt_in()
    house.book("S-2", arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15")
    house.carrier.faults.rate("429", 1)
    house.clock.at = ABOUT
    house.until(ABOUT + timedelta(hours=23))
    house.carrier.faults.clear()
    seen = len(house.bodies())
    house.until(ABOUT + timedelta(hours=24, minutes=10))
    assert len(house.bodies()) == seen + 1


def test_of_two_texts_that_a_hold_kept_from_different_days_one_leaves_a_day(house: House) -> None:
    house.opt_in()
    house.book("S-2", arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15")
    house.rows("update senders set segments_per_second = 50")  # both in one batch
    clinic_id, sender_id = house.clinic.clinic_id, house.clinic.sender_id
    house.clock.at = ABOUT
    recover(house.parts, clinic_id, sender_id, house.clock.at, anyway=True)
    fire_due(house.parts, clinic_id, house.clock.at)
    care.pause_clinic(house.parts, clinic_id, True, actor="staff:7", now=house.clock.at)
    house.clock.at = ABOUT + timedelta(days=1)
    seen = len(house.bodies())
    house.turn()
    assert len(house.bodies()) == seen
    care.pause_clinic(house.parts, clinic_id, False, actor="staff:7", now=house.clock.at)
    house.until(house.clock.at + timedelta(minutes=10))
    assert sorted(row["status"] for row in outbound(house, "key like 'about%'")) == ["delivered", "queued"]
    house.until(ABOUT + timedelta(days=2))
    assert len(house.bodies()) == seen + 2
    left = house.rows("select tried_at from outbound where key like 'about%' order by tried_at")
    assert [row["tried_at"].date().day for row in left] == [12, 13]
