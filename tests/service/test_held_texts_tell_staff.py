"""Texts held by a pause: a person is told what he does not hear, once, and while there is time to phone him."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from service import care, tasks
from service.demo_data import SITE
from tests.house import House

MINUTE = timedelta(minutes=1)


def hold_clinic(house: House) -> None:
    care.pause_clinic(house.parts, house.clinic.clinic_id, True, actor="staff:7", now=house.clock.at)


def hold_patient(house: House) -> None:
    care.pause(house.parts, house.clinic.clinic_id, "S-1", True, actor="staff:7", now=house.clock.at)


def take_over(house: House) -> None:
    care.take_over(house.parts, house.clinic.clinic_id, "S-1", True, actor="staff:7", now=house.clock.at)


def acknowledge(house: House, task: int) -> None:
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        tasks.acknowledge(session, house.clinic.clinic_id, task, by="staff:7", now=house.clock.at)


def close(house: House, task: int) -> None:
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        tasks.close(session, house.clinic.clinic_id, task, by="staff:7", outcome="phoned him", now=house.clock.at)


@pytest.mark.parametrize("hold", [hold_clinic, hold_patient, take_over])
@pytest.mark.parametrize("see_to", [acknowledge, close])
def test_a_move_that_is_held_is_told_once_and_nobody_who_saw_to_it_is_rung_again(
    house: House, hold: Callable[[House], None], see_to: Callable[[House, int], None]
) -> None:
    house.opt_in()
    hold(house)
    house.book(arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15")
    house.turn()
    (told,) = house.bodies(SITE.on_call_phone)
    (task,) = house.rows("select id from tasks where kind = 'phone_change'")
    see_to(house, task["id"])
    for _ in range(5):
        house.clock.at += MINUTE
        house.turn()
    assert house.bodies(SITE.on_call_phone) == [told]
    assert house.rows("select id, times from tasks where kind = 'phone_change'") == [{"id": task["id"], "times": 1}]


def test_a_second_move_while_texts_are_held_is_news(house: House) -> None:
    house.opt_in()
    hold_clinic(house)
    for day in (19, 20):
        house.book(arrival_at=f"2027-03-{day}T09:15", starts_at=f"2027-03-{day}T10:15")
        house.turn()
    assert house.rows("select times from tasks where kind = 'phone_change'") == [{"times": 2}]
