"""An urgent text reaches the site's on-call contact, without the patient's words, until somebody has seen it."""

from datetime import timedelta

import pytest

from flows.limits import SAFETY_OFTEN
from flows.outcomes import outcome
from service import delivery, oncall
from service.demo_data import SITE
from service.store.people import Site
from service.tasks import WHY_AT_MOST, open_task
from tests.house import IDLE, House
from tests.service.signed import browser, outbound, receipt

FIRST, SECOND = SITE.on_call_phone, SITE.on_call_phone_2
CRY = "I want to kill myself"


def rounds(house: House, count: int) -> None:
    """Let the on-call contact be told again `count` times."""
    for _ in range(count):
        house.clock.at += timedelta(minutes=10)
        house.turn()


def task_id(house: House, kind: str = "crisis") -> int:
    """The id of the open task of a kind."""
    (row,) = house.rows("select id from tasks where kind = :kind and closed_at is null", kind=kind)
    return int(row["id"])


def test_the_on_call_contact_is_told_at_once_and_without_the_patients_words(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    (told,) = house.bodies(FIRST)
    assert f"urgent task {task_id(house)} needs a person" in told
    assert f"{house.settings.public_url}/clinic/tasks" in told
    secret = ("kill", "myself", "Walter", "P-1", "S-1", "555-0123", "5550123", "PSMA")
    assert not any(word in told for word in secret)
    assert house.bodies(SECOND) == []


def test_the_reminders_repeat_and_the_second_contact_joins_after_three(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    heard = [(len(house.bodies(FIRST)), len(house.bodies(SECOND)))]
    for _ in range(4):
        rounds(house, 1)
        heard.append((len(house.bodies(FIRST)), len(house.bodies(SECOND))))
    assert heard == [(1, 0), (2, 0), (3, 0), (4, 1), (5, 2)]


def test_nobody_is_told_again_before_ten_minutes_have_passed(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    house.clock.at += timedelta(minutes=9, seconds=59)
    house.turn()
    assert len(house.bodies(FIRST)) == 1


def test_acknowledging_stops_the_reminders_and_keeps_the_task_open(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    rounds(house, 1)
    with browser(house, "clinic") as staff:
        assert staff.post(f"/clinic/tasks/{task_id(house)}/acknowledge").status_code == 303
    rounds(house, 6)
    assert (len(house.bodies(FIRST)), house.bodies(SECOND)) == (2, [])
    assert "crisis" in house.tasks()
    (row,) = house.rows("select action, actor from audit where subject = 'task'")
    assert (row["action"], row["actor"].split(":")[0]) == ("acknowledged", "staff")


def test_a_second_cry_after_the_acknowledgement_is_news(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    with browser(house, "clinic") as staff:
        staff.post(f"/clinic/tasks/{task_id(house)}/acknowledge")
    house.clock.at += timedelta(minutes=1)
    house.text("I really want to die")
    house.turn()
    assert len(house.bodies(FIRST)) == 2
    assert house.rows("select times, acknowledged_at from tasks where kind = 'crisis'") == [
        {"times": 2, "acknowledged_at": None}
    ]


def test_a_second_cry_that_nobody_has_answered_rings_at_once_however_rare_the_reminders_have_become(
    house: House,
) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    rounds(house, SAFETY_OFTEN)
    heard = len(house.bodies(FIRST))
    house.text("I will do it now, I want to die")
    house.turn()
    assert len(house.bodies(FIRST)) == heard + 1


def test_a_new_cry_after_the_acknowledgement_is_repeated_like_a_first_one(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    rounds(house, SAFETY_OFTEN)
    with browser(house, "clinic") as staff:
        staff.post(f"/clinic/tasks/{task_id(house)}/acknowledge")
    house.clock.at += timedelta(days=1)
    house.text(CRY)
    house.turn()
    heard = len(house.bodies(FIRST))
    rounds(house, 3)
    assert len(house.bodies(FIRST)) == heard + 3


def test_a_task_raised_again_and_again_rings_no_more_often_than_each_minute(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    house.turn()
    for n in range(1, 13):
        house.clock.at += timedelta(seconds=10)
        house.text(f"my chest pain is back, {n}")
        house.turn()
    assert len(house.bodies(FIRST)) == 3


def test_closing_the_task_stops_the_reminders_too(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    house.turn()
    with browser(house, "clinic") as staff:
        staff.post(f"/clinic/tasks/{task_id(house, 'urgent')}/done", data={"outcome": "spoke with him"})
    rounds(house, 3)
    assert len(house.bodies(FIRST)) == 1
    assert house.tasks() == {}


@pytest.mark.parametrize(("how", "said"), [("acknowledge", {}), ("done", {"outcome": "spoke with him"})])
def test_what_a_busy_carrier_has_not_taken_yet_is_taken_back_once_somebody_has_seen_the_task(
    house: House, how: str, said: dict[str, str]
) -> None:
    house.opt_in()
    house.text("I have chest pain")
    house.carrier.faults.rate("429", 1)
    house.turn()
    with browser(house, "clinic") as staff:
        assert staff.post(f"/clinic/tasks/{task_id(house, 'urgent')}/{how}", data=said).status_code == 303
    house.carrier.faults.clear()
    rounds(house, 3)
    assert house.bodies(FIRST) == []
    assert {(row["status"], row["reason"]) for row in outbound(house, "key = 'on_call'")} == {
        ("refused", "somebody has seen the task")
    }


def test_after_hours_of_a_busy_carrier_the_contact_is_told_once_and_operators_know(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    house.carrier.faults.rate("429", 1)
    house.turn()
    rounds(house, 4)
    assert "on_call_unreachable" in house.tasks()
    house.carrier.faults.clear()
    rounds(house, 1)
    assert (len(house.bodies(FIRST)), len(house.bodies(SECOND))) == (1, 1)


def test_night_pause_and_a_stopped_sender_do_not_hold_back_the_on_call_text(house: House) -> None:
    house.opt_in()
    house.clock.at += timedelta(hours=17)  # 2 in the morning
    house.rows("update senders set paused_reason = 'filtered'")
    with browser(house, "ops") as ops:
        ops.post("/ops/pause", data={"value": "on"})
    assert "988" in house.text(CRY)[0]
    house.turn()
    assert len(house.bodies(FIRST)) == 1


def test_an_ordinary_task_wakes_nobody(house: House) -> None:
    house.opt_in()
    house.text("please call me")
    house.turn()
    assert "contact_human" in house.tasks()
    assert house.bodies(FIRST) == []


UNREACHABLE = [("refused", 21614), ("refused", 21610), ("fails", 30005), ("fails", 30003), ("fails", 39999)]


@pytest.mark.parametrize(("fault", "code"), UNREACHABLE)
def test_an_on_call_text_that_fails_is_an_operators_task_and_the_second_contact_is_told_at_once(
    house: House, fault: str, code: int
) -> None:
    house.opt_in()
    house.text(CRY)
    house.carrier.faults.plan(fault, code=code)
    house.turn()
    house.turn()
    (task,) = house.rows("select * from tasks where kind = 'on_call_unreachable'")
    assert (task["operators"], task["urgent"], task["announce_at"]) == (True, False, None)
    assert task["why"] == (
        f"the on-call contact of {SITE.name} could not be texted ({outcome(code).words}): phone them, and correct the number"
    )
    (told,) = house.bodies(SECOND)
    assert f"urgent task {task_id(house)} needs a person" in told
    assert house.tasks().keys() == {"crisis", "on_call_unreachable"}
    with browser(house, "ops") as ops:
        assert "The on-call contact could not be texted" in ops.get("/ops").text


def test_a_second_site_whose_contact_cannot_be_texted_is_named_as_well_and_once(house: House) -> None:
    hill = SITE.__dict__ | {"name": "Hill Imaging", "on_call_phone": "+12125550171", "on_call_phone_2": None}
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        session.add(Site(clinic_id=house.clinic.clinic_id, **hill))
    house.book()
    house.book("S-2", patient_id="P-2", phone="+12125550156", site="Hill Imaging")
    house.turn()
    house.text(CRY)
    house.carrier.faults.rate("refused", 1, code=21614)
    house.turn()
    assert "Hill Imaging" not in house.tasks()["on_call_unreachable"]
    house.text(CRY, phone="+12125550156")
    house.turn()
    rounds(house, 2)
    why = house.tasks()["on_call_unreachable"]
    assert [why.count(f"the on-call contact of {name} ") for name in (SITE.name, "Hill Imaging")] == [1, 1]


def test_a_task_raised_without_end_says_no_more_than_can_be_read(house: House) -> None:
    for n in range(100):
        with house.parts.database.clinic(house.clinic.clinic_id) as session:
            open_task(session, house.clinic.clinic_id, "sender_stopped", now=house.clock.at, why=f"reason no. {n}")
    why = house.tasks()["sender_stopped"]
    assert why.startswith("reason no. 0; reason no. 1; reason no. 2; ")
    assert len(why) <= WHY_AT_MOST


def test_a_number_that_stays_dead_is_one_task_and_brings_forward_one_announcement_only(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.carrier.faults.rate("refused", 1, code=21614)
    house.turn()
    assert [row["phone"] for row in outbound(house, "key = 'on_call'")] == [FIRST, FIRST, SECOND]
    rounds(house, 3)
    assert [row["phone"] for row in outbound(house, "key = 'on_call'")][3:] == [FIRST, SECOND] * 3
    assert house.rows("select times from tasks where kind = 'on_call_unreachable'") == [{"times": 9}]
    assert house.rows("select announced from tasks where kind = 'crisis'") == [{"announced": 5}]


def test_without_a_second_contact_the_task_is_all_and_the_first_is_told_again_as_ever(house: House) -> None:
    house.opt_in()
    house.rows("update sites set on_call_phone_2 = null")
    house.text(CRY)
    house.carrier.faults.rate("refused", 1, code=21614)
    house.turn()
    rounds(house, 2)
    assert [row["phone"] for row in outbound(house, "key = 'on_call'")] == [FIRST] * 3
    assert house.tasks().keys() == {"crisis", "on_call_unreachable"}


def test_the_next_alarm_goes_to_both_at_once_until_the_first_can_be_texted_again(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    house.carrier.faults.plan("fails", code=30003)
    oncall.announce_due(house.parts, house.clinic.clinic_id, house.clock.at)
    delivery.send_due(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    assert house.carrier.wait_idle(IDLE)  # a whole turn might see the receipt already and announce once more
    house.clock.at += timedelta(minutes=1)
    house.text(CRY)
    house.turn()  # the first text's receipt has come by now: both tasks go to both contacts
    crisis = f"urgent task {task_id(house)} "
    assert [sum(crisis in body for body in house.bodies(phone)) for phone in (FIRST, SECOND)] == [1, 1]
    house.rows("update tasks set closed_at = :now, announce_at = null", now=house.clock.at)
    house.clock.at += timedelta(minutes=1)
    house.text(CRY)
    house.turn()
    crisis = f"urgent task {task_id(house)} "
    assert [sum(crisis in body for body in house.bodies(phone)) for phone in (FIRST, SECOND)] == [1, 0]


def test_a_second_contact_that_cannot_be_texted_is_an_operators_task_and_brings_nothing_forward(house: House) -> None:
    house.opt_in()
    house.text(CRY)
    house.turn()
    rounds(house, 3)
    (second,) = outbound(house, f"phone = '{SECOND}'")
    house.rows("update outbound set status = 'sent' where id = :id", id=second["id"])  # its delivery was not so
    receipt(house, second["ref"], "undelivered", second["provider_sid"], ErrorCode="30005")
    house.turn()
    assert (len(house.bodies(FIRST)), len(outbound(house, f"phone = '{SECOND}'"))) == (4, 1)
    assert house.tasks().keys() == {"crisis", "on_call_unreachable"}


@pytest.mark.parametrize(("fault", "code"), [("fails", 30001), ("refused", 21611)])
def test_a_passing_failure_is_tried_again_and_tells_neither_operators_nor_the_second_contact(
    house: House, fault: str, code: int
) -> None:
    house.opt_in()
    house.text(CRY)
    house.carrier.faults.plan(fault, code=code)
    house.turn()
    assert [row["status"] for row in outbound(house, "key = 'on_call'")] == ["queued"]
    house.clock.at += timedelta(minutes=3)
    house.turn()
    assert (len(house.bodies(FIRST)), len(house.bodies(SECOND))) == (1, 0)
    assert house.tasks().keys() == {"crisis"}
