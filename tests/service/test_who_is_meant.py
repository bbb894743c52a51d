"""What is told to a phone, and of which visit: only to who was asked, in the words he wants, and never of an old hour."""

from datetime import UTC, datetime, timedelta

import pytest

from service import care
from service.booking import end
from tests.house import MONDAY, THURSDAY_915, House

OTHER = "+12125550124"
MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00"}


def finish(house: House, external_id: str, state: str) -> None:
    end(house.parts, house.clinic.clinic_id, external_id, state, actor="test", now=house.clock.at)


def test_general_takes_back_a_detailed_text_that_waits_and_it_comes_in_general_words(house: House) -> None:
    house.opt_in()
    house.until(datetime(2027, 3, 15, 13, 59, tzinfo=UTC))
    house.carrier.faults.plan("fails", code=30001)  # the first attempt of `prepare` fails for a passing cause
    house.clock.at += timedelta(minutes=1)
    house.turn()
    assert "stay general" in house.text("GENERAL")[0]
    seen = len(house.bodies())
    house.until(house.clock.at + timedelta(hours=5))
    came = house.bodies()[seen:]
    assert len(came) == 1
    assert "How to get ready" in came[0]
    assert "PSMA" not in came[0]
    assert house.planned()["prepare"][0] == "said"


def test_who_was_never_asked_is_told_nothing_of_the_visit(house: House) -> None:
    house.clock.at = MONDAY + timedelta(hours=13)  # 22:00: the invitation waits for the morning
    house.book()
    house.turn()
    assert "cannot answer here" in house.text("what time is my appointment and where")[0]
    assert house.text("C") == []
    assert house.rows("select confirmed_at from scans") == [{"confirmed_at": None}]
    house.until(MONDAY + timedelta(hours=24))
    assert "Thank you" in house.text("1")[0]


def test_a_cancellation_does_not_open_the_next_patients_visit_to_this_phone(house: House) -> None:
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    finish(house, "S-1", "cancelled")
    assert "March 30" not in house.text("what time do I have to be there")[0]


def test_a_corrected_number_leaves_the_talk_at_the_old_one_to_the_other_visit_there(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    house.turn()
    house.book("S-1", phone=OTHER)
    house.text("I'm running late")
    assert "running_late" in house.tasks()
    house.text("My husband has passed away yesterday")
    assert care.is_alive(house.parts, house.clinic.clinic_id, "S-2", actor="nurse", now=house.clock.at)


def test_a_care_pause_goes_with_the_patient_to_his_new_number(house: House) -> None:
    house.opt_in()
    house.text("I want to die")
    house.clock.at += timedelta(minutes=30)
    house.book(phone=OTHER)
    house.turn()
    house.text("1", OTHER)
    house.text("1", OTHER)
    house.until(THURSDAY_915 - timedelta(days=5))
    assert not any(body.startswith("About your PSMA") for body in house.bodies(OTHER))


def test_after_one_visit_what_only_a_visit_ahead_has_is_asked_about_the_next(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    house.until(THURSDAY_915 + timedelta(hours=2))
    finish(house, "S-1", "completed")
    house.until(THURSDAY_915 + timedelta(days=1, hours=3))  # `results` of March 18 was said
    house.clock.at += timedelta(hours=26)
    assert "March 30" in house.text("what time is my appointment")[0]
    house.text("C")
    assert house.rows("select external_id from scans where confirmed_at is not null") == [{"external_id": "S-2"}]


def test_an_answer_to_the_check_of_an_old_hour_is_not_right(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=1) + timedelta(hours=2))  # asked: 1 for 9:15, 2 for 10:15
    house.clock.at = THURSDAY_915 - timedelta(hours=12, minutes=30)  # 20:45
    house.book(arrival_at="2027-03-18T10:15", starts_at="2027-03-18T11:15")
    house.turn()
    assert not house.text("1")[0].startswith("That is right")  # he said 9:15


def test_after_the_visit_nobody_promises_to_see_him_then(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=9))
    assert "See you then" not in house.text("1")[0]
    assert "Thank you" in house.text("C")[0]
    assert house.rows("select confirmed_at from scans") == [{"confirmed_at": None}]


def test_the_numbers_of_a_list_said_again_are_those_of_the_list(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    house.clock.at += timedelta(days=2)
    house.text("R")  # which one? 1 Mar 18, 2 Mar 30
    house.book("S-0", arrival_at="2027-03-16T08:00", starts_at="2027-03-16T09:00")
    assert "1 Mar 16" in house.text("5")[0]  # said again, with another list
    house.text("1")
    task = house.rows("select s.external_id from tasks t join scans s on s.id = t.scan_id where t.kind = 'reschedule'")
    assert task == [{"external_id": "S-0"}]


@pytest.mark.parametrize(
    ("words", "task"), [("I'm running late", "running_late"), ("I need to cancel my appointment", "reschedule")]
)
def test_before_he_has_answered_the_invitation_a_wish_still_reaches_a_person(
    house: House, words: str, task: str
) -> None:
    house.book()
    house.turn()
    said = house.text(words)
    assert task in house.tasks()
    assert "list" in said[0]
    assert not any("March 18" in body or "9:15" in body for body in said)


def test_another_mans_invitation_does_not_swallow_his_running_late(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(minutes=10))
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    house.turn()
    house.text("I'm running late")
    assert "running_late" in house.tasks()


def test_a_yes_is_to_the_invitation_that_came_to_the_phone(house: House) -> None:
    house.book("S-1", patient_id="A", given_name="Abe")
    house.turn()
    house.clock.at += timedelta(minutes=20)
    later = house.clock.at + timedelta(minutes=5)  # nine o'clock: the number is busy with others for five minutes
    house.rows("update senders set paced_until = :later, paced_at = :now", later=later, now=house.clock.at)
    house.book("S-2", patient_id="B", given_name="Ben", **MARCH_30)
    house.turn()
    assert len(house.bodies()) == 1  # only Abe's invitation is there
    house.text("1")
    agreed = "select p.external_id from consents c join patients p on p.id = c.patient_id where kind = 'texts'"
    assert house.rows(agreed) == [{"external_id": "A"}]
    house.text("1")
    house.until(house.clock.at + timedelta(hours=1))
    assert "imaging visit" in house.bodies()[-1]  # Ben is asked once that talk is over
    house.text("1")
    assert house.rows(agreed) == [{"external_id": "A"}, {"external_id": "B"}]
