"""A newcomer's first ten minutes, in a real browser: one patient all the way through, with his clinic and an operator."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import OUTPUT
from tests.end_to_end.conftest import demo, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PATIENCE = 30_000


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that the database's own user can reach."""
    made = Path("/tmp") / f"scanguide-demo-{tmp_path_factory.mktemp('demo').parent.name}-{free_port()}"
    made.mkdir(mode=0o755)
    return made


def say(page: Page, words: str, answer: str) -> None:
    """Text something, and wait for the answer's bubble."""
    page.get_by_test_id("compose").fill(words)
    page.get_by_test_id("send").click()
    expect(page.get_by_test_id("bubble").filter(has_text=answer).last).to_be_visible(timeout=PATIENCE)


def jump(page: Page, touchpoint: str, text: str) -> None:
    """Move the clock to a touchpoint, and wait for its text."""
    page.get_by_test_id(f"clock-jump-{touchpoint}").first.click()
    expect(page.get_by_test_id("bubble").filter(has_text=text).last).to_be_visible(timeout=PATIENCE)


def log_in(browser: Browser, url: str, door: str, email: str, password: str) -> Page:
    """A page of its own, logged in at a door."""
    page = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    page.goto(f"{url}/{door}")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return page


def keep(page: Page, name: str) -> None:
    """Keep a screenshot as test output."""
    page.wait_for_load_state("load")
    page.screenshot(path=OUTPUT / f"{name}.png")


def test_one_patient_all_the_way_through(browser: Browser, folder: Path) -> None:
    with demo(folder, free_port()) as url:
        phone = browser.new_page(viewport=DESK)  # type: ignore[arg-type]
        phone.goto(f"{url}/phone/")
        expect(phone.get_by_test_id("bubble").filter(has_text="Is this visit yours?")).to_be_visible(timeout=PATIENCE)
        say(phone, "1", "May our texts name your scan")
        say(phone, "1", "our texts may name your PSMA PET scan")
        jump(phone, "about", "About your PSMA PET scan")
        jump(phone, "prepare", "Reply C to confirm you will come")
        say(phone, "C", "we have noted that you will come")
        say(phone, "Does it hurt?", "The scan does not hurt")
        keep(phone, "phone-desk")
        _look_at_the_doors(browser, url)
        jump(phone, "tomorrow", "what time should you arrive?")
        say(phone, "1", "That is right")
        jump(phone, "after", "If you had your visit today")
        jump(phone, "results", "goes over the results with you")
        say(phone, "What do my results mean?", "I cannot read or explain your own results")
        say(phone, "STOP", "no more texts from us")
        before = phone.get_by_test_id("bubble").count()
        phone.get_by_test_id("clock-plus-day").click()
        expect(phone.get_by_test_id("clock-status")).to_have_text("Ready", timeout=PATIENCE)
        assert phone.get_by_test_id("bubble").count() == before
        small = browser.new_page(viewport=PHONE)  # type: ignore[arg-type]
        small.goto(f"{url}/phone/")
        expect(small.get_by_test_id("bubble").last).to_be_visible(timeout=PATIENCE)
        keep(small, "phone-phone")
        for page in (phone, small):
            page.close()
    _start_again(browser, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _start_again(browser: Browser, folder: Path) -> None:
    """A second start finds its data: he is still opted out, and comes back."""
    with demo(folder, free_port()) as url:
        phone = browser.new_page()
        phone.goto(f"{url}/phone/")
        expect(phone.get_by_test_id("bubble").filter(has_text="no more texts from us").last).to_be_visible(
            timeout=PATIENCE
        )
        say(phone, "START", "you will get our texts again")
        phone.close()


def _look_at_the_doors(browser: Browser, url: str) -> None:
    """Every page of staff and operators shows the same journey; screenshots kept. On a phone: test_staff_in_chromium.py."""
    clinic = log_in(browser, url, "clinic", "nurse@demo.test", "demo-nurse")
    expect(clinic.get_by_text("Says he will come")).to_be_visible()
    keep(clinic, "clinic-scans")
    clinic.get_by_text("Walter").click()
    expect(clinic.get_by_test_id("timeline").get_by_text("How to prepare")).to_be_visible()
    expect(clinic.get_by_test_id("thread").get_by_text("Does it hurt?")).to_be_visible()
    keep(clinic, "clinic-scan")
    for path in ("tasks", "unanswered", "book"):
        clinic.goto(f"{url}/clinic/{path}")
        keep(clinic, f"clinic-{path}")
    ops = log_in(browser, url, "ops", "ops@demo.test", "demo-operator")
    expect(ops.get_by_text("since the ticker's beat")).to_be_visible()
    keep(ops, "ops")
    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not clinic.evaluate(wide)
    assert not ops.evaluate(wide)
    clinic.close()
    ops.close()
