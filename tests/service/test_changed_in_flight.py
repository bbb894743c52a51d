"""A visit that changes while a text about it is with the carrier: what he was told last is true, or a person phones."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from service import care, conversation, tasks
from service.booking import end
from service.carrier.port import Carrier, Listed, Message, Received
from service.conversation import Arrived
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.errors import Unknown
from service.reminders import fire_due
from tests.house import THURSDAY_915, House
from tests.service.signed import outbound, receipt
from tests.service.test_told_in_time import send_with
from workers.turns import run_due

MINUTE = timedelta(minutes=1)
OTHER = "+12125550188"
MARCH_25 = {"arrival_at": "2027-03-25T09:00", "starts_at": "2027-03-25T10:00"}
MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00"}
MARCH_15 = datetime(2027, 3, 15, 15, 0, tzinfo=UTC)
THE_DAY_BEFORE = THURSDAY_915 - timedelta(days=1) + 45 * MINUTE  # 10:00
PHONED = {"phone_change", "phone_preparation", "not_delivered"}


class Away:
    """A carrier that answers nothing, neither a send nor a question."""

    def send(self, message: Message) -> str:
        """No answer."""
        raise Unknown(None, f"no answer about {len(message.body)} letters")

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """No answer."""
        raise Unknown(None, f"no answer about {len(phone)} digits since {since}")

    def received(self, number: str, since: datetime) -> list[Received]:
        """Nothing came in."""
        return []


def cancel(house: House) -> None:
    """The clinic calls the visit off."""
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)


def tomorrow(house: House) -> list[dict[str, Any]]:
    """The texts of the day before."""
    return outbound(house, "key like 'tomorrow%'")


def fail_tomorrow(house: House, fault: str, code: int | None = None) -> None:
    """The text of the day before comes back, and somebody is to phone him."""
    house.opt_in()
    house.until(THE_DAY_BEFORE - 5 * MINUTE)
    house.carrier.faults.plan(fault, **({} if code is None else {"code": code}))
    house.until(THE_DAY_BEFORE + 5 * MINUTE)
    assert "phone_preparation" in house.tasks()


@pytest.mark.parametrize(
    "change", [{"starts_at": "2027-03-18T10:30"}, {"reason": "staging"}, {"zone": "America/Chicago"}]
)
def test_a_small_change_leaves_the_call_that_the_day_before_is_owed(house: House, change: dict[str, str]) -> None:
    fail_tomorrow(house, "fails", 30003)
    house.book(**change)
    house.until(THURSDAY_915 - timedelta(hours=4))
    assert "phone_preparation" in house.tasks()


def test_a_small_change_leaves_the_call_to_a_man_who_stopped_us(house: House) -> None:
    house.opt_in()
    house.until(THE_DAY_BEFORE - timedelta(hours=20))
    house.text("STOP")
    house.until(THE_DAY_BEFORE + 5 * MINUTE)
    house.book(starts_at="2027-03-18T10:30")
    house.until(THURSDAY_915 - timedelta(hours=4))
    assert "phone_preparation" in house.tasks()


def test_start_after_the_carrier_blocked_the_day_before_leaves_the_call(house: House) -> None:
    fail_tomorrow(house, "21610")
    house.text("START")
    house.until(THURSDAY_915 - timedelta(hours=4))
    assert "phone_preparation" in house.tasks()


def test_a_number_said_to_be_right_leaves_the_call(house: House) -> None:
    fail_tomorrow(house, "fails", 30006)
    assert care.number_is_right(house.parts, house.clinic.clinic_id, "S-1", actor="nurse", now=house.clock.at)
    house.until(THURSDAY_915 - timedelta(hours=4))
    assert "phone_preparation" in house.tasks()


def test_the_preparations_last_receipt_leaves_a_call_about_a_later_text(house: House) -> None:
    fail_tomorrow(house, "refused", 30004)
    (prepare,) = outbound(house, "key like 'prepare%'")
    house.rows(
        "update outbound set status = 'sent' where id = :id", id=prepare["id"]
    )  # it was all his network had said
    receipt(house, prepare["ref"], "delivered", sid=prepare["provider_sid"])
    assert outbound(house, f"id = {prepare['id']}")[0]["status"] == "delivered"
    assert "phone_preparation" in house.tasks()


def test_cancelled_while_the_carrier_has_the_notice_of_its_move(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.carrier.faults.plan("429")
    house.book(**MARCH_25)

    def cancelled_meanwhile(message: Message) -> str:
        cancel(house)
        return house.parts.carrier.send(message)

    send_with(house, cancelled_meanwhile)
    house.until(THURSDAY_915)
    assert "phone_change" in house.tasks()


def test_cancelled_while_the_notice_of_its_move_is_in_doubt(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.carrier.faults.plan("500_before")
    house.book(**MARCH_25)
    house.turn()
    cancel(house)
    house.turn()
    assert "phone_change" in house.tasks()
    assert not any("is off" in body for body in house.bodies())  # the 25th would not call off the 18th


def test_cancelled_before_the_notice_of_its_move_came_back(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.carrier.faults.plan("no_callbacks")
    house.book(**MARCH_25)
    house.turn()
    notice = outbound(house)[-1]
    cancel(house)
    assert house.tasks() == {}
    receipt(house, notice["ref"], "undelivered", sid=notice["provider_sid"], ErrorCode="30001")
    house.until(house.clock.at + 10 * MINUTE)
    assert "phone_change" in house.tasks()


def test_a_notice_that_came_back_is_nothing_once_the_next_has_arrived(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.carrier.faults.plan("no_callbacks")
    house.book(**MARCH_25)
    house.turn()
    first = outbound(house)[-1]
    house.book(**MARCH_30)
    house.turn()
    receipt(house, first["ref"], "undelivered", sid=first["provider_sid"], ErrorCode="30001")
    house.until(house.clock.at + 10 * MINUTE)
    assert "March 30" in house.bodies()[-1]
    assert house.tasks() == {}


def test_moved_again_while_the_first_notice_is_in_doubt_is_told_before_the_first_hour(house: House) -> None:
    house.opt_in()
    house.until(datetime(2027, 3, 18, 0, 30, tzinfo=UTC))  # the evening before, 20:30
    house.carrier.faults.plan("500_before")
    house.book(**MARCH_25)
    house.turn()
    house.clock.at += 3 * MINUTE
    house.book(**MARCH_30)
    house.turn()
    assert "March 30" in house.bodies()[-1]


@pytest.mark.parametrize("confirmed", [False, True])
def test_a_move_told_to_a_number_that_was_corrected_since_is_told_by_phone(house: House, confirmed: bool) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.book(**MARCH_25)
    house.turn()
    house.clock.at += 5 * MINUTE
    if confirmed:  # he knows the new day, and has only got another phone
        house.text("C")
    house.book(phone=OTHER, **MARCH_25)
    house.turn()
    assert ("phone_change" in house.tasks()) is not confirmed


def test_who_was_phoned_about_the_move_is_not_phoned_again_at_the_next_small_change(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.book(**MARCH_25)
    house.turn()
    house.clock.at += 5 * MINUTE
    house.book(phone=OTHER, **MARCH_25)
    (task,) = house.rows("select id from tasks where kind = 'phone_change'")
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        tasks.close(
            session, house.clinic.clinic_id, task["id"], by="nurse", outcome="phoned", now=house.clock.at
        )  # fmt: skip
    house.book(phone=OTHER, **MARCH_25, reason="staging")
    assert "phone_change" not in house.tasks()


@pytest.mark.parametrize("what", ["cancelled", "today"])
def test_nobody_waits_for_a_carrier_that_answers_nothing_while_the_visit_nears(house: House, what: str) -> None:
    house.opt_in()
    if what == "today":
        house.book(arrival_at="2027-03-18T12:15", starts_at="2027-03-18T13:15")
    arrival = THURSDAY_915 + (timedelta(hours=3) if what == "today" else timedelta())
    house.until(arrival - (timedelta(hours=2) if what == "cancelled" else timedelta(hours=3, minutes=1)))
    parts = dataclasses.replace(house.parts, carrier=cast(Carrier, Away()))
    if what == "cancelled":
        cancel(house)
    while house.clock.at < arrival - timedelta(hours=1):
        run_due(parts, house.clock.at)
        house.clock.at += MINUTE
    assert set(house.tasks()) & PHONED


@pytest.mark.parametrize("change", ["moved", "cancelled"])
def test_an_answer_that_got_lost_does_not_name_the_hour_that_was(house: House, change: str) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - 70 * MINUTE)  # 8:05
    clinic = house.clinic
    asked = Arrived("SMlost", PATIENT_NUMBER, CLINIC_NUMBER, "when is my appointment?")
    conversation.receive(house.parts, clinic.clinic_id, clinic.sender_id, asked, house.clock.at)
    house.clock.at += 4 * MINUTE
    if change == "moved":
        house.book(**MARCH_30)
    else:
        cancel(house)
    house.until(house.clock.at + 20 * MINUTE)
    assert ("March 30" if change == "moved" else "is off") in house.bodies()[-1]
    assert "late_text" in house.tasks()


def test_an_answer_that_got_lost_comes_again_while_the_visit_is_as_it_was(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - 70 * MINUTE)
    clinic = house.clinic
    asked = Arrived("SMlost", PATIENT_NUMBER, CLINIC_NUMBER, "when is my appointment?")
    conversation.receive(house.parts, clinic.clinic_id, clinic.sender_id, asked, house.clock.at)
    house.clock.at += 4 * MINUTE
    house.book(starts_at="2027-03-18T10:30")  # he is to come when he was
    house.until(house.clock.at + 20 * MINUTE)
    assert any("Please arrive at 9:15" in body for body in house.bodies()[-2:])


@pytest.mark.parametrize(
    ("says", "answer"),
    [("I am running late", "late"), ("I can't come today, please change my appointment", ""), ("C", "will come")],
)
def test_he_is_no_stranger_because_anothers_invitation_waits(house: House, says: str, answer: str) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - 10 * MINUTE)
    house.carrier.faults.rate("429", 1)
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    (heard,) = house.text(says)
    assert "cannot answer here" not in heard
    assert answer in heard
    assert "stranger" not in house.tasks()
    house.carrier.faults.rate("429", 0)
    house.until(house.clock.at + timedelta(hours=2))
    assert any("Ben" in body or "Is this visit yours?" in body for body in house.bodies()[-2:])  # and Ben is asked


def test_a_question_after_the_visit_is_not_a_strangers_because_another_was_booked(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=12))  # 21:15: Ben is asked in the morning
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    house.turn()
    (heard,) = house.text("when will I get my results?")
    assert "cannot answer here" not in heard
    assert "March 30" not in heard


def test_the_day_before_that_came_back_is_worded_anew_in_his_language_after_a_small_change(house: House) -> None:
    house.opt_in()
    house.until(THE_DAY_BEFORE - 5 * MINUTE)
    house.carrier.faults.plan("no_callbacks")
    house.clock.at = THE_DAY_BEFORE + MINUTE
    house.turn()
    house.book(starts_at="2027-03-18T10:30")
    house.turn()
    (row,) = tomorrow(house)
    receipt(house, row["ref"], "undelivered", sid=row["provider_sid"], ErrorCode="30017")
    house.clock.at += timedelta(seconds=30)
    house.text("ESPAÑOL")
    house.until(THURSDAY_915 - timedelta(hours=4))
    assert [(row["language"], row["status"]) for row in tomorrow(house)] == [("en", "refused"), ("es", "delivered")]


def test_a_visit_called_off_at_night_before_an_early_hour_is_phoned_as_well(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T07:20", starts_at="2027-03-18T08:20")
    house.until(datetime(2027, 3, 18, 2, 30, tzinfo=UTC))  # 22:30
    cancel(house)
    assert "phone_change" in house.tasks()
    house.until(datetime(2027, 3, 18, 11, 1, tzinfo=UTC))
    assert "is off" in house.bodies()[-1]


def test_a_text_without_its_words_in_the_carriers_list_is_not_sent_twice(house: House) -> None:
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    (message,) = house.carrier.messages()
    house.carrier.redact(message.sid)
    house.until(house.clock.at + timedelta(hours=1))
    assert len(house.received()) == 1


def lose_the_answer(house: House, body: str) -> None:
    """He texts, our answer is lost on its way to the carrier, and what follows from that is done."""
    asked = Arrived("SMlost", PATIENT_NUMBER, CLINIC_NUMBER, body)
    conversation.receive(house.parts, house.clinic.clinic_id, house.clinic.sender_id, asked, house.clock.at)
    house.until(house.clock.at + 20 * MINUTE)


def test_an_answer_to_one_who_was_booked_without_permission_comes_again(house: House) -> None:
    house.book(permission=None)
    house.turn()
    lose_the_answer(house, "when is my appointment?")
    assert "cannot answer here" in house.bodies()[-1]
    assert "late_text" not in house.tasks()


def test_an_answer_to_one_who_was_moved_without_permission_comes_again(house: House) -> None:
    house.book()
    house.turn()
    house.clock.at += 5 * MINUTE
    house.book(permission=None, **MARCH_25)
    house.turn()
    before = len(house.bodies())
    lose_the_answer(house, "who is this?")
    assert len(house.bodies()) > before
    assert "late_text" not in house.tasks()


def test_nobody_is_rung_for_a_notice_that_came_back_where_the_next_comes_in_time(house: House) -> None:
    house.opt_in()
    house.until(datetime(2027, 3, 11, 0, 55, tzinfo=UTC))  # March 10, 19:55, a week ahead
    house.carrier.faults.plan("no_callbacks")
    house.book(**MARCH_25)
    house.turn()
    first = outbound(house)[-1]
    house.clock.at += 6 * MINUTE  # after 20:00: told in the morning
    house.book(**MARCH_30)
    house.turn()
    receipt(house, first["ref"], "undelivered", sid=first["provider_sid"], ErrorCode="30001")
    house.until(house.clock.at + timedelta(hours=14))
    assert "March 30" in house.bodies()[-1]
    assert house.rows("select * from tasks where kind = 'phone_change'") == []


def test_a_man_told_at_his_present_number_is_not_phoned_for_what_another_was_told(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    house.book(phone=OTHER)
    house.turn()
    house.text("1", OTHER)
    house.text("2", OTHER)
    house.clock.at += 30 * MINUTE
    house.book(phone=OTHER, **MARCH_25)
    house.turn()
    assert "March 25" in house.bodies(OTHER)[-1]
    house.clock.at += 30 * MINUTE
    house.book(**MARCH_30)  # moved, and his first number again
    house.turn()
    assert "March 30" in house.bodies()[-1]
    house.clock.at += 30 * MINUTE
    house.book(arrival_at="2027-03-30T14:00", starts_at="2027-03-30T15:15")
    house.turn()
    assert "phone_change" not in house.tasks()


@pytest.mark.parametrize("says", ["when is my appointment?", "when will I get my results?", "C"])
def test_nobody_is_told_of_a_dead_mans_visit(house: House, says: str) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=12))
    house.text("My husband has passed away")
    assert "died" in house.tasks()
    house.clock.at += timedelta(hours=1)
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    house.turn()
    assert "cannot answer here" in house.text(says)[0]


def test_a_number_that_he_has_left_is_told_nothing_of_him(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=5))
    end(house.parts, house.clinic.clinic_id, "S-1", "completed", actor="test", now=house.clock.at)
    house.book("S-3", phone=OTHER, **MARCH_25)  # his next visit, and another number
    house.until(THURSDAY_915 + timedelta(hours=13))
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    house.turn()
    assert "cannot answer here" in house.text("when will I get my results?")[0]


def test_who_was_prepared_before_he_stopped_us_needs_no_call_for_a_small_change(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15 + timedelta(hours=1))
    assert outbound(house, "key like 'prepare%' and status = 'delivered'")
    house.text("STOP")
    house.book(starts_at="2027-03-18T10:30")
    assert "phone_preparation" not in house.tasks()
    house.until(THE_DAY_BEFORE + 5 * MINUTE)
    assert "phone_preparation" in house.tasks()  # as the day before cannot be said to him


def test_a_lost_answer_to_a_cry_for_help_is_not_found_in_another_text_without_words(house: House) -> None:
    house.opt_in()
    house.until(MARCH_15)
    asked = Arrived("SMlost", PATIENT_NUMBER, CLINIC_NUMBER, "I want to kill myself")
    conversation.receive(house.parts, house.clinic.clinic_id, house.clinic.sender_id, asked, house.clock.at)
    house.until(house.clock.at + 9 * MINUTE)
    house.carrier.faults.plan("no_callbacks")
    house.text("where do I go?")
    house.carrier.redact(next(m.sid for m in reversed(house.carrier.messages()) if m.to == PATIENT_NUMBER))
    house.until(house.clock.at + 40 * MINUTE)
    assert any("988" in body for body in house.bodies())
