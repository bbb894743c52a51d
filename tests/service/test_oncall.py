"""An urgent text reaches the site's on-call contact, without the patient's words, until somebody has seen it."""

from datetime import timedelta

from service.demo_data import SITE
from tests.house import House
from tests.service.signed import browser

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


def test_closing_the_task_stops_the_reminders_too(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    house.turn()
    with browser(house, "clinic") as staff:
        staff.post(f"/clinic/tasks/{task_id(house, 'urgent')}/done", data={"outcome": "spoke with him"})
    rounds(house, 3)
    assert len(house.bodies(FIRST)) == 1
    assert house.tasks() == {}


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
