"""One patient all the way through, on real parts: what his phone received, in order, and nothing else."""

from datetime import timedelta

from tests.house import THURSDAY_915, House


def test_a_whole_journey_reaches_the_phone_once_each_and_in_order(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=2))
    assert "noted that you will come" in house.text("C")[0]
    house.until(THURSDAY_915 + timedelta(days=31))
    starts = [body[:24] for body in house.bodies()]
    assert starts == [
        "Riverside Imaging: you h",
        "Thank you. Riverside Ima",
        "One question first. May ",
        "Thank you. From now on o",
        "About your PSMA PET scan",
        "Your PSMA PET scan at Ri",
        "Thank you, we have noted",
        "Your visit is Thursday, ",
        "If you had your visit to",
        "A specialist reads your ",
        "Questions for your docto",
        "This is our last planned",
    ]


def test_general_texts_skip_what_cannot_be_told_discreetly_and_say_so_in_the_plan(house: House) -> None:
    house.opt_in(detail=False)
    house.until(THURSDAY_915 + timedelta(days=31))
    planned = house.planned()
    assert planned["about"][0] == "skipped"
    assert "general texts" in planned["about"][1]
    assert planned["questions"][0] == "skipped"
    assert not any("PSMA" in body or "cancer" in body.lower() for body in house.bodies())


def test_an_unanswered_invitation_becomes_a_task_to_phone_him(house: House) -> None:
    house.book()
    house.until(THURSDAY_915)
    assert len(house.bodies()) == 2  # the invitation, once more a day later, and nothing else
    assert house.tasks() == {"phone_preparation": "he has not answered the invitation"}


def test_stop_ends_the_texts_and_asks_someone_to_phone(house: House) -> None:
    house.opt_in()
    assert "no more texts" in house.text("STOP")[0]
    before = len(house.bodies())
    house.until(THURSDAY_915 + timedelta(days=31))
    assert len(house.bodies()) == before
    assert house.tasks()["phone_preparation"]
    assert house.planned()["prepare"] == ("skipped", "he opted out of texts")


def test_start_brings_back_only_what_is_still_to_come(house: House) -> None:
    house.opt_in()
    house.text("STOP")
    house.until(THURSDAY_915 - timedelta(days=2))
    assert "again from now on" in house.text("START")[0]
    house.until(THURSDAY_915 + timedelta(days=31))
    later = house.bodies()
    assert not any(body.startswith("About your") for body in later)
    assert any(body.startswith("Your visit is") for body in later)


def test_a_moved_scan_is_told_once_and_every_later_text_has_the_new_time(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=2))
    seen = len(house.bodies())
    assert house.book(arrival_at="2027-03-25T14:00", starts_at="2027-03-25T15:00").outcome == "moved"
    house.until(THURSDAY_915 + timedelta(days=40))
    later = house.bodies()[seen:]
    assert [body for body in later if "has moved" in body] == [later[0]]
    assert not any("9:15" in body for body in later)
    assert any(body.startswith("Your PSMA PET scan at") and "2:00 pm" in body for body in later)


def test_a_cancelled_scan_is_told_once_and_then_there_is_silence(house: House) -> None:
    from service.booking import end

    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=5))
    seen = len(house.bodies())
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    house.until(THURSDAY_915 + timedelta(days=31))
    assert [body.split(":")[1][:24] for body in house.bodies()[seen:]] == [" your imaging visit on T"]
