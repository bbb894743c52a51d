"""`scanguide doctor` asks the carrier how our numbers are set up, and calls the fallback as the carrier would."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response

from flows.shipped import script
from service.carrier_setup import PLACEHOLDER
from service.demo_data import CLINIC_NUMBER
from service.doctor import Finding, examine
from simulator.carrier import Number
from tests.house import House, serving

FALLBACK = Path(__file__).parents[2] / "deploy/fallback.xml"
GOOD = FALLBACK.read_text().replace(PLACEHOLDER, "(212) 555-0142")


@contextmanager
def hosted(
    body: str, *, status: int = 200, kind: str = "text/xml", methods: tuple[str, ...] = ("POST",)
) -> Iterator[str]:
    """A host apart that answers with a fallback; yields its address."""
    app = FastAPI()

    @app.api_route("/fallback.xml", methods=list(methods))
    def fallback(request: Request) -> Response:
        return Response(body, status, media_type=kind)

    with serving(app) as url:
        yield f"{url}/fallback.xml"


def about_the_number(house: House, **setup: Any) -> list[Finding]:
    """What the doctor says of the clinic's number, set up like this at the carrier."""
    house.carrier.set_number(Number(CLINIC_NUMBER, **setup))
    return [finding for finding in examine(house.settings) if CLINIC_NUMBER in finding.what]


def complaint(house: House, **setup: Any) -> str:
    """The one thing that is wrong."""
    (finding,) = about_the_number(house, **setup)
    assert not finding.ok
    return finding.what


def good_url(house: House) -> str:
    """What the inbound webhook should be."""
    return f"{house.settings.public_url}/twilio/inbound#rc=5&rp=all"


def test_a_number_that_is_tried_again_and_has_a_fallback_is_well(house: House) -> None:
    with hosted(GOOD) as url:
        (finding,) = about_the_number(house, inbound_url=good_url(house), fallback_url=url)
    assert finding.ok


@pytest.mark.parametrize("fragment", ["", "#rc=1&rp=all", "#rc=5", "#rc=5&rp=5xx"])
def test_a_webhook_that_is_not_tried_again_is_named(house: House, fragment: str) -> None:
    with hosted(GOOD) as url:
        said = complaint(house, inbound_url=good_url(house).partition("#")[0] + fragment, fallback_url=url)
    assert "not tried again" in said
    assert said.endswith("#rc=5&rp=all")


def test_a_webhook_that_goes_elsewhere_is_named_with_where_it_should_go(house: House) -> None:
    with hosted(GOOD) as url:
        said = complaint(house, inbound_url="https://old.test/sms#rc=5&rp=all", fallback_url=url)
    assert "https://old.test/sms" in said
    assert good_url(house) in said


def test_a_number_without_a_fallback_is_named(house: House) -> None:
    assert "hears nothing" in complaint(house, inbound_url=good_url(house))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"body": GOOD, "status": 500}, "answers 500 to POST"),
        ({"body": GOOD, "methods": ("GET",)}, "answers 405 to POST"),
        ({"body": GOOD, "kind": "text/html"}, "is served as text/html"),
        ({"body": "<Response><Message>911 988"}, "is not valid TwiML"),
        ({"body": "<Response/>"}, "is not TwiML with a message"),
        ({"body": "<html><Message>911 988</Message></html>"}, "is not TwiML with a message"),
        ({"body": "<Response><Message>Call 911.</Message></Response>"}, "does not say 988"),
        ({"body": "<Response><Message>We are down.</Message></Response>"}, "does not say 911 or 988"),
        ({"body": FALLBACK.read_text()}, "still says CLINIC_PHONE"),
    ],
)
def test_a_fallback_that_would_fail_him_is_named(house: House, answer: dict[str, Any], words: str) -> None:
    with hosted(**answer) as url:
        assert words in complaint(house, inbound_url=good_url(house), fallback_url=url)


def test_a_fallback_that_nobody_serves_is_named(house: House) -> None:
    said = complaint(house, inbound_url=good_url(house), fallback_url="http://127.0.0.1:9/fallback.xml")
    assert "does not answer" in said


def test_a_fallback_is_asked_the_way_the_carrier_will_ask(house: House) -> None:
    with hosted(GOOD, methods=("GET",)) as url:
        (finding,) = about_the_number(house, inbound_url=good_url(house), fallback_url=url, fallback_method="GET")
    assert finding.ok


def test_a_number_that_is_not_of_this_account_is_named(house: House) -> None:
    house.rows("update senders set phone = '+12125550177'")
    said = [finding.what for finding in examine(house.settings) if "+12125550177" in finding.what]
    assert ["is it the right account" in words for words in said] == [True]


def test_refused_credentials_are_one_plain_finding(house: House) -> None:
    wrong = house.settings.model_copy(update={"twilio_auth_token": "wrong"})
    said = [finding for finding in examine(wrong) if "carrier does not answer" in finding.what]
    assert [finding.ok for finding in said] == [False]


def test_the_shipped_fallback_says_the_approved_words_and_nothing_else() -> None:
    approved = [
        script().texts.entry("fallback", language).bodies["general"].format_map({"phone": PLACEHOLDER})
        for language in ("en", "es")
    ]
    assert [line.strip() for line in FALLBACK.read_text().splitlines() if "<Message>" in line] == [
        f"<Message>{words}</Message>" for words in approved
    ]


def test_the_fallback_reaches_his_phone_while_all_of_us_is_down(house: House) -> None:
    with hosted(GOOD) as url:
        house.carrier.set_number(Number(CLINIC_NUMBER, "http://127.0.0.1:9/gone", "ours", fallback_url=url))
        english, spanish = house.text("is anyone there?")
    assert "call 911" in english
    assert "988" in spanish
