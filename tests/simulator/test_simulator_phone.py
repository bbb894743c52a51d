"""The phone in the browser, used as a person would use it."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from simulator.carrier import Carrier, Delays
from tests.simulator.conftest import CLINIC, PATIENT, Clock, Make, Receiver, form, serve

MOMENTS = [
    {"name": "prepare", "label": "prepare · Thu 12 Mar, 10:00 am", "at": "2026-03-12T14:00:00+00:00"},
    {"name": "today", "label": "today · Sun 15 Mar, 8:00 am", "at": "2026-03-15T12:00:00+00:00"},
]


def test_the_page_needs_nothing_from_elsewhere(api: httpx.Client) -> None:
    page = api.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "http://" not in page.text
    assert "https://" not in page.text
    assert "clock-slider" not in page.text
    assert api.get("/static/phone.js").status_code == api.get("/static/phone.css").status_code == 200


def test_changes_since_a_version(api: httpx.Client, carrier: Carrier) -> None:
    carrier.create(form())
    assert carrier.wait_idle(5)
    first = api.get("/messages.json").json()
    assert (first["numbers"], len(first["messages"])) == ([CLINIC], 1)
    assert first["messages"][0].items() >= {"phone": PATIENT, "direction": "in", "status": "delivered"}.items()
    assert api.get("/messages.json", params={"since": first["version"]}).json()["messages"] == []


@pytest.fixture
def page(make: Make, clock: Clock, receiver: Receiver, browser: Browser) -> Iterator[Page]:
    receiver.answer = lambda hit: (200, f"<Response><Message>You wrote: {hit.form['Body'][:1]}</Message></Response>")
    carrier = make(delays=Delays(0.05, 0.1))
    carrier.create(form(Body="Line one\n<b>not bold</b>"))
    with serve(carrier, clock_url="/clock") as api:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.route("**/clock", lambda route: _clock(route, clock))
        page.goto(str(api.base_url))
        yield page
        page.close()


def _clock(route: Any, clock: Clock) -> None:
    """Play the clock's endpoint, which belongs to whoever mounts the page."""
    if route.request.method == "POST":
        clock.at = clock.at.fromisoformat(route.request.post_data_json["to"])
        route.fulfill(status=202, json={})
    else:
        now = {"now": clock().isoformat(), "zone": "America/New_York", "moments": MOMENTS, "busy": False}
        route.fulfill(json=now)


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_conversation(page: Page) -> None:
    bubbles = page.get_by_test_id("bubble")
    expect(bubbles).to_have_count(1)
    expect(bubbles.first).to_contain_text("<b>not bold</b>")
    expect(bubbles.first).to_have_attribute("data-status", "delivered")
    page.get_by_test_id("compose").fill("hello")
    page.get_by_test_id("compose").press("Enter")
    expect(bubbles).to_have_count(3)
    expect(bubbles.nth(1)).to_have_attribute("data-direction", "out")
    expect(bubbles.nth(1)).to_have_attribute("data-status", "answered")
    expect(bubbles.nth(2)).to_contain_text("You wrote: h")
    page.get_by_test_id("chip-STOP").click()
    expect(bubbles).to_have_count(5)
    page.get_by_test_id("phone-new").click()
    page.get_by_test_id("phone-new-number").fill("+1 (212) 555-0199")
    page.get_by_test_id("phone-add").click()
    expect(bubbles).to_have_count(0)
    page.get_by_test_id("compose").fill("from a new phone")
    page.get_by_test_id("send").click()
    expect(bubbles).to_have_count(2)
    page.get_by_test_id("phone-select").select_option(PATIENT)
    expect(bubbles).to_have_count(5)


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_the_clock(page: Page) -> None:
    now = page.get_by_test_id("clock-now")
    expect(now).to_have_text("Sun 8 Mar, 10:00 am")
    page.get_by_test_id("clock-jump-prepare").click()
    expect(now).to_have_text("Thu 12 Mar, 10:00 am")
    expect(page.get_by_test_id("clock-jump-prepare")).to_be_disabled()
    expect(page.get_by_test_id("clock-status")).to_have_text("Ready")
    page.get_by_test_id("clock-slider").press("ArrowRight")
    expect(now).to_have_text("Thu 12 Mar, 10:15 am")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_test_id("clock-slider")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_what_is_still_on_its_way_is_not_on_the_phone_yet(make: Make, browser: Browser) -> None:
    carrier = make(delays=Delays(60, 60))
    carrier.text_in(PATIENT, CLINIC, "hello")
    carrier.create(form(Body="on its way"))
    with serve(carrier) as api:
        page = browser.new_page()
        page.goto(str(api.base_url))
        expect(page.get_by_test_id("bubble")).to_have_text([re.compile("hello")])
        page.close()
