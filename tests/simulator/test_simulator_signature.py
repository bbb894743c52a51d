"""The carrier's signatures against published vectors, and live ones against the official validator."""

from importlib import import_module

import pytest

from simulator.carrier import Carrier
from simulator.signature import sign
from tests.simulator.conftest import CLINIC, PATIENT, TOKEN, Receiver

# The official package carries no types.
RequestValidator = import_module("twilio.request_validator").RequestValidator
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
CALL = {"CallSid": "CA1234567890ABCDE", "Digits": "1234", "To": "+18005551212"}
TEST_SDK = {**CALL, "From": "+14158675309", "Caller": "+14158675309"}
DOCS = {**CALL, "From": "+12349013030", "Caller": "+12349013030"}
SM = "SM00000000000000000000000000000001"
STOP = {
    "ToCountry": "US",
    "ToState": "CA",
    "SmsMessageSid": SM,
    "NumMedia": "0",
    "ToCity": "",
    "FromZip": "94107",
    "SmsSid": SM,
    "FromState": "CA",
    "SmsStatus": "received",
    "FromCity": "SAN FRANCISCO",
    "Body": "STOP",
    "FromCountry": "US",
    "To": "+15005550006",
    "ToZip": "",
    "OptOutType": "STOP",
    "NumSegments": "1",
    "MessageSid": SM,
    "AccountSid": "AC00000000000000000000000000000001",
    "From": "+15005550010",
    "ApiVersion": "2010-04-01",
    "MessagingServiceSid": "MG00000000000000000000000000000001",
}
BOT = "https://bot.example.org/twilio/inbound"


@pytest.mark.parametrize(
    ("url", "params", "expected"),
    [
        (URL, TEST_SDK, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        (URL, DOCS, "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        (URL.replace(".com/", ".com:443/"), TEST_SDK, "kvajT1Ptam85bY51eRf/AJRuM3w="),
        (URL.replace("https://mycompany.com/", "http://mycompany.com:80/"), TEST_SDK, "0ZXoZLH/DfblKGATFgpif+LLRf4="),
        (URL.replace("https://mycompany.com/", "http://mycompany.com:1234/"), TEST_SDK, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="),
        ("https://example.com/sms", {"Body": "¿Qué? 😀 +", "From": "+15005550006"}, "yHWT5mh95wiWjHsavpvhMVTrTd4="),
        (BOT, STOP, "iPQTfGsNJzZjlihe/uZ5QjSpBgs="),
        (BOT + "#rc=5&rp=all", STOP, "iPQTfGsNJzZjlihe/uZ5QjSpBgs="),
    ],
)
def test_published_vectors(url: str, params: dict[str, str], expected: str) -> None:
    assert sign(url, params.items(), TOKEN) == expected


def test_duplicate_parameters_are_sorted_and_signed_once() -> None:
    pairs = [("Sid", "CA123"), ("SidAccount", "AC123"), ("Digits", "5678"), ("Digits", "1234"), ("Digits", "1234")]
    assert sign(URL, pairs, TOKEN) == "IK+Dwps556ElfBT0I3Rgjkr1wJU="


@pytest.mark.parametrize("body", ["hello", "", "  ¿Dónde? 😀\n+1 & =\t"])
def test_live_webhooks_pass_the_official_validator(carrier: Carrier, receiver: Receiver, body: str) -> None:
    receiver.answer = lambda _: (200, '<Response><Message statusCallback="/status?id=a%20b">Hi</Message></Response>')
    carrier.text_in(PATIENT, CLINIC, body)
    assert carrier.wait_idle(5)
    assert len(receiver.hits) == 3
    for hit in receiver.hits:
        assert RequestValidator(TOKEN).validate(receiver.url + hit.path, hit.form, hit.headers["X-Twilio-Signature"])
