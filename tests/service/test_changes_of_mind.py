"""What clinics really do: two visits on one phone, a corrected number, a reschedule under a new id, a death in the family."""

from datetime import datetime, timedelta

from service.booking import end
from service.demo_data import PATIENT_NUMBER
from tests.house import THURSDAY_915, House
from tests.service.signed import outbound, receipt

OTHER = "+12125550124"
MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00"}
PREPARE_IS_DUE = THURSDAY_915 - timedelta(days=3) + timedelta(minutes=50)  # March 15, 10:05


def cancel(house: House, external_id: str) -> None:
    end(house.parts, house.clinic.clinic_id, external_id, "cancelled", actor="test", now=house.clock.at)


def scan(house: House, external_id: str) -> dict[str, object]:
    return house.rows("select * from scans where external_id = :id", id=external_id)[0]


def test_after_he_has_died_neither_a_cancellation_nor_a_move_nor_a_new_booking_texts_his_family(house: House) -> None:
    house.opt_in()
    assert "sorry for your loss" in house.text("My husband has passed away")[0]
    seen = len(house.bodies())
    house.book(**MARCH_30)
    cancel(house, "S-1")
    house.book("S-2")
    house.until(THURSDAY_915 + timedelta(days=40))
    assert len(house.bodies()) == seen
    assert "died" in house.tasks()


def test_a_new_number_for_a_man_who_has_died_is_not_texted_and_someone_is_to_find_out(house: House) -> None:
    house.opt_in()
    house.text("My husband has passed away")
    house.rows("update tasks set closed_at = now(), closed_by = 'nurse', outcome = 'spoke to her'")
    house.book(phone=OTHER)
    house.until(THURSDAY_915)
    assert house.bodies(OTHER) == []
    assert "find out" in house.tasks()["died"]


