"""Staff pages left open, in a real browser: they renew themselves and leave alone what the reader is doing."""

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import OUTPUT
from tests.end_to_end.test_guide_in_chromium import OPEN_ALL, violations
from tests.house import House
from tests.service.signed import browser as logged_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
A_TURN = 4_000  # of the pages' own polling, in milliseconds of the page's clock
FROM_END = "document.getElementById('thread').scrollTop"  # 0 at the newest text, negative above it
TOP_SEEN = """document.getElementById('in-3').getBoundingClientRect().top
    - document.getElementById('thread').getBoundingClientRect().top"""


@pytest.fixture
def page(house: House, browser: Browser) -> Iterator[Page]:
    """A desk's browser without anybody logged in, whose clock a test can move."""
    opened = browser.new_page(base_url=str(house.web.base_url), viewport=DESK)  # type: ignore[arg-type]
    opened.clock.install()
    yield opened
    opened.close()


def log_in(house: House, page: Page, door: str = "clinic") -> None:
    """Log in by the cookie that the form gives."""
    with logged_in(house, door) as client:
        value = client.cookies["scanguide"]
    page.context.add_cookies([{"name": "scanguide", "value": value, "url": str(house.web.base_url)}])


def test_an_urgent_task_appears_by_itself_and_leaves_alone_what_is_being_typed(house: House, page: Page) -> None:
    house.opt_in()
    house.text("please call me")
    log_in(house, page)
    page.goto("/clinic/tasks")
    outcome = page.get_by_label("What was done")
    outcome.fill("phoned him, no ans")
    house.text("I have chest pain")
    page.clock.fast_forward(A_TURN)
    expect(page.locator("[data-kind=urgent]")).to_be_visible()
    expect(page.locator("#bar .count")).to_contain_text("2")
    page.keyboard.type("wer")
    expect(page.locator("[data-kind=contact_human]").get_by_label("What was done")).to_have_value(
        "phoned him, no answer"
    )
    page.goto("/clinic/book")
    page.get_by_label("Appointment number").fill("S-9")
    house.text("I want to die")
    page.clock.fast_forward(A_TURN)
    expect(page.get_by_test_id("urgent")).to_contain_text("2 urgent tasks")
    expect(page.get_by_label("Appointment number")).to_be_focused()
    expect(page.get_by_label("Appointment number")).to_have_value("S-9")


def test_the_thread_opens_at_the_newest_text_and_keeps_the_readers_place(house: House, page: Page) -> None:
    house.opt_in()
    for question in ("does it hurt", "how do I get ready?", "how long does it take", "can I drive"):
        house.text(question)
    log_in(house, page)
    page.goto("/clinic/scans/S-1")
    page.set_viewport_size({"width": 1280, "height": 1800})
    newest = page.locator("#thread .bubble").last
    expect(newest).to_be_in_viewport()
    page.get_by_text("Read the text").first.click()
    house.text("is it dangerous")
    page.clock.fast_forward(A_TURN)
    expect(page.locator("#thread")).to_contain_text("is it dangerous")
    assert page.evaluate(FROM_END) == 0  # at the end it follows
    page.evaluate("document.getElementById('in-3').scrollIntoView()")
    house.text("I have chest pain")
    page.clock.fast_forward(A_TURN)
    expect(page.locator("#thread")).to_contain_text("I have chest pain")
    assert page.evaluate(FROM_END) < 0
    expect(page.get_by_text("Wrote of an urgent symptom")).to_be_visible()
    assert page.locator("details[open]").count() == 1
    assert abs(page.evaluate(TOP_SEEN)) < 2  # still where he was reading
    page.evaluate("window.scrollTo(0, 0)")
    page.screenshot(path=OUTPUT / "staff-scan-renewed.png", full_page=True)  # last: it lays the page out anew


def test_the_operators_page_keeps_the_keyboards_place(house: House, page: Page) -> None:
    house.opt_in()
    log_in(house, page, "ops")
    page.goto("/ops")
    button = page.get_by_role("button", name="Hold the clinic's texts")
    button.focus()
    house.text("I have chest pain")
    page.clock.fast_forward(A_TURN)
    expect(page.locator(".figure", has_text="urgent tasks unseen").locator("b")).to_have_text("1")
    expect(button).to_be_focused()


def test_a_page_left_open_after_the_log_in_has_ended_goes_to_the_log_in(house: House, page: Page) -> None:
    house.book()
    log_in(house, page)
    page.goto("/clinic/scans/S-1")
    page.context.clear_cookies()
    page.clock.fast_forward(A_TURN)
    expect(page).to_have_url(re.compile(r"/clinic/login$"))


@pytest.mark.parametrize("size", [DESK, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everyone_can_read_the_staffs_pages(
    house: House, browser: Browser, size: dict[str, int], scheme: Literal["light", "dark"]
) -> None:
    house.opt_in()
    for words in ("what is the capital of France", "I have chest pain"):
        house.text(words)
    context = browser.new_context(
        base_url=str(house.web.base_url),
        viewport=size,  # type: ignore[arg-type]
        color_scheme=scheme,
        bypass_csp=True,
    )
    page = context.new_page()
    log_in(house, page)
    for name in ("", "/tasks", "/scans/S-1", "/unanswered", "/book", "/scans/none"):
        page.goto(f"/clinic{name}")
        page.evaluate(OPEN_ALL)
        assert violations(page) == []
        assert not page.evaluate(WIDE)
        page.screenshot(path=OUTPUT / f"staff{name.replace('/', '-')}-{size['width']}-{scheme}.png", full_page=True)
    page.context.clear_cookies()
    log_in(house, page, "ops")
    page.goto("/ops")
    page.evaluate(OPEN_ALL)
    assert violations(page) == []
    assert not page.evaluate(WIDE)
    context.close()
