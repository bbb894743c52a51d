"""A member of staff takes over: the bot is silent for a while, safety excepted, and comes back by itself."""

from datetime import timedelta

from tests.house import House
from tests.service.signed import browser


def test_a_takeover_silences_the_bot_for_two_hours_and_hands_back_by_itself(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as nurse:
        assert nurse.post("/clinic/scans/S-1/takeover", data={"hold": "yes"}).status_code == 303
        assert "is writing with him" in nurse.get("/clinic/scans/S-1").text
        assert house.text("does it hurt") == []
        assert house.tasks()["paused_text"] == "a member of staff was writing with him"
        assert "has no box to write in" in nurse.get("/clinic/scans/S-1").text
        assert "988" in house.text("I want to die")[0]
        house.clock.at += timedelta(hours=2, minutes=1)
        assert house.text("does it hurt")[0].startswith("The scan does not hurt")
        assert "is writing with him" not in nurse.get("/clinic/scans/S-1").text


def test_a_takeover_holds_what_is_planned_and_a_nurse_can_hand_back_sooner(house: House) -> None:
    house.opt_in()
    house.clock.at = house.clock.at.replace(day=11, hour=13, minute=55)  # five minutes before "about" is due
    with browser(house, "clinic") as nurse:
        nurse.post("/clinic/scans/S-1/takeover", data={"hold": "yes"})
        house.clock.at += timedelta(minutes=70)
        house.turn()
        assert house.planned()["about"][0] == "planned"
        nurse.post("/clinic/scans/S-1/takeover", data={"hold": "no"})
        house.clock.at += timedelta(minutes=2)
        house.turn()
        assert house.planned()["about"][0] == "said"


def test_staff_see_what_the_bot_could_not_answer(house: House) -> None:
    house.opt_in()
    house.text("what is the capital of France")
    with browser(house, "clinic") as nurse:
        seen = nurse.get("/clinic/unanswered").text
    assert "what is the capital of France" in seen
    assert seen.count("not known") == 1  # his answers to our questions are no questions of his
