"""The guide as a page: who gets to see it, each way in which a link is dead, both languages, and what it never says."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from flows.check import TOPICS
from flows.journey import Visit, plan
from messages.catalog import MORE, catalog
from service import guide_links
from service.calendar_entry import Entry, icalendar
from service.demo_data import PATIENT_NUMBER
from service.guide_page import GROUPS, STEPS
from service.store.focus import focus_on_scan
from tests.house import THURSDAY_915, House

AGREED = """
    insert into consents (clinic_id, patient_id, contact_point_id, kind, given, obtained_by, how, at)
    select clinic_id, patient_id, contact_point_id, kind, true, 'patient', 'text', :at
    from scans, unnest(array['texts', 'detail']) kind
"""
TAKES_BACK = """
    insert into consents (clinic_id, patient_id, contact_point_id, kind, given, obtained_by, how, at)
    select clinic_id, patient_id, contact_point_id, 'detail', false, 'patient', 'text', :at from scans
"""


def link(house: House, **changes: str) -> str:
    """A patient who agreed to everything, and the path of his link."""
    house.book(**changes)
    house.rows(AGREED, at=house.clock.at)
    return minted(house)


def minted(house: House) -> str:
    """The path of a new link for the only scan."""
    clinic_id = house.clinic.clinic_id
    scan_id = house.rows("select id from scans")[0]["id"]
    with house.parts.database.clinic(clinic_id) as session:
        url = guide_links.mint(
            session, focus_on_scan(session, clinic_id, scan_id), str(house.web.base_url), house.clock.at
        )
    return httpx.URL(url).path


def words(page: httpx.Response) -> str:
    """What is to be read of a page."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


# The living link ----------------------------------------------------------------------------------------------------


def test_he_texts_for_it_and_the_link_in_the_answer_opens(house: House) -> None:
    house.opt_in()
    answer = " ".join(house.text("GUIDE"))
    found = re.search(r"https?://\S+/g/[\w-]{22}", answer)
    assert found, answer
    page = house.web.get(httpx.URL(found[0]).path)
    assert page.status_code == 200
    assert "Thursday, March 18" in words(page)


def test_the_page_says_when_where_and_how_in_the_sites_own_words(house: House) -> None:
    page = house.web.get(link(house))
    said = words(page)
    assert page.status_code == 200
    for wanted in (
        "Riverside Imaging", "Thursday, March 18", "9:15 am", "1200 Riverside Ave, Suite 340", "Park in lot B",
        "Drink 2 or 3 glasses of water", "Coffee is fine", "For 6 hours after the visit", "within 2 working days",
        "Did the scan show why my PSA rises?", "has not yet checked",
    ):  # fmt: skip
        assert wanted in said, wanted
    assert 'href="tel:+12125550142"' in page.text
    assert "openstreetmap.org/search?query=1200%20Riverside%20Ave%2C%20Suite%20340" in page.text
    assert page.text.count('href="tel:911"') >= 2
    assert page.text.count('href="tel:988"') >= 2
    assert page.text.count("<svg") == 6


def test_the_page_is_in_his_language_and_in_the_other_on_request(house: House) -> None:
    path = link(house, language="es")
    own, other, odd = (house.web.get(path + query) for query in ("", "?lang=en", "?lang=<b>"))
    assert '<html lang="es">' in own.text
    assert "jueves, 18 de marzo" in words(own)
    assert "Beba 2 o 3 vasos de agua" in words(own)
    assert '<html lang="en">' in other.text
    assert "Thursday, March 18" in words(other)
    assert odd.text == own.text


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("reason", ["staging", "recurrence", "advanced", "unknown"])
def test_every_answer_is_whole_and_asks_for_no_more_texts(house: House, language: str, reason: str) -> None:
    page = house.web.get(f"{link(house, reason=reason)}?lang={language}")
    said = words(page)
    assert page.text.count("<details") == sum(map(len, GROUPS.values()))
    assert not re.search(rf"\b({MORE[language]}|MENU)\b|[{{}}]", said)
    asked = re.search(r'<ul class="questions">(.*?)</ul>', page.text, re.DOTALL)
    assert asked
    assert asked[1].count("<li>") >= 2
    assert all(question.strip().endswith("?") for question in re.findall(r"<li>(.*?)</li>", asked[1]))


