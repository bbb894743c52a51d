"""A change that is no move loses nothing; a notice is said by day; a visit that took place early is not announced."""

from datetime import UTC, datetime, timedelta

from service.booking import end
from tests.house import THURSDAY_915, House
from tests.service.signed import outbound, receipt

MINUTE = timedelta(minutes=1)
THE_DAY_BEFORE = THURSDAY_915 - timedelta(days=1) + 45 * MINUTE  # 10:00
MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00"}


def tomorrow_waits_in_the_outbox(house: House) -> None:
    """The text of the day before is worded, and the carrier is too busy for it."""
    house.opt_in()
    house.until(THE_DAY_BEFORE - 5 * MINUTE)
    house.carrier.faults.plan("429", times=3)
    house.clock.at = THE_DAY_BEFORE + MINUTE
    house.turn()
    assert [row["status"] for row in outbound(house, "key like 'tomorrow%'")] == ["queued"]


def said_of_tomorrow(house: House) -> int:
    """How often his phone got the text of the day before."""
    return sum("what time should you arrive" in body for body in house.bodies())


def test_a_corrected_zone_does_not_lose_the_text_that_waits(house: House) -> None:
    tomorrow_waits_in_the_outbox(house)
    house.book(zone="America/Chicago")
    house.until(THURSDAY_915)
    assert said_of_tomorrow(house) == 1


def test_a_text_that_waits_is_said_once_in_the_language_that_the_clinic_has_corrected(house: House) -> None:
    tomorrow_waits_in_the_outbox(house)
    before = len(house.bodies())
    assert house.book(language="es").outcome == "same"
    assert [(row["status"], row["reason"]) for row in outbound(house, "key like 'tomorrow%'")] == [
        ("refused", "his language changed")
    ]
    house.turn()
    assert outbound(house, "key like 'tomorrow%'")[-1]["language"] == "es"
    house.until(THE_DAY_BEFORE + timedelta(hours=2))
    (received,) = house.bodies()[before:]
    assert "¿a qué hora debe llegar?" in received
    (line,) = house.rows("select actor, subject, detail from audit where action = 'language'")
    assert line == {"actor": "test", "subject": "patient", "detail": {"language": "es", "before": "en"}}


def test_a_text_that_waits_about_another_visit_of_his_changes_its_language_too(house: House) -> None:
    tomorrow_waits_in_the_outbox(house)
    house.book("S-2", language="es", **MARCH_30)
    house.until(THURSDAY_915)
    assert said_of_tomorrow(house) == 0
    assert sum("¿a qué hora debe llegar?" in body for body in house.bodies()) == 1


def test_the_language_that_he_chose_himself_leaves_the_text_that_waits_as_it_is(house: House) -> None:
    tomorrow_waits_in_the_outbox(house)
    house.rows("update patients set language_chosen = true")
    house.book(language="es")
    assert [row["status"] for row in outbound(house, "key like 'tomorrow%'")] == ["queued"]
    house.until(THURSDAY_915)
    assert said_of_tomorrow(house) == 1
    assert house.rows("select id from audit where action = 'language'") == []


def test_stop_and_start_within_seconds_do_not_lose_the_text_that_waits(house: House) -> None:
    tomorrow_waits_in_the_outbox(house)
    house.text("STOP")
    house.clock.at += timedelta(seconds=10)
    house.text("START")
    house.until(THURSDAY_915)
    assert said_of_tomorrow(house) == 1


def test_a_text_that_fails_after_a_small_change_is_tried_again(house: House) -> None:
    house.opt_in()
    house.until(THE_DAY_BEFORE - 5 * MINUTE)
    house.carrier.faults.plan("no_callbacks")
    house.clock.at = THE_DAY_BEFORE + MINUTE
    house.turn()
    before = len(house.bodies())
    house.book(starts_at="2027-03-18T10:30")
    house.turn()
    (row,) = outbound(house, "key like 'tomorrow%'")
    receipt(house, row["ref"], "undelivered", sid=row["provider_sid"], ErrorCode="30017")
    house.until(THE_DAY_BEFORE + timedelta(hours=1))
    assert len(house.bodies()) == before + 1


def test_a_move_that_he_has_not_heard_of_is_told_though_the_clinic_corrects_something_else_first(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T14:00", starts_at="2027-03-18T15:00")
    house.until(THE_DAY_BEFORE + 5 * MINUTE)
    house.text("1")
    house.clock.at = datetime(2027, 3, 18, 1, 0, tzinfo=UTC)  # 21:00, and the notice waits for the morning
    house.book(**MARCH_30)
    house.turn()
    house.clock.at += 5 * MINUTE
    house.book(reason="staging", **MARCH_30)
    before = len(house.bodies())
    house.until(THURSDAY_915)
    assert ["March 30" in body for body in house.bodies()[before:]] == [True]


def test_a_move_far_ahead_is_not_told_in_the_evening_because_he_had_just_written(house: House) -> None:
    house.opt_in()
    house.clock.at = datetime(2027, 3, 9, 0, 50, tzinfo=UTC)  # 19:50
    house.text("does it hurt")
    house.clock.at += 5 * MINUTE
    house.book(**MARCH_30)
    before = len(house.bodies())
    house.until(datetime(2027, 3, 9, 13, 59, tzinfo=UTC))  # 8:59
    assert len(house.bodies()) == before
    house.until(datetime(2027, 3, 9, 14, 5, tzinfo=UTC))
    assert "March 30" in house.bodies()[-1]


def test_a_visit_that_took_place_early_is_not_announced_any_more(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T15:00", starts_at="2027-03-18T16:00")
    house.until(datetime(2027, 3, 18, 14, 30, tzinfo=UTC))  # 10:30
    end(house.parts, house.clinic.clinic_id, "S-1", "completed", actor="test", now=house.clock.at)
    before = len(house.bodies())
    house.until(datetime(2027, 3, 18, 19, 30, tzinfo=UTC))
    assert len(house.bodies()) == before


def test_another_patient_on_a_phone_in_mourning_is_phoned(house: House) -> None:
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    house.text("my husband died last week")
    asked = "select s.external_id from tasks t join scans s on s.id = t.scan_id where t.kind = 'phone_preparation'"
    assert house.rows(asked) == [{"external_id": "S-2"}]
