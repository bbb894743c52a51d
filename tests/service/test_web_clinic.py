"""The staff's pages, as a browser uses them: log in, see what is wrong first, book, move, end, and work off tasks."""

import dataclasses
import html
import re
from datetime import timedelta

import pytest

from service import schedule
from service.clinics import add_clinic, add_staff
from service.demo_data import SITE
from service.tasks import open_task
from tests.house import THURSDAY_915, House
from tests.service.signed import browser, stored

FORM = {
    "external_id": "S-7",
    "patient_id": "P-7",
    "given_name": "Otis",
    "phone": "(212) 555-0187",
    "arrival_at": "2027-03-22T11:30",
    "starts_at": "",
    "tracer": "Illuccix",
    "reason": "staging",
    "permission_how": "asked at the desk",
}
WORST = "<script>alert('x')</script> & <b>\"hi\"</b>"


# The door -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/book", "/tasks", "/scans/S-1", "/unanswered"])
def test_without_a_log_in_every_page_sends_to_the_log_in(house: House, path: str) -> None:
    house.book()
    answer = house.web.get(f"/clinic{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/clinic/login")
    assert "Walter" not in answer.text


def test_a_wrong_password_or_address_says_only_that_they_do_not_belong_together(house: House) -> None:
    add_staff(house.parts.database, house.clinic.clinic_id, "nurse@clinic.test", "Nurse", "correct horse")
    origin = {"Origin": str(house.web.base_url).rstrip("/")}
    said = set()
    for email, password in (("nurse@clinic.test", "wrong"), ("nobody@clinic.test", "correct horse"), ("' or 1=1", "")):
        data = {"email": email, "password": password or "x"}
        answer = house.web.post("/clinic/login", data=data, headers=origin)
        assert answer.status_code == 403
        assert "scanguide" not in answer.cookies
        assert f'value="{html.escape(email).replace("&#x27;", "&#39;")}"' in answer.text  # typed once is enough
        said.add(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(said) == 1


def test_the_cookie_cannot_be_read_by_scripts_or_sent_from_other_sites(house: House) -> None:
    add_staff(house.parts.database, house.clinic.clinic_id, "nurse@clinic.test", "Nurse", "correct horse")
    data = {"email": "Nurse@clinic.test ", "password": "correct horse"}
    answer = house.web.post("/clinic/login", data=data, headers={"Origin": str(house.web.base_url).rstrip("/")})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 303
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    house.web.cookies.clear()


def test_a_form_sent_by_another_site_is_refused_and_does_nothing(house: House) -> None:
    house.book()
    with browser(house, "clinic") as staff:
        before = stored(house)
        for origin in ("https://evil.example", "null", "http://127.0.0.1"):
            headers = {"Origin": origin}
            assert staff.post("/clinic/book", data=FORM, headers=headers).status_code == 403
            assert staff.post("/clinic/scans/S-1/end", data={"state": "cancelled"}, headers=headers).status_code == 403
            assert staff.post("/clinic/hold", data={"hold": "yes"}, headers=headers).status_code == 403
            for deed in ("hold", "number-is-right", "is-alive"):
                data = {"hold": "yes"}
                assert staff.post(f"/clinic/scans/S-1/{deed}", data=data, headers=headers).status_code == 403
            assert staff.post("/clinic/login", data={"email": "a", "password": "b"}, headers=headers).status_code == 403
        del staff.headers["Origin"]
        assert staff.post("/clinic/book", data=FORM).status_code == 403
        assert staff.post("/clinic/book", data=FORM, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert stored(house) == before


def test_logging_out_ends_it(house: House) -> None:
    with browser(house, "clinic") as staff:
        assert staff.get("/clinic").status_code == 200
        assert staff.post("/clinic/logout").status_code == 303
        assert staff.get("/clinic").status_code == 303


def test_pages_with_patients_are_never_kept_by_a_browser(house: House) -> None:
    house.book()
    with browser(house, "clinic") as staff:
        for path in ("/clinic", "/clinic/tasks", "/clinic/scans/S-1"):
            assert staff.get(path).headers["cache-control"] == "no-store"


# Scans --------------------------------------------------------------------------------------------------------------


def test_the_list_shows_scans_that_need_a_person_first(house: House) -> None:
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Abel", phone="+12125550124", arrival_at="2027-03-09T09:00",
               starts_at="2027-03-09T10:00")  # fmt: skip
    with browser(house, "clinic") as staff:
        assert staff.get("/clinic").text.index("S-2") < staff.get("/clinic").text.index("S-1")
        house.text("I have chest pain")
        page = staff.get("/clinic").text
        assert page.index("S-1") < page.index("S-2")
        assert "needs a person" in page
        assert "Thursday, March 18, 9:15 am" in page


def test_of_two_visits_at_one_phone_only_the_one_that_a_task_names_is_marked(house: House) -> None:
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Abel")
    house.text("I have chest pain")
    (task,) = house.rows("select s.external_id from tasks t join scans s on s.id = t.scan_id where t.kind = 'urgent'")
    assert task["external_id"] == "S-1"
    with browser(house, "clinic") as staff:
        listed = staff.get("/clinic").text
        rows = dict(re.findall(r'href="/clinic/scans/(S-.)">(.*?)</li>', listed, re.DOTALL))
        assert "1 urgent" in rows["S-1"]
        assert "urgent" not in rows["S-2"]
        assert "Wrote of an urgent symptom" not in staff.get("/clinic/scans/S-2").text
        house.rows("update tasks set scan_id = null")
        assert staff.get("/clinic").text.count("1 urgent</span>") == 2  # nobody knows which: both


def test_a_scan_is_booked_by_form_and_invited(house: House) -> None:
    with browser(house, "clinic") as staff:
        answer = staff.post("/clinic/book", data=FORM)
        assert (answer.status_code, answer.headers["location"]) == (303, "/clinic/scans/S-7")
        page = staff.get("/clinic/scans/S-7").text
    assert "Monday, March 22, 11:30 am" in page
    (consent,) = house.rows("select kind, obtained_by, how from consents")
    assert consent["kind"] == "permission"
    assert consent["obtained_by"].startswith("staff:")
    house.turn()
    assert len(house.bodies("+12125550187")) == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("phone", "555", "not a valid number"),
        ("phone", "no phone", "not a phone number"),
        ("arrival_at", "2027-03-01T09:00", "this moment has passed"),
        ("arrival_at", "2027-03-14T02:30", "skip this time that day"),
        ("starts_at", "2027-03-22T10:00", "cannot start before he arrives"),
        ("tracer", "Moonbeam", "has instructions for"),
        ("reason", "curiosity", "one of"),
        ("given_name", " ", "printable characters"),
        ("patient_id", "P 7", "letters, digits"),
        ("external_id", "S 7", "without spaces"),
        ("external_id", "S\x007", "without spaces"),
        ("permission_how", "  ", "how he agreed"),
        ("permission_how", "by\x00phone", ""),
    ],
)
def test_a_bad_field_comes_back_with_the_form_as_filled_in_and_nothing_stored(
    house: House, field: str, value: str, says: str
) -> None:
    with browser(house, "clinic") as staff:
        before = stored(house)
        answer = staff.post("/clinic/book", data={**FORM, field: value})
    assert answer.status_code == 422
    assert "Nothing was stored." in answer.text
    assert says in answer.text.lower()
    kept = {name: given for name, given in FORM.items() if name not in (field, "tracer", "reason") and given}
    assert [name for name, given in kept.items() if f'value="{given}"' not in answer.text] == []
    if field in ("phone", "arrival_at", "starts_at", "given_name", "patient_id", "permission_how"):
        assert f'id="{field}-error"' in answer.text
    assert stored(house) == before