def test_every_topic_with_an_answer_of_its_own_stands_on_the_page_once() -> None:
    shown = [topic for topics in GROUPS.values() for topic in topics]
    answers = {topic for topic in TOPICS if topic in catalog().entries["en"]} - {"smalltalk"}
    assert len(shown) == len(set(shown))
    assert answers <= set(shown)


def test_the_steps_are_the_days_on_which_the_texts_go_out() -> None:
    zone = ZoneInfo("America/New_York")
    visit = Visit(THURSDAY_915 + timedelta(hours=3), THURSDAY_915 + timedelta(hours=4), zone, zone)
    rows = plan(visit, THURSDAY_915 - timedelta(days=30), opted_in=True)
    planned = {row.touchpoint: (row.due_at.astimezone(zone).date() - THURSDAY_915.date()).days for row in rows}
    assert {name: planned[name] for name, days in STEPS if days is not None} == {
        name: days for name, days in STEPS if days is not None
    }


@pytest.mark.parametrize(
    ("from_arrival", "here"),
    [
        (timedelta(days=-8), "Booked"),
        (timedelta(days=-7, hours=-8), "A week before"),
        (timedelta(days=-2), "Three days before"),
        (timedelta(days=-1), "The day before"),
        (timedelta(hours=-9), "The scan day"),
        (timedelta(hours=1), "The scan day"),
        (timedelta(hours=3), "Later that day"),
        (timedelta(days=1), "From the next day on"),
        (timedelta(days=20), "Four days after"),
    ],
)
def test_the_present_step_is_marked(house: House, from_arrival: timedelta, here: str) -> None:
    path = link(house)
    house.clock.at = THURSDAY_915 + from_arrival
    marked = re.findall(r'aria-current="step">\s*<h3>(.*?) <span', house.web.get(path).text, re.DOTALL)
    assert marked == [here]


# The dead link ------------------------------------------------------------------------------------------------------


def takes_back(house: House) -> None:
    """He no longer wants the scan named."""
    house.rows(TAKES_BACK, at=house.clock.at)


def moves_phone(house: House) -> None:
    """The clinic books the same scan again, on another number, where he also agrees."""
    house.book(phone="+12125550187")
    house.rows(AGREED, at=house.clock.at)


def grows_old(house: House) -> None:
    """A month has passed."""
    house.clock.at = THURSDAY_915 + timedelta(days=30, seconds=1)


def updates(statement: str) -> Callable[[House], None]:
    """A change of rows."""

    def change(house: House) -> None:
        house.rows(f"{statement} where cast(:at as timestamptz) is not null", at=house.clock.at)

    return change


