"""An answer that goes through the outbox: held by nothing that holds no answer, and never lost without a person told."""

from datetime import timedelta

import pytest

from service import care
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from simulator.carrier import Number
from tests.house import House
from tests.service.signed import outbound

MINUTE = timedelta(minutes=1)


def ask_unheard(house: House, words: str) -> None:
    """He asks while our webhook is away; five minutes later his text is found at the carrier."""
    house.opt_in()
    house.clock.at += 20 * MINUTE
    house.turn()
    house.carrier.set_number(Number(CLINIC_NUMBER, "", keyword_handling="ours"))
    house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, words)
    house.clock.at += 5 * MINUTE


def hold_patient(house: House) -> None:
    """Staff hold the planned texts of this patient."""
    care.pause(house.parts, house.clinic.clinic_id, "S-1", True, actor="nurse", now=house.clock.at)


def hold_clinic(house: House) -> None:
    """Staff hold everything of the clinic."""
    care.pause_clinic(house.parts, house.clinic.clinic_id, True, actor="nurse", now=house.clock.at)


def test_what_a_patient_asks_whose_texts_are_held_is_answered_through_the_outbox_too(house: House) -> None:
    ask_unheard(house, "does it hurt?")
    hold_patient(house)
    house.turn()
    assert house.bodies()[-1].startswith("The scan does not hurt")
    assert house.tasks() == {}


@pytest.mark.parametrize("held", [False, True])
def test_an_answer_that_waits_until_it_is_of_no_use_becomes_a_task_with_his_text(house: House, held: bool) -> None:
    ask_unheard(house, "does it hurt?")
    house.carrier.faults.rate("429", 1)
    house.turn()
    if held:
        house.carrier.faults.clear()
        hold_clinic(house)
    seen = len(house.bodies())
    house.until(house.clock.at + 20 * MINUTE)
    (answer,) = outbound(house, "inbound_id is not null and status = 'refused'")
    (task,) = house.rows("select kind, inbound_id from tasks where closed_at is null")
    assert task == {"kind": "paused_text" if held else "late_text", "inbound_id": answer["inbound_id"]}
    assert len(house.bodies()) == seen


def test_an_answer_that_he_stopped_before_it_left_is_missed_by_nobody(house: House) -> None:
    ask_unheard(house, "does it hurt?")
    house.carrier.faults.rate("429", 1)
    house.turn()
    house.rows("update contact_points set opted_out_at = :now, opted_out_how = 'STOP'", now=house.clock.at)
    house.until(house.clock.at + 20 * MINUTE)
    assert [row["reason"] for row in outbound(house, "status = 'refused'")] == ["he opted out of texts"]
    assert house.tasks() == {}