def test_everything_that_is_wrong_is_said_at_once_in_the_words_of_the_form(house: House) -> None:
    wrong = {**FORM, "phone": "555", "arrival_at": "2027-03-01T09:00", "permission_how": " ", "external_id": "S 7"}
    with browser(house, "clinic") as staff:
        page = staff.post("/clinic/book", data=wrong).text
    assert [name for name in FORM if f'id="{name}-error"' in page] == [
        "external_id",
        "phone",
        "arrival_at",
        "permission_how",
    ]
    assert "such as (212) 555-0123." in page
    assert [name for name in ("patient.phone", "permission_how:", "arrival_at:", "+1212") if name in page] == []


def test_a_number_that_is_booked_already_is_refused_with_a_link_and_nothing_changed(house: House) -> None:
    house.book()
    with browser(house, "clinic") as staff:
        before = house.rows("select * from scans"), house.rows("select * from patients")
        answer = staff.post("/clinic/book", data={**FORM, "external_id": "S-1", "patient_id": "P-1"})
        assert answer.status_code == 422
        assert "Already booked: open it to move it." in answer.text
        assert '<a href="/clinic/scans/S-1">Open S-1</a>' in answer.text
        assert 'value="Otis"' in answer.text
    assert (house.rows("select * from scans"), house.rows("select * from patients")) == before


