"""The guide as a page in a real browser: phone and desk, light and dark, both languages, judged by axe and on paper."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from tests.conftest import OUTPUT
from tests.house import THURSDAY_915, House
from tests.service.test_guide_page import link

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
AXE = (Path(__file__).parent / "vendor" / "axe-core-4.14.1.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SIZES = {"phone": {"width": 360, "height": 740}, "desk": {"width": 1280, "height": 900}}
WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"


def violations(page: Page) -> list[str]:
    """What axe finds against the rules, each with the first place."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run({runOnly: rules})", RULES)
    assert found["passes"], "axe has looked at nothing"
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]


def at(house: House, days: int) -> str:
    """The address of a link, `days` from the visit."""
    path = link(house)
    house.clock.at = THURSDAY_915 + timedelta(days=days)
    return str(house.web.base_url.join(path))


@pytest.mark.parametrize(  # each two of them meet once
    ("language", "scheme", "size"),
    [("en", "light", "desk"), ("en", "dark", "phone"), ("es", "dark", "desk"), ("es", "light", "phone")],
)
def test_everyone_can_read_it(
    house: House, browser: Browser, size: str, scheme: Literal["light", "dark"], language: str
) -> None:
    url = at(house, days=-2)
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{url}?lang={language}")
    page.wait_for_load_state("load")
    page.screenshot(path=OUTPUT / f"guide-{size}-{scheme}-{language}.png", full_page=True)
    assert violations(page) == []
    page.evaluate(OPEN_ALL)
    assert violations(page) == []
    assert not page.evaluate(WIDE)
    assert said == []
    context.close()


def test_it_fits_a_narrow_phone_and_letters_twice_as_large(house: House, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640})
    page.goto(at(house, days=-2))
    page.evaluate(OPEN_ALL)
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "20px"
    assert not page.evaluate(WIDE)
    page.evaluate("document.documentElement.style.fontSize = '250%'")
    assert not page.evaluate(WIDE)
    page.screenshot(path=OUTPUT / "guide-twice-as-large.png")
    page.close()


def test_it_works_without_script_and_by_keyboard(house: House, browser: Browser) -> None:
    context = browser.new_context(viewport=SIZES["phone"], java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(at(house, days=-2))
    answer = page.locator("#after_scan .said")
    assert not answer.is_visible()
    page.locator("#after_scan summary").focus()
    page.keyboard.press("Enter")
    assert answer.is_visible()
    page.get_by_role("link", name="Español").click()
    assert page.locator("html").get_attribute("lang") == "es"
    context.close()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("paper", ["Letter", "A4"])
def test_it_prints_on_two_or_three_sheets(house: House, browser: Browser, language: str, paper: str) -> None:
    page = browser.new_page()
    page.goto(f"{at(house, days=-2)}?lang={language}")
    path = OUTPUT / f"guide-{paper}-{language}.pdf"
    page.pdf(path=path, format=paper)
    assert len(re.findall(rb"/Type\s*/Page\b", path.read_bytes())) in (2, 3)
    page.close()


def test_a_link_that_leads_nowhere_can_be_read_by_everyone_too(house: House, browser: Browser) -> None:
    page = browser.new_page(viewport=SIZES["phone"])  # type: ignore[arg-type]
    page.goto(str(house.web.base_url.join(f"/g/{'A' * 22}")))
    assert violations(page) == []
    page.screenshot(path=OUTPUT / "guide-gone.png")
    page.close()
