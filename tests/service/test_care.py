"""What the clinic says on his behalf: no more texts, texts held, and what was misunderstood undone."""

from datetime import timedelta
from typing import Any

import pytest

from service import care
from service.booking import end
from service.demo_data import PATIENT_NUMBER
from service.errors import NotFound
from tests.house import THURSDAY_915, House
from tests.service.signed import browser

ABOUT_IS_DUE = THURSDAY_915 - timedelta(days=7) + timedelta(minutes=105)  # March 11, 10:00 in New York, in winter time


def test_a_nurse_can_stop_the_texts_for_him_and_nothing_planned_goes_out(house: House) -> None:
    house.opt_in()
    before = len(house.bodies())
    with browser(house, "clinic") as nurse:
        assert nurse.post("/clinic/scans/S-1/stop-texts", data={"how": ""}).status_code == 422
        assert nurse.post("/clinic/scans/S-1/stop-texts", data={"how": "by phone"}).status_code == 303
        page = nurse.get("/clinic/scans/S-1").text
    assert "told the clinic: by phone" in page
    assert "phone_preparation" in house.tasks()
    house.until(house.clock.at.replace(day=16))
    assert len(house.bodies()) == before
    (line,) = house.rows("select given, obtained_by, how from consents where kind = 'opt_out'")
    assert (line["given"], line["how"]) == (True, "told the clinic: by phone")
    assert line["obtained_by"].startswith("staff")


def test_the_clinics_system_can_stop_the_texts_and_saying_it_twice_changes_nothing(house: House) -> None:
    house.opt_in()
    headers = {"Authorization": f"Bearer {house.key()}"}
    url = "/api/v1/scans/S-1/stop-texts"
    first = house.web.post(url, json={"how": "patient portal"}, headers=headers)
    again = house.web.post(url, json={"how": "patient portal"}, headers=headers)
    assert (first.status_code, first.json()["outcome"], again.json()["outcome"]) == (200, "stopped", "same")
    assert len(house.rows("select id from consents where kind = 'opt_out'")) == 1


def test_what_he_told_staff_is_no_answer_to_the_text_that_he_had_last(house: House) -> None:
    house.opt_in()
    care.stop_texts(house.parts, house.clinic.clinic_id, "S-1", "by phone", actor="staff:7", now=house.clock.at)
    assert house.rows("select text_hash from consents where kind = 'opt_out'") == [{"text_hash": None}]
    assert None not in [row["text_hash"] for row in house.rows("select text_hash from consents where kind = 'texts'")]


def test_his_own_wish_is_in_the_ledger_though_the_carrier_had_stopped_his_number_before(house: House) -> None:
    house.book()
    house.carrier.faults.plan("21610")
    house.turn()
    (before,) = house.rows("select opted_out_at, opted_out_how from contact_points")
    assert before["opted_out_how"].startswith("carrier")
    house.clock.at += timedelta(hours=1)
    for changes in (True, False):
        done = care.stop_texts(
            house.parts, house.clinic.clinic_id, "S-1", "by phone", actor="staff:7", now=house.clock.at
        )
        assert done is changes
    assert house.rows("select obtained_by, at from consents where kind = 'opt_out' order by id") == [
        {"obtained_by": "carrier", "at": before["opted_out_at"]},
        {"obtained_by": "staff:7", "at": house.clock.at},
    ]
    assert house.rows("select opted_out_at, opted_out_how from contact_points") == [before]