def test_booking_a_known_patient_keeps_his_language_and_zone_unless_one_is_chosen(house: House) -> None:
    house.book(language="es", zone="America/Chicago")
    said = "select language, zone from patients"
    with browser(house, "clinic") as staff:
        assert staff.post("/clinic/book", data={**FORM, "patient_id": "P-1"}).status_code == 303
        assert house.rows(said) == [{"language": "es", "zone": "America/Chicago"}]
        data = {**FORM, "external_id": "S-8", "patient_id": "P-1", "language": "en"}
        assert staff.post("/clinic/book", data=data).status_code == 303
    assert house.rows(said) == [{"language": "en", "zone": "America/Chicago"}]


def test_a_form_without_its_fields_is_refused(house: House) -> None:
    with browser(house, "clinic") as staff:
        before = stored(house)
        assert staff.post("/clinic/book", data={"external_id": "S-7"}).status_code == 422
        assert staff.post("/clinic/book", data={**FORM, "given_name": "W" * 600}).status_code == 422
    assert stored(house) == before


def test_a_scan_is_moved_and_told_once(house: House) -> None:
    house.opt_in()
    seen = len(house.bodies())
    with browser(house, "clinic") as staff:
        assert staff.post("/clinic/scans/S-1/move", data={"arrival_at": "2027-03-19T14:00"}).status_code == 303
        assert "Friday, March 19, 2:00 pm" in staff.get("/clinic/scans/S-1").text
        before = stored(house)
        for bad in ("2027-03-01T09:00", "2027-03-14T02:30", "soon", ""):
            assert staff.post("/clinic/scans/S-1/move", data={"arrival_at": bad}).status_code == 422
        assert stored(house) == before
    house.until(house.clock.at + timedelta(hours=1))
    assert len([body for body in house.bodies()[seen:] if "has moved" in body]) == 1


