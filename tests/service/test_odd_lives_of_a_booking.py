"""Bookings that change in odd ways: told before the hour that he knows, asked again, and planned for every visit."""

from datetime import UTC, datetime, timedelta

import pytest

from service.booking import end
from service.errors import Conflict, Invalid
from tests.house import MONDAY, THURSDAY_915, House

OTHER = "+12125550124"
MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00"}


def finish(house: House, external_id: str, state: str) -> None:
    end(house.parts, house.clinic.clinic_id, external_id, state, actor="test", now=house.clock.at)


def invitations(house: House) -> int:
    """How many invitations his phone got."""
    return sum("imaging visit" in body for body in house.bodies())


def test_a_corrected_move_is_told_before_the_hour_that_he_knows(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T08:30", starts_at="2027-03-18T09:30")
    house.until(datetime(2027, 3, 18, 0, 30, tzinfo=UTC))  # March 17, 20:30
    house.text("R")  # mid-conversation: the notice waits 15 minutes
    house.clock.at += timedelta(minutes=2)
    house.book(arrival_at="2027-03-25T09:00", starts_at="2027-03-25T10:00")
    house.turn()
    house.clock.at += timedelta(minutes=4)
    house.book(arrival_at="2027-03-25T10:00", starts_at="2027-03-25T11:00")  # a slip corrected
    house.until(datetime(2027, 3, 18, 12, 29, tzinfo=UTC))  # 8:29, he stands at the door
    assert any("March 25" in body and "10:00" in body for body in house.bodies())


def test_a_visit_cancelled_before_he_heard_that_it_had_moved_is_told_by_phone(house: House) -> None:
    house.opt_in()
    house.clock.at = datetime(2027, 3, 16, 1, 30, tzinfo=UTC)  # March 15, 21:30
    house.turn()
    house.book(arrival_at="2027-03-25T09:00", starts_at="2027-03-25T10:00")
    house.turn()
    house.clock.at += timedelta(minutes=10)
    finish(house, "S-1", "cancelled")
    house.until(THURSDAY_915)
    assert not any("March 25" in body for body in house.bodies())
    assert "had heard that it had moved" in house.tasks()["phone_change"]


def test_a_move_in_the_evening_to_five_past_nine_is_told_that_evening(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T14:00", starts_at="2027-03-18T15:00")
    house.until(datetime(2027, 3, 18, 0, 30, tzinfo=UTC))  # 20:30 the evening before
    house.book(arrival_at="2027-03-18T09:05", starts_at="2027-03-18T10:05")
    house.until(datetime(2027, 3, 18, 1, 0, tzinfo=UTC))
    assert "9:05" in house.bodies()[-1]


def test_the_second_invitation_survives_a_small_change(house: House) -> None:
    house.book()
    house.turn()
    house.clock.at += timedelta(hours=2)
    house.book(reason="staging")
    house.until(MONDAY + timedelta(hours=23))
    assert invitations(house) == 1
    house.until(MONDAY + timedelta(days=2))
    assert invitations(house) == 2


def test_who_did_not_answer_before_a_cancellation_is_asked_again_when_booked_anew(house: House) -> None:
    house.book()
    house.turn()
    finish(house, "S-1", "cancelled")
    house.clock.at += timedelta(days=1)
    house.book()
    house.until(house.clock.at + timedelta(hours=1))
    assert invitations(house) == 2


def test_start_asks_him_who_has_not_answered_yet(house: House) -> None:
    house.book()
    house.until(MONDAY + timedelta(hours=25))
    assert invitations(house) == 2
    house.text("STOP")
    house.clock.at += timedelta(hours=30)
    assert "again from now on" in house.text("START")[0]
    house.until(house.clock.at + timedelta(hours=1))
    assert invitations(house) == 3
    assert "Thank you" in house.text("1")[0]


@pytest.mark.parametrize("late", ["the clinic's texts are held", "nobody sends"])
def test_two_invitations_never_come_together_however_late_the_first(house: House, late: str) -> None:
    house.book()
    house.clock.at += timedelta(hours=25)
    if late == "nobody sends":
        house.turn()
    else:
        house.rows("update clinics set paused_at = :now", now=MONDAY)
        house.turn()
        house.rows("update clinics set paused_at = null")
    house.until(house.clock.at + timedelta(hours=2))
    assert invitations(house) == 1
    house.until(house.clock.at + timedelta(hours=25))
    assert invitations(house) == 2


def test_one_man_with_two_visits_gets_one_invitation_and_his_yes_is_for_both(house: House) -> None:
    house.book("S-1", arrival_at="2027-03-10T14:00", starts_at="2027-03-10T15:00")
    house.book("S-2", **MARCH_30)
    house.until(house.clock.at + timedelta(minutes=2))
    assert len(house.bodies()) == 1
    house.text("1")
    house.text("2")
    house.until(house.clock.at + timedelta(days=2))
    assert any("How to get ready" in body for body in house.bodies())
    planned = house.rows(
        "select distinct s.external_id from reminders r join scans s on s.id = r.scan_id where r.status = 'planned'"
    )
    assert {"external_id": "S-2"} in planned


def test_the_same_booking_again_after_the_visit_changes_nothing(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=5))
    assert house.book().outcome == "same"
    finish(house, "S-1", "completed")
    assert house.book().outcome == "same"
    with pytest.raises(Invalid, match="passed"):
        house.book(arrival_at="2027-03-18T09:30")


def test_a_number_corrected_after_the_visit_gets_nothing_unasked_and_the_old_one_nothing_more(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=5))
    seen = len(house.bodies())
    assert house.book(phone=OTHER).outcome == "changed"
    house.until(THURSDAY_915 + timedelta(days=20))
    assert (len(house.bodies()), house.bodies(OTHER)) == (seen, [])
    assert "phone_preparation" not in house.tasks()


@pytest.mark.parametrize("state", ["no_show", "completed"])
def test_a_visit_next_week_marked_as_over_by_a_slip_is_not_silent(house: House, state: str) -> None:
    house.opt_in()
    finish(house, "S-1", state)
    assert state in house.tasks()["ended_early"]
    with pytest.raises(Conflict, match="under its own id"):
        house.book(arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15")


def test_what_is_to_be_phoned_before_a_visit_is_due_before_it_and_follows_the_number(house: House) -> None:
    house.book(arrival_at="2027-03-08T10:00", starts_at="2027-03-08T11:00")
    house.turn()
    house.book(arrival_at="2027-03-08T10:00", starts_at="2027-03-08T11:00", phone=OTHER)
    rows = house.rows(
        "select t.due_at, c.phone from tasks t join contact_points c on c.id = t.contact_point_id"
        " where t.kind = 'phone_preparation' and t.closed_at is null"
    )
    assert rows == [{"due_at": MONDAY + timedelta(minutes=30), "phone": OTHER}]