def test_a_reply_is_about_the_visit_that_he_was_texted_about_last(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    house.until(PREPARE_IS_DUE)
    assert "March 18" in house.text("C")[0]
    assert scan(house, "S-1")["confirmed_at"] is not None
    assert scan(house, "S-2")["confirmed_at"] is None
    house.until(THURSDAY_915 - timedelta(days=1) + timedelta(minutes=50))
    assert "9:15 am, Thursday, March 18" in house.text("2")[0]


def test_two_patients_on_one_phone_each_answer_for_themselves(house: House) -> None:
    house.book("S-1", patient_id="A", given_name="Abe")
    house.book("S-2", patient_id="B", given_name="Ben", **MARCH_30)
    house.until(house.clock.at + timedelta(hours=1))
    house.text("1")
    agreed = house.rows("select patient_id from consents where kind = 'texts' and given")
    asked = house.rows(
        "select s.patient_id from outbound o join scans s on s.id = o.scan_id where o.key = 'invite' order by o.id desc"
    )
    assert agreed == [asked[0]]


def test_a_cancelled_visit_is_told_even_when_a_newer_one_is_booked(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    cancel(house, "S-1")
    house.until(THURSDAY_915)
    assert sum("March 18 is off" in body for body in house.bodies()) == 1


def test_cancelling_the_newer_of_two_visits_leaves_the_older_one_in_conversation(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    cancel(house, "S-2")
    house.until(PREPARE_IS_DUE)
    assert "March 18" in house.text("C")[0]
    assert "Riverside" in house.text("where do I park")[0]


def test_a_corrected_number_is_invited_and_the_wrong_one_hears_nothing_more(house: House) -> None:
    house.book()
    house.turn()
    house.text("2")
    wrong = len(house.bodies())
    house.book(phone=OTHER)
    house.until(house.clock.at + timedelta(minutes=30))
    assert "Is this visit yours?" in house.bodies(OTHER)[0]
    house.text("1", OTHER)
    house.text("1", OTHER)
    house.until(THURSDAY_915)
    assert any(body.startswith("Your PSMA PET scan at") for body in house.bodies(OTHER))
    assert len(house.bodies()) == wrong


def test_a_corrected_reason_says_nothing_again_and_keeps_his_confirmation(house: House) -> None:
    house.opt_in()
    house.until(PREPARE_IS_DUE)
    house.text("C")
    house.clock.at += timedelta(minutes=20)
    assert house.book(reason="staging").outcome == "changed"
    house.until(THURSDAY_915 - timedelta(days=2))
    assert sum(body.startswith("Your PSMA PET scan at") for body in house.bodies()) == 1
    assert scan(house, "S-1")["confirmed_at"] is not None


def prepared_without_receipts(house: House) -> dict[str, object]:
    """The preparation text, taken by a carrier that reports nothing."""
    house.opt_in()
    house.until(PREPARE_IS_DUE - timedelta(hours=1))
    house.carrier.faults.plan("no_callbacks")
    house.clock.at = PREPARE_IS_DUE
    house.turn()
    return outbound(house, "key like 'prepare%'")[-1]


def test_a_late_receipt_of_a_failed_attempt_does_not_speak_for_the_next_one(house: House) -> None:
    row = prepared_without_receipts(house)
    old_ref, old_sid = str(row["ref"]), str(row["provider_sid"])
    receipt(house, old_ref, "undelivered", old_sid, ErrorCode="30001")
    receipt(house, old_ref, "sent", old_sid)
    receipt(house, old_ref, "undelivered", old_sid, ErrorCode="30001")
    assert outbound(house, f"id = {row['id']}")[0]["status"] == "queued"
    house.until(house.clock.at + timedelta(hours=1))
    assert outbound(house, f"id = {row['id']}")[0]["status"] == "delivered"


def test_a_notice_of_cancellation_that_he_cannot_be_sent_is_phoned(house: House) -> None:
    house.opt_in()
    house.clock.at = datetime(2027, 3, 16, 3, 0, tzinfo=house.clock.at.tzinfo)  # 23:00 in New York
    cancel(house, "S-1")
    house.text("STOP")
    house.until(THURSDAY_915)
    assert "phone_change" in house.tasks()


def test_alarms_go_out_from_a_number_that_is_stopped_once_for_each_urgent_task(house: House) -> None:
    house.opt_in()
    house.rows("update senders set live = false")
    house.carrier.faults.plan("30007", times=1)  # the crisis reply itself is filtered: a second urgent task
    house.text("I want to die")
    house.until(house.clock.at + timedelta(minutes=5))
    alarms = outbound(house, "key = 'on_call'")
    assert {"crisis", "cannot_reach"} <= set(house.tasks())
    assert [alarm["status"] for alarm in alarms] == ["delivered", "delivered"]
    assert PATIENT_NUMBER not in {alarm["phone"] for alarm in alarms}


def test_an_alarm_that_the_carrier_refuses_is_tried_with_patience_and_then_given_up(house: House) -> None:
    house.opt_in()
    house.text("I want to die")
    house.rows("update senders set phone = '+12125550999'")  # the carrier refuses a number that is not ours (21606)
    house.until(house.clock.at + timedelta(minutes=9))
    first = outbound(house, "key = 'on_call'")[0]
    assert first["status"] == "queued"
    assert first["attempts"] < 5
    house.until(house.clock.at + timedelta(hours=1))
    assert outbound(house, f"id = {first['id']}")[0]["status"] == "refused"  # the next announcement is due by then
    assert "on_call_unreachable" in house.tasks()


def test_two_unprepared_patients_on_one_phone_are_two_tasks(house: House) -> None:
    house.book("S-1", patient_id="A", given_name="Abe")
    house.book("S-2", patient_id="B", given_name="Ben")
    house.until(THURSDAY_915)
    phone = house.rows("select scan_id from tasks where kind = 'phone_preparation' and closed_at is null")
    assert len(phone) == 2
