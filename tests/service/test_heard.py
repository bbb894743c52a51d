"""What the staff's pages say of each text that a patient wrote: answered only where something was answered."""

from datetime import timedelta

from service.demo_data import PATIENT_NUMBER
from tests.house import House
from tests.service.signed import browser


def said_under(page: str, words: str) -> str:
    """What the thread says under the newest bubble with these words."""
    thread = page[page.index('data-testid="thread"') :]
    bubble = thread[thread.rindex(f">{words}<") :]
    return bubble[: bubble.index("</small>")]


def test_a_text_that_was_answered_says_so(house: House) -> None:
    house.opt_in()
    house.text("does it hurt")
    with browser(house, "clinic") as staff:
        assert said_under(staff.get("/clinic/scans/S-1").text, "does it hurt").endswith("answered")
        assert "does it hurt" not in staff.get("/clinic/unanswered").text


def test_what_the_loop_guard_kept_silent_about_is_not_called_answered(house: House) -> None:
    house.opt_in()
    for _ in range(6):
        house.clock.at += timedelta(seconds=5)
        house.text("does it hurt")
    with browser(house, "clinic") as staff:
        said = said_under(staff.get("/clinic/scans/S-1").text, "does it hurt")
        listed = staff.get("/clinic/unanswered").text
        assert "no automatic answer: many or identical texts in a short time; read by nobody yet" in said
        assert listed.count("no automatic answer") == 2  # four were answered
        assert "a choice was offered" not in listed
        (task,) = house.rows("select id from tasks where kind = 'loop'")
        staff.post(f"/clinic/tasks/{task['id']}/done", data={"outcome": "phoned him"})
        assert "a person has seen to it" in said_under(staff.get("/clinic/scans/S-1").text, "does it hurt")


def test_a_takeover_and_an_operators_pause_are_said_to_be_the_reason(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff, browser(house, "ops") as ops:
        staff.post("/clinic/scans/S-1/takeover", data={"hold": "yes"})
        house.text("does it hurt")
        staff.post("/clinic/scans/S-1/takeover", data={"hold": "no"})
        ops.post("/ops/pause", data={"value": "on"})
        house.text("how do I get ready?")
        page = staff.get("/clinic/scans/S-1").text
    assert "no automatic answer: a member of staff was writing with him" in said_under(page, "does it hurt")
    assert "no automatic answer: sending is paused" in said_under(page, "how do I get ready?")


def test_what_was_not_answered_names_the_patient_and_leads_to_his_scan(house: House) -> None:
    house.opt_in()
    house.rows("update contact_points set opted_out_at = now()")
    house.text("how do I get ready?")
    house.text("hello?", phone="+12125550199")
    with browser(house, "clinic") as staff:
        listed = staff.get("/clinic/unanswered").text
    assert '<a href="/clinic/scans/S-1"><strong>Walter</strong> S-1</a>' in listed
    assert f'href="tel:{PATIENT_NUMBER}"' in listed
    assert "he has opted out of texts; read by nobody yet" in listed


def test_a_stop_that_the_carrier_answered_is_neither_silent_nor_ours(house: House) -> None:
    house.opt_in()
    house.rows("update senders set keyword_handling = 'default'")
    house.text("STOP")
    with browser(house, "clinic") as staff:
        assert "answered by the carrier" in said_under(staff.get("/clinic/scans/S-1").text, "STOP")
        assert "STOP" not in staff.get("/clinic/unanswered").text
