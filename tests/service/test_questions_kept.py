"""An answer belongs to the question that was on his phone: no booking steals it, and no silence answers it."""

from datetime import timedelta

from service import conversation
from service.conversation import Arrived
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from tests.house import THURSDAY_915, House
from tests.service.signed import browser

MINUTE = timedelta(minutes=1)
MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00"}
BEN = {"patient_id": "P-2", "given_name": "Ben", **MARCH_30}


def consents(house: House) -> list[tuple[str, str, bool]]:
    """Who gave or refused what, in order; permissions that the clinic recorded left out."""
    found = house.rows(
        "select p.external_id, c.kind, c.given from consents c join patients p on p.id = c.patient_id "
        "where c.kind <> 'permission' order by c.id"
    )
    return [(row["external_id"], row["kind"], row["given"]) for row in found]


def at_nine_in_the_evening(house: House) -> None:
    """Too late for an invitation."""
    house.clock.at = house.clock.at.replace(day=9, hour=1, minute=0)


def test_a_second_patient_booked_at_night_does_not_get_the_first_ones_leave_to_name_the_scan(house: House) -> None:
    house.book()
    house.turn()
    house.text("1")
    at_nine_in_the_evening(house)
    house.book("S-2", **BEN)
    house.turn()
    assert "our texts may name your PSMA PET scan" in house.text("1")[0]
    assert consents(house) == [("P-1", "texts", True), ("P-1", "detail", True)]
    house.until(house.clock.at + timedelta(hours=14))
    assert house.bodies()[-1].find("Is this visit yours?") > 0, "the other man is asked for himself in the morning"


def test_a_second_patient_booked_at_night_is_not_opted_in_by_the_first_ones_yes(house: House) -> None:
    house.book()
    house.turn()
    at_nine_in_the_evening(house)
    house.book("S-2", **BEN)
    house.turn()
    house.text("1")
    assert consents(house) == [("P-1", "texts", True)]
    assert [name for name in house.planned() if name == "invite"], "the other man is still to be invited"


def test_a_c_confirms_the_visit_it_was_asked_for_whatever_is_booked_meanwhile(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=3) + 50 * MINUTE)
    house.clock.at += 5 * MINUTE
    house.book("S-2", **MARCH_30)
    house.text("C")
    confirmed = house.rows("select external_id from scans where confirmed_at is not null")
    assert confirmed == [{"external_id": "S-1"}]


def test_while_everything_is_paused_a_yes_opens_no_question_that_the_next_yes_would_answer(house: House) -> None:
    house.book()
    house.turn()
    with browser(house, "ops") as ops:
        ops.post("/ops/pause", data={"value": "on"})
        for _ in range(2):
            assert house.text("1") == []
            house.clock.at += 3 * MINUTE
        assert consents(house) == []
        ops.post("/ops/pause", data={"value": "off"})
    assert "May our texts name your scan" in house.text("1")[-1]
    assert consents(house) == [("P-1", "texts", True)]


def test_what_he_says_to_a_nurse_who_has_taken_over_is_hers_and_a_no_still_holds(house: House) -> None:
    house.book()
    house.turn()
    with browser(house, "clinic") as nurse:
        nurse.post("/clinic/scans/S-1/takeover", data={"hold": "yes"})
    assert house.text("yes") == house.text("yes") == []
    assert consents(house) == []
    house.clock.at += 3 * MINUTE
    house.text("2")
    assert consents(house) == [("P-1", "texts", False)]


def test_a_yes_said_twice_because_our_answer_was_lost_names_no_scan(house: House) -> None:
    house.book()
    house.turn()
    lost = Arrived("SM" + "1" * 32, PATIENT_NUMBER, CLINIC_NUMBER, "1")  # answered, and the carrier had given up
    conversation.receive(house.parts, house.clinic.clinic_id, house.clinic.sender_id, lost, house.clock.at)
    house.clock.at += 5 * MINUTE
    assert "Please reply 1 for yes" in house.text("1")[0]
    assert consents(house) == [("P-1", "texts", True)]
    house.text("1")
    assert consents(house)[-1] == ("P-1", "detail", True)
