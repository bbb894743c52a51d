"""Texts held by a pause: a person is told what he does not hear, once, and while there is time to phone him."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from service import care, tasks
from service.demo_data import SITE
from tests.house import THURSDAY_915, House

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


ABOUT_IS_DUE = THURSDAY_915 - timedelta(days=7) + timedelta(minutes=105)  # in winter time
TOMORROW_IS_DUE = THURSDAY_915 - timedelta(days=1) + timedelta(minutes=45)


@pytest.mark.parametrize("prepared", [True, False])
def test_the_text_of_the_day_before_is_told_at_its_moment_and_once(house: House, prepared: bool) -> None:
    house.opt_in()
    house.until(TOMORROW_IS_DUE - MINUTE)
    hold_clinic(house)
    if not prepared:
        house.rows("update outbound set status = 'undelivered' where key like 'prepare%'")
    house.rows("update tasks set closed_at = :now where closed_at is null", now=house.clock.at)
    house.until(TOMORROW_IS_DUE + 3 * MINUTE)
    kind = "not_delivered" if prepared else "phone_preparation"
    assert house.tasks() == {kind: "sending is paused"}
    assert house.rows("select times from tasks where kind = :kind and closed_at is null", kind=kind) == [{"times": 1}]


def test_the_text_of_the_day_itself_is_told_hours_before_the_arrival(house: House) -> None:
    house.opt_in()
    house.book(arrival_at="2027-03-18T14:15", starts_at="2027-03-18T15:15")
    arrival = THURSDAY_915 + timedelta(hours=5)
    house.until(arrival - timedelta(hours=4))
    house.rows("update tasks set closed_at = :now where closed_at is null", now=house.clock.at)
    house.rows("update senders set paused_reason = 'filtered'")
    house.until(arrival - timedelta(hours=2, minutes=57))
    assert house.tasks() == {"not_delivered": "sending is paused"}


def test_a_text_that_can_wait_is_no_task(house: House) -> None:
    house.opt_in()
    house.until(ABOUT_IS_DUE - MINUTE)
    hold_clinic(house)
    house.until(ABOUT_IS_DUE + 3 * MINUTE)
    assert house.planned()["about"] == ("planned", "sending is paused")
    assert house.tasks() == {}