DEATHS = {
    "opted out": updates("update contact_points set opted_out_at = :at, opted_out_how = 'STOP'"),
    "frozen": updates("update contact_points set frozen_at = :at, frozen_why = 'wrong number'"),
    "stopped": updates("update patients set stopped_at = :at"),
    "cancelled": updates("update scans set state = 'cancelled'"),
    "no show": updates("update scans set state = 'no_show'"),
    "consent withdrawn": takes_back,
    "another phone": moves_phone,
    "a month later": grows_old,
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_dead_link_looks_like_one_that_never_was(house: House, death: str) -> None:
    path = link(house)
    assert house.web.get(path).status_code == 200
    DEATHS[death](house)
    never = house.web.get("/g/" + "A" * 22)
    for query in ("", "?lang=es", "/visit.ics"):
        page = house.web.get(path + query)
        assert (page.status_code, page.text) == (404, never.text)
        assert _headers(page) == _headers(never)
    for name in ("Walter", "Riverside", "PSMA", "scan", "March", "555"):
        assert name not in words(never)
    assert "This page is not available" in words(never)
    assert "Esta página no está disponible" in words(never)


def _headers(page: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in page.headers.items() if name not in ("date", "server")}


def test_without_the_consent_to_name_the_scan_there_is_nothing_to_see(house: House) -> None:
    house.book()
    assert house.web.get(minted(house)).status_code == 404


def test_just_before_a_month_has_passed_it_still_opens(house: House) -> None:
    path = link(house)
    house.clock.at = THURSDAY_915 + timedelta(days=30)
    assert house.web.get(path).status_code == 200


def test_a_moved_scan_keeps_its_link_and_shows_the_new_time(house: House) -> None:
    path = link(house)
    house.book(arrival_at="2027-03-22T14:30", starts_at="2027-03-22T15:30")
    said = words(house.web.get(path))
    assert "Monday, March 22" in said
    assert "2:30 pm" in said


# What it never tells, and to whom -----------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?lang=es", "/visit.ics"])
def test_nothing_of_it_is_kept_indexed_or_passed_on(house: House, query: str) -> None:
    page = house.web.get(link(house) + query)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in page.headers


def test_the_page_needs_no_script_and_names_neither_him_nor_his_phone(house: House) -> None:
    page = house.web.get(link(house))
    assert page.headers["content-security-policy"].startswith("default-src 'self'")
    assert '<meta name="robots" content="noindex' in page.text
    for never in ("<script", " style=", " onclick", "Walter", PATIENT_NUMBER, "555-0123", "P-1", "S-1"):
        assert never not in page.text, never
    title = re.search(r"<title>(.*?)</title>", page.text)
    assert title
    assert title[1] == "Your visit"  # it stands in the browser's history and in previews of the link


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_can_only_be_looked_at(house: House, method: str) -> None:
    assert house.web.request(method, link(house)).status_code == 405


def test_the_token_itself_is_nowhere_in_the_database(house: House) -> None:
    token = link(house).rpartition("/")[2]
    assert len(token) == 22
    assert token not in str(house.rows("select * from guide_links"))


# The calendar -------------------------------------------------------------------------------------------------------


def read(content: bytes) -> dict[str, str]:
    """The properties of a calendar's one event, unfolded and unescaped."""
    text = content.decode().replace("\r\n ", "")
    pairs = (line.split(":", 1) for line in text.split("\r\n") if ":" in line)
    return {name: re.sub(r"\\([\\;,])", r"\1", value) for name, value in pairs}


@pytest.mark.parametrize(("language", "summary"), [("en", "Imaging visit"), ("es", "Cita de imagen")])
def test_the_visit_goes_into_his_calendar_discreetly(house: House, language: str, summary: str) -> None:
    path = link(house)
    answer = house.web.get(f"{path}/visit.ics?lang={language}")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    event = read(answer.content)
    assert event["SUMMARY"] == summary
    assert event["DTSTART"] == "20270318T131500Z"
    assert event["DTEND"] == "20270318T141500Z"
    assert event["LOCATION"] == "Riverside Imaging, 1200 Riverside Ave, Suite 340"
    assert "PSMA" not in answer.text
    house.book(arrival_at="2027-03-22T14:30", starts_at="2027-03-22T15:30")
    moved = read(house.web.get(f"{path}/visit.ics").content)
    assert moved["UID"] == event["UID"]
    assert int(moved["SEQUENCE"]) > int(event["SEQUENCE"])
    assert moved["DTSTART"] == "20270322T183000Z"


def test_long_lines_are_folded_between_letters_and_read_back_the_same() -> None:
    place = "Clínica; del Río, 3\\4 " + "ñandú " * 30
    content = icalendar(Entry("v", 3, THURSDAY_915, "Cita", place), datetime(2027, 3, 1, tzinfo=UTC))
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert all(line.decode() is not None for line in content.split(b"\r\n"))
    assert read(content)["LOCATION"] == place