def test_a_move_that_cannot_be_says_so_at_its_field_and_keeps_what_was_typed(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff:
        data = {"arrival_at": "2027-03-01T09:00", "starts_at": "2027-03-01T10:00"}
        answer = staff.post("/clinic/scans/S-1/move", data=data)
        assert answer.status_code == 422
        assert 'id="arrival_at-error" role="alert">This moment has passed.</span>' in answer.text
        assert 'value="2027-03-01T09:00"' in answer.text
        assert 'value="2027-03-01T10:00"' in answer.text
        assert "ISO 8601" not in staff.post("/clinic/scans/S-1/move", data={"arrival_at": "soon"}).text
        late = {"arrival_at": "2027-03-19T14:00", "starts_at": "2027-03-19T13:00"}
        assert 'id="starts_at-error"' in staff.post("/clinic/scans/S-1/move", data=late).text


def test_a_page_that_is_not_there_has_the_navigation_and_a_way_back(house: House) -> None:
    with browser(house, "clinic") as staff, browser(house, "ops") as ops:
        lost = staff.get("/clinic/scans/S-404")
        assert lost.status_code == 404
        assert '<a href="/clinic/tasks"' in lost.text
        assert "Back to the scans" in lost.text
        assert '<a href="/ops">Back to operations</a>' in ops.post("/ops/clinics/999/pause", data={"value": "on"}).text


def test_every_ending_of_a_visit_is_asked_for_twice(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff:
        page = staff.get("/clinic/scans/S-1").text
    for state in ("completed", "no_show", "cancelled"):
        asked = page[page.index(f'<details class="confirm" id="end-{state}"><summary') :]
        assert f'value="{state}">Yes, ' in asked[: asked.index("</details>")]
        assert page.count(f'value="{state}"') == 1


@pytest.mark.parametrize(("state", "shown"), [("cancelled", "off"), ("completed", "done"), ("no_show", "did not come")])
def test_a_scan_is_ended_and_the_list_says_how(house: House, state: str, shown: str) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff:
        for _ in range(2):
            assert staff.post("/clinic/scans/S-1/end", data={"state": state}).status_code == 303
        assert f'">{shown}</span>' in staff.get("/clinic").text
        assert staff.post("/clinic/scans/S-1/end", data={"state": "vanished"}).status_code == 422
        assert staff.get("/clinic/scans/S-1").status_code == 200
    assert house.rows("select state from scans") == [{"state": state}]


def test_the_page_of_a_scan_tells_what_was_skipped_and_why(house: House) -> None:
    house.opt_in(detail=False)
    house.until(THURSDAY_915 - timedelta(days=2))
    with browser(house, "clinic") as staff:
        page = staff.get("/clinic/scans/S-1").text
    assert "About the scan" in page
    assert "He chose general texts" in page or "he chose general texts" in page
    assert "general texts only" in page


def test_a_patients_words_and_name_are_shown_and_never_run(house: House) -> None:
    house.book(given_name="<i>Walter</i>")
    house.turn()
    house.text(WORST)
    with browser(house, "clinic") as staff:
        pages = [staff.get(path).text for path in ("/clinic/scans/S-1", "/clinic/unanswered", "/clinic")]
        policy = staff.get("/clinic").headers["content-security-policy"]
    assert all("<script>alert" not in page and "<i>Walter" not in page for page in pages)
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &lt;b&gt;" in pages[0]
    assert "&lt;i&gt;Walter&lt;/i&gt;" in pages[2]
    assert "unsafe-inline" not in policy


def test_the_thread_shows_both_sides_in_order(house: House) -> None:
    house.book()
    house.turn()
    for answer in ("1", "2"):
        house.clock.at += timedelta(minutes=1)
        house.text(answer)
    with browser(house, "clinic") as staff:
        page = staff.get("/clinic/scans/S-1").text
    thread = page[page.index('data-testid="thread"') :]
    assert thread.count("bubble mine") == 4
    assert thread.index("you have an imaging visit") < thread.index(">1<small") < thread.index("Thank you.")


# Tasks --------------------------------------------------------------------------------------------------------------


def test_tasks_are_listed_most_pressing_first_acknowledged_and_closed(house: House) -> None:
    house.opt_in()
    house.text("please call me")
    house.text("I have chest pain")
    (task,) = house.rows("select id from tasks where kind = 'urgent'")
    with browser(house, "clinic") as staff:
        page = staff.get("/clinic/tasks").text
        assert page.index('data-kind="urgent"') < page.index('data-kind="contact_human"')
        assert "nobody has seen it" in page
        assert staff.post(f"/clinic/tasks/{task['id']}/acknowledge").status_code == 303
        assert "seen by someone" in staff.get("/clinic/tasks").text
        done = {"outcome": "sent him to the emergency room"}
        assert staff.post(f"/clinic/tasks/{task['id']}/done", data=done).status_code == 303
        assert 'data-kind="urgent"' not in staff.get("/clinic/tasks").text
        assert staff.post("/clinic/tasks/999/done").status_code == 404
    (row,) = house.rows("select closed_by, outcome from tasks where kind = 'urgent'")
    assert row["outcome"] == "sent him to the emergency room"
    assert row["closed_by"].startswith("staff:")


def test_a_task_shows_what_he_wrote_and_its_number_and_never_runs_it(house: House) -> None:
    house.opt_in()
    house.text(f"please call me {WORST}")
    (task,) = house.rows("select id from tasks")
    with browser(house, "clinic") as staff:
        for path in ("/clinic/tasks", "/clinic/scans/S-1"):
            page = staff.get(path).text
            wrote = page[page.index("He wrote:") :]
            assert wrote.index("please call me &lt;script&gt;") < 200
            assert "<script>alert" not in page
            assert f"task {task['id']}<" in page
        house.text("Can someone call me? " + "I would rather talk to a person than text about all this. " * 8)
        assert "<summary>More</summary>" in staff.get("/clinic/tasks").text


def test_an_urgent_task_is_done_only_with_words(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    (task,) = house.rows("select id from tasks")
    with browser(house, "clinic") as staff:
        answer = staff.post(f"/clinic/tasks/{task['id']}/done", data={"outcome": "  "})
        assert (answer.status_code, "Say what was done." in answer.text) == (422, True)
        assert house.rows("select closed_at from tasks") == [{"closed_at": None}]


def test_acknowledging_keeps_what_was_begun_to_be_written(house: House) -> None:
    house.opt_in()
    house.text("I have chest pain")
    (task,) = house.rows("select id from tasks")
    with browser(house, "clinic") as staff:
        answer = staff.post(f"/clinic/tasks/{task['id']}/acknowledge", data={"outcome": 'phoned, "no answer"'})
    assert "seen by someone" in answer.text
    assert 'value="phoned, &#34;no answer&#34;"' in answer.text


def test_after_a_safety_reply_only_a_release_lets_ordinary_texts_go_on(house: House) -> None:
    house.opt_in()
    house.text("I want to die")
    with browser(house, "clinic") as staff:
        assert "After a safety reply" in staff.get("/clinic/scans/S-1").text
        assert staff.post("/clinic/scans/S-1/release").status_code == 303
        assert "After a safety reply" not in staff.get("/clinic/scans/S-1").text
    assert house.rows("select care_pause from conversations") == [{"care_pause": False}]
    (line,) = house.rows("select detail from audit where action = 'care_released'")
    assert line["detail"]["by"].startswith("staff:")


def test_an_operators_task_is_not_the_clinics_to_close(house: House) -> None:
    house.opt_in()
    house.rows("update tasks set operators = true")
    house.text("please call me")
    house.rows("update tasks set operators = true")
    (task,) = house.rows("select id from tasks")
    with browser(house, "clinic") as staff:
        assert 'data-testid="task"' not in staff.get("/clinic/tasks").text
        assert staff.post(f"/clinic/tasks/{task['id']}/done").status_code in (404, 409)
    assert house.rows("select closed_at from tasks") == [{"closed_at": None}]


# Texts held, and what was misunderstood -----------------------------------------------------------------------------


def test_staff_hold_one_patients_texts_and_his_page_and_the_list_say_so(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff:
        assert "Hold his texts" in staff.get("/clinic/scans/S-1").text
        for bad in ({}, {"hold": "maybe"}):
            assert staff.post("/clinic/scans/S-1/hold", data=bad).status_code == 422
        assert staff.post("/clinic/scans/S-1/hold", data={"hold": "yes"}).status_code == 303
        page = staff.get("/clinic/scans/S-1").text
        assert "His texts are held</strong> since Monday, March 8" in page
        assert "Hold his texts" not in page
        assert "His texts are held" in staff.get("/clinic").text
        staff.post("/clinic/scans/S-1/hold", data={"hold": "no"})
        assert "His texts are held" not in staff.get("/clinic/scans/S-1").text + staff.get("/clinic").text


def test_staff_hold_all_texts_of_their_clinic_and_every_page_says_since_when(house: House) -> None:
    house.opt_in()
    pages = ("/clinic", "/clinic/tasks", "/clinic/unanswered", "/clinic/book", "/clinic/scans/S-1")
    banner = "All texts of Riverside are held</strong> since Monday, March 8, 9:00 am"
    with browser(house, "clinic") as staff:
        assert staff.post("/clinic/hold", data={"hold": "maybe"}).status_code == 422
        assert [path for path in pages if banner in staff.get(path).text] == []
        assert staff.post("/clinic/hold", data={"hold": "yes"}).status_code == 303
        assert [path for path in pages if banner not in staff.get(path).text] == []
        assert "Let all texts go on" in staff.get("/clinic").text
        staff.post("/clinic/hold", data={"hold": "no"})
        assert [path for path in pages if banner in staff.get(path).text] == []
    assert house.rows("select paused_at from clinics") == [{"paused_at": None}]


def test_the_page_offers_to_undo_a_wrong_number_only_where_there_is_one(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff:
        assert "The number is right after all" not in staff.get("/clinic/scans/S-1").text
        house.text("wrong number")
        assert "The number is right after all" in staff.get("/clinic/scans/S-1").text
        assert staff.post("/clinic/scans/S-1/number-is-right").status_code == 303
        assert "The number is right after all" not in staff.get("/clinic/scans/S-1").text
    assert "wrong_number" not in house.tasks()


def test_the_page_offers_to_undo_a_death_only_where_we_were_told_of_one(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as staff:
        assert "He is alive" not in staff.get("/clinic/scans/S-1").text
        house.text("My husband has passed away")
        assert "He is alive" in staff.get("/clinic/scans/S-1").text
        assert "No texts: we were told that he has died" in staff.get("/clinic").text
        assert staff.post("/clinic/scans/S-1/is-alive").status_code == 303
        assert "He is alive" not in staff.get("/clinic/scans/S-1").text
    assert "died" not in house.tasks()


# Other clinics ------------------------------------------------------------------------------------------------------


def test_staff_of_another_clinic_can_neither_open_nor_change_a_scan(house: House) -> None:
    house.opt_in()
    house.text("please call me")
    (task,) = house.rows("select id from tasks")
    facts = dataclasses.replace(SITE, name="Hillside Imaging")
    other = add_clinic(house.parts.database, "Hillside", "+12125550101", facts, now=house.clock.at)
    theirs = dataclasses.replace(house, clinic=other)
    with browser(theirs, "clinic") as staff:
        before = stored(house)
        assert staff.get("/clinic/scans/S-1").status_code == 404
        assert staff.post("/clinic/scans/S-1/end", data={"state": "cancelled"}).status_code == 404
        assert staff.post("/clinic/scans/S-1/move", data={"arrival_at": "2027-03-19T14:00"}).status_code == 404
        for deed in ("release", "number-is-right", "is-alive"):
            assert staff.post(f"/clinic/scans/S-1/{deed}").status_code == 404
        assert staff.post("/clinic/scans/S-1/hold", data={"hold": "yes"}).status_code == 404
        assert staff.post(f"/clinic/tasks/{task['id']}/done").status_code == 404
        assert "Walter" not in staff.get("/clinic").text + staff.get("/clinic/tasks").text
        assert stored(house) == before
    assert house.rows("select state from scans") == [{"state": "booked"}]


def test_a_list_too_long_for_the_page_keeps_who_needs_someone_and_what_is_ahead(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrivals = {"past": "2027-03-08T09:15", "ahead": "2027-03-19T09:15", "needs": "2027-03-20T09:15"}
    for n, (name, arrival) in enumerate(arrivals.items()):
        house.book(name, patient_id=name, phone=f"+1212555{2000 + n}", arrival_at=arrival,
                   starts_at=arrival.replace("T09", "T10"))  # fmt: skip
    house.clock.at += timedelta(days=2)
    house.rows("update tasks set closed_at = :now, announce_at = null", now=house.clock.at)
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        (needs,) = house.rows("select contact_point_id from scans where external_id = 'needs'")
        open_task(session, house.clinic.clinic_id, "crisis", now=house.clock.at, **needs)
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        listed = schedule.rows(session, house.clinic.clinic_id, house.clock.at, limit=2)
        assert [row.scan.external_id for row in listed] == ["needs", "ahead"]
    monkeypatch.setattr(schedule, "MOST", 3)
    with browser(house, "clinic") as nurse:
        assert "Only the first 3 scans are shown" in nurse.get("/clinic").text