def test_what_the_clinic_stopped_only_he_can_bring_back(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as nurse:
        nurse.post("/clinic/scans/S-1/stop-texts", data={"how": "by phone"})
    assert house.text("does it hurt") == []
    assert "988" in house.text("I want to die")[0]
    house.text("START")
    assert house.text("does it hurt")[0].startswith("The scan does not hurt")
    assert house.rows("select opted_out_at from contact_points where phone = :phone", phone=PATIENT_NUMBER) == [
        {"opted_out_at": None}
    ]


# Texts held ---------------------------------------------------------------------------------------------------------


def hold(house: House, value: bool) -> None:
    care.pause(house.parts, house.clinic.clinic_id, "S-1", value, actor="staff:7", now=house.clock.at)


def hold_clinic(house: House, value: bool) -> None:
    care.pause_clinic(house.parts, house.clinic.clinic_id, value, actor="staff:7", now=house.clock.at)


def audited(house: House, *actions: str) -> list[dict[str, Any]]:
    return house.rows(
        "select actor, action, subject, detail from audit where action = any(:a) order by id", a=list(actions)
    )


def test_held_texts_of_one_patient_wait_until_someone_lets_them_go_and_his_questions_are_answered(house: House) -> None:
    house.opt_in()
    hold(house, True)
    since = house.clock.at
    house.until(ABOUT_IS_DUE + timedelta(minutes=5))
    hold(house, True)
    assert house.rows("select paused_at from patients") == [{"paused_at": since}]
    assert house.planned()["about"] == ("planned", "sending is paused")
    assert house.text("does it hurt")[0].startswith("The scan does not hurt")
    hold(house, False)
    house.until(house.clock.at + timedelta(hours=1))
    assert house.planned()["about"][0] == "said"
    lines = audited(house, "texts_held", "texts_let_go")
    assert [(line["action"], line["detail"]["by"]) for line in lines] == [
        ("texts_held", "staff:7"),
        ("texts_let_go", "staff:7"),
    ]


def test_held_texts_of_a_clinic_wait_and_safety_stop_and_help_do_not(house: House) -> None:
    house.opt_in()
    hold_clinic(house, True)
    since = house.clock.at
    house.until(ABOUT_IS_DUE + timedelta(minutes=5))
    hold_clinic(house, True)
    assert house.rows("select paused_at from clinics") == [{"paused_at": since}]
    assert house.planned()["about"] == ("planned", "sending is paused")
    assert house.text("does it hurt") == []
    assert "Help:" in house.text("HELP")[0]
    hold_clinic(house, False)
    house.until(house.clock.at + timedelta(hours=1))
    assert house.planned()["about"][0] == "said"
    hold_clinic(house, True)
    assert "988" in house.text("I want to die")[0]
    assert "no more texts" in house.text("STOP")[0]
    lines = audited(house, "texts_held", "texts_let_go")
    assert {(line["actor"], line["subject"]) for line in lines} == {("staff:7", "clinic")}
    assert [line["action"] for line in lines] == ["texts_held", "texts_let_go", "texts_held"]


def test_a_clinic_that_is_not_there_cannot_be_held(house: House) -> None:
    with pytest.raises(NotFound):
        care.pause_clinic(house.parts, 999, True, actor="operator:1", now=house.clock.at)


# What was misunderstood ---------------------------------------------------------------------------------------------


def number_is_right(house: House) -> bool:
    return care.number_is_right(house.parts, house.clinic.clinic_id, "S-1", actor="staff:7", now=house.clock.at)


def is_alive(house: House, external_id: str = "S-1") -> bool:
    return care.is_alive(house.parts, house.clinic.clinic_id, external_id, actor="staff:7", now=house.clock.at)


def agreements(house: House) -> list[bool]:
    return [row["given"] for row in house.rows("select given from consents where kind = 'texts' order by id")]


def closed(house: House, kind: str) -> list[dict[str, Any]]:
    return house.rows("select closed_by, outcome from tasks where kind = :kind", kind=kind)


def test_who_said_that_the_visit_was_not_his_is_asked_again_and_not_texted_as_if_he_had_agreed(house: House) -> None:
    house.book()
    house.turn()
    house.text("2")
    house.until(ABOUT_IS_DUE - timedelta(days=1))
    seen = len(house.bodies())
    assert number_is_right(house)
    assert not number_is_right(house)
    assert agreements(house) == [False]
    assert house.rows("select frozen_at, frozen_why from contact_points") == [{"frozen_at": None, "frozen_why": None}]
    assert closed(house, "wrong_number") == [{"closed_by": "staff:7", "outcome": "the number is right after all"}]
    house.until(house.clock.at + timedelta(minutes=5))
    (asked,) = house.bodies()[seen:]
    assert "Is this visit yours?" in asked
    house.until(ABOUT_IS_DUE + timedelta(hours=1))
    assert house.planned()["about"] == ("skipped", "he has not agreed to texts")
    house.text("1")
    house.text("1")
    assert agreements(house) == [False, True]
    house.until(THURSDAY_915)
    assert any(body.startswith("Your PSMA PET scan at") for body in house.bodies())
    assert [line["detail"] for line in audited(house, "number_is_right")] == [{"by": "staff:7"}]


def test_who_had_agreed_before_a_text_was_taken_for_a_wrong_number_goes_on_without_being_asked(house: House) -> None:
    house.opt_in()
    house.text("wrong number")
    house.until(ABOUT_IS_DUE + timedelta(hours=2))
    seen = len(house.bodies())
    assert house.planned()["about"][0] == "skipped"
    assert number_is_right(house)
    assert agreements(house) == [True]
    house.until(THURSDAY_915)
    said = house.bodies()[seen:]
    assert any(body.startswith("Your PSMA PET scan at") for body in said)
    assert not any("Is this visit yours?" in body for body in said)


def test_an_invitation_that_the_carrier_called_undeliverable_is_said_again(house: House) -> None:
    house.book()
    house.carrier.faults.plan("fails", code=30005, times=1)
    house.turn()
    house.until(house.clock.at + timedelta(minutes=5))
    assert house.bodies() == []
    assert house.rows("select frozen_why from contact_points") == [{"frozen_why": "nobody has this number"}]
    assert number_is_right(house)
    house.turn()
    assert "Is this visit yours?" in house.bodies()[0]


def test_an_opt_out_stays_when_the_number_is_right_after_all(house: House) -> None:
    house.opt_in()
    house.text("STOP, wrong number")
    (before,) = house.rows("select opted_out_at, frozen_at from contact_points")
    assert None not in before.values()
    seen = len(house.bodies())
    assert number_is_right(house)
    house.until(THURSDAY_915)
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": before["opted_out_at"]}]
    assert len(house.bodies()) == seen


def test_a_man_said_to_have_died_who_is_alive_gets_his_texts_from_now_on(house: House) -> None:
    house.opt_in()
    house.text("My husband has passed away")
    house.until(ABOUT_IS_DUE)
    seen = len(house.bodies())
    assert is_alive(house)
    assert not is_alive(house)
    assert house.rows("select stopped_at from patients") == [{"stopped_at": None}]
    assert closed(house, "died") == [{"closed_by": "staff:7", "outcome": "he is alive"}]
    assert agreements(house) == [True]
    house.until(THURSDAY_915)
    assert any(body.startswith("Your PSMA PET scan at") for body in house.bodies()[seen:])
    assert [line["detail"] for line in audited(house, "is_alive")] == [{"by": "staff:7"}]


def test_after_his_visit_what_the_death_took_back_is_planned_again_unless_it_is_too_late(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 + timedelta(hours=8))
    end(house.parts, house.clinic.clinic_id, "S-1", "completed", actor="test", now=house.clock.at)
    house.text("My husband has passed away")
    assert house.planned()["questions"] == ("void", "died")
    house.until(THURSDAY_915 + timedelta(days=6))
    assert is_alive(house)
    assert house.planned()["results"] == ("void", "died")
    assert house.planned()["questions"][0] == "planned"
    house.until(house.clock.at + timedelta(hours=1))
    assert house.planned()["questions"][0] == "said"


def test_one_who_is_alive_brings_nobody_back_who_shares_his_phone_and_has_died(house: House) -> None:
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Abel")
    house.rows("update patients set stopped_at = :now", now=house.clock.at)
    version = "select plan_version from scans where external_id = 'S-2'"
    before = house.rows(version)
    assert is_alive(house)
    assert house.rows(version) == before
    assert house.rows("select external_id from patients where stopped_at is not null") == [{"external_id": "P-2"}]
