"""Twilio's REST contract for messages: create, fetch, list, redact, delete, and every refusal."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft4Validator

from simulator.carrier import Carrier, Delays, Number, RefusedError
from tests.simulator.conftest import CLINIC, PATH, PATIENT, SID, TOKEN, Clock, Make, form, serve

_CONTRACT = Path(__file__).parents[3] / "shared/twilio/messages_openapi.json"
SERVICE = "MG00000000000000000000000000000001"


def _nullable(node: Any) -> Any:
    """Turn OpenAPI 3.0's `nullable` into JSON Schema, and forbid what the contract does not name."""
    if isinstance(node, list):
        return [_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    schema = {key: _nullable(value) for key, value in node.items()}
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    if "sid" in schema.get("properties", {}) or "messages" in schema.get("properties", {}):
        schema |= {"additionalProperties": False, "required": list(schema["properties"])}
    return schema


@pytest.fixture
def contract() -> dict[str, Any]:
    if not _CONTRACT.exists():
        pytest.skip("the OpenAPI file is not beside the project")
    found: dict[str, Any] = _nullable(json.loads(_CONTRACT.read_text()))
    return found


def test_create_answers_201_and_a_queued_message(api: httpx.Client, carrier: Carrier) -> None:
    answer = api.post(f"{PATH}.json", data=form(Body="¿Sí?"))
    got = answer.json()
    assert answer.status_code == 201
    assert (got["status"], got["direction"], got["num_segments"]) == ("queued", "outbound-api", "1")
    assert (got["date_sent"], got["date_created"]) == (None, "Sun, 08 Mar 2026 14:00:00 +0000")
    assert carrier.wait_idle(5)
    fetched = api.get(f"{PATH}/{got['sid']}.json").json()
    assert (fetched["status"], fetched["date_sent"]) == ("delivered", "Sun, 08 Mar 2026 14:00:00 +0000")
    assert [message.body for message in carrier.received(PATIENT)] == ["¿Sí?"]


def test_everything_has_the_shape_of_the_contract(
    api: httpx.Client, carrier: Carrier, contract: dict[str, Any]
) -> None:
    created = api.post(f"{PATH}.json", data=form(StatusCallback="http://127.0.0.1:9/x")).json()
    carrier.text_in(PATIENT, CLINIC, "inbound")
    assert carrier.wait_idle(5)
    message = {**contract["components"]["schemas"]["api.v2010.account.message"], "components": contract["components"]}
    Draft4Validator(message).validate(created)
    page = contract["paths"]["/2010-04-01/Accounts/{AccountSid}/Messages.json"]["get"]["responses"]["200"]
    schema = {**page["content"]["application/json"]["schema"], "components": contract["components"]}
    listed = api.get(f"{PATH}.json").json()
    Draft4Validator(schema).validate(listed)
    assert len(listed["messages"]) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "2125550123"}, 21211),
        ({"To": CLINIC}, 21266),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"Body": "😀" * 801}, 21617),
        ({"From": ""}, 21603),
        ({"From": "+15005550007"}, 21606),
        ({"From": "", "MessagingServiceSid": SERVICE}, 21705),
        ({"StatusCallback": "nowhere"}, 21609),
        ({"StatusCallback": "http://a_b.example.org/"}, 21609),
        ({"StatusCallback": "http://example.org:99999/"}, 21609),
        ({"StatusCallback": "https://example.org/" + "a" * 4000}, 21609),
        ({"ValidityPeriod": "0"}, 21624),
        ({"ValidityPeriod": "36001"}, 21624),
        ({"ValidityPeriod": "soon"}, 21624),
    ],
)
def test_refusals(carrier: Carrier, changes: dict[str, str], code: int) -> None:
    with pytest.raises(RefusedError) as refusal:
        carrier.create(form(**changes))
    assert (refusal.value.status, refusal.value.code) == (400, code)
    assert carrier.messages() == []


def test_a_refusal_is_written_as_the_real_one(api: httpx.Client) -> None:
    answer = api.post(f"{PATH}.json", data=form(To="2125550123"))
    assert answer.status_code == 400
    assert answer.json() == {
        "code": 21211,
        "message": "The 'To' number is not a valid phone number.",
        "more_info": "https://www.twilio.com/docs/errors/21211",
        "status": 400,
    }


def test_wrong_credentials(carrier: Carrier) -> None:
    with serve(carrier) as api:
        url = str(api.base_url.join(f"{PATH}.json"))
        auths = [None, (SID, "wrong"), ("AC" + "9" * 32, TOKEN)]
        answers = [httpx.get(url, auth=auth) for auth in auths]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(401, 20003)] * 3


def test_unknown_sid_and_account(api: httpx.Client) -> None:
    for path in (f"{PATH}/SM{'0' * 32}.json", PATH.replace(SID, "AC" + "9" * 32) + ".json"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, 20404)


def test_redact_and_delete_leave_the_phone_alone(api: httpx.Client, carrier: Carrier) -> None:
    sid = api.post(f"{PATH}.json", data=form(Body="private")).json()["sid"]
    assert carrier.wait_idle(5)
    assert api.post(f"{PATH}/{sid}.json", data={"Body": ""}).json()["body"] == ""
    assert api.get(f"{PATH}/{sid}.json").json()["body"] == ""
    assert api.delete(f"{PATH}/{sid}.json").status_code == 204
    assert api.get(f"{PATH}/{sid}.json").status_code == 404
    assert api.get(f"{PATH}.json").json()["messages"] == []
    assert [message.body for message in carrier.received(PATIENT)] == ["private"]


def test_an_unfinished_message_is_cancelled_but_not_deleted(make: Make) -> None:
    carrier = make(delays=Delays(30, 60))
    with serve(carrier) as api:
        sid = api.post(f"{PATH}.json", data=form()).json()["sid"]
        assert api.delete(f"{PATH}/{sid}.json").json()["code"] == 20009
        assert api.post(f"{PATH}/{sid}.json", data={"Status": "canceled"}).json()["status"] == "canceled"
        assert api.post(f"{PATH}/{sid}.json", data={"Status": "canceled"}).status_code == 400
        assert api.post(f"{PATH}/{sid}.json", data={"Body": "other"}).status_code == 400


def test_pages_do_not_move_when_new_messages_come(api: httpx.Client) -> None:
    sids = [api.post(f"{PATH}.json", data=form(Body=str(n))).json()["sid"] for n in range(5)][::-1]
    first = api.get(f"{PATH}.json", params={"PageSize": 2, "To": PATIENT}).json()
    api.post(f"{PATH}.json", data=form(Body="late"))
    second = api.get(first["next_page_uri"]).json()
    third = api.get(second["next_page_uri"]).json()
    got = [message["sid"] for page in (first, second, third) for message in page["messages"]]
    assert got == sids
    assert (second["page"], second["start"], second["end"], third["next_page_uri"]) == (1, 2, 3, None)
    assert first["previous_page_uri"] is None
    assert api.get(third["previous_page_uri"]).json()["messages"] == second["messages"]


def test_list_filters(api: httpx.Client, carrier: Carrier, clock: Clock) -> None:
    for to in (PATIENT, "+12125550124"):
        api.post(f"{PATH}.json", data=form(To=to))
        assert carrier.wait_idle(5)
        clock.forward(86_400)

    def count(**params: str) -> int:
        return len(api.get(f"{PATH}.json", params=params).json()["messages"])

    assert count(To=PATIENT) == 1
    assert count(From=PATIENT) == 0
    assert count(DateSent="2026-03-08") == 1
    assert count(**{"DateSent>": "2026-03-09"}) == 1
    assert count(**{"DateSent<": "2026-03-09"}) == 2
    assert count(**{"DateSent>": "2026-03-09T14:00:01Z"}) == 0
    assert api.get(f"{PATH}.json", params={"DateSent": "yesterday"}).status_code == 400


def test_texts_from_phones_are_listed_by_the_number_they_came_to(api: httpx.Client, carrier: Carrier) -> None:
    carrier.text_in(PATIENT, CLINIC, "first", ["/a.png"])
    carrier.create(form())
    (listed,) = api.get(f"{PATH}.json", params={"To": CLINIC}).json()["messages"]
    assert (listed["direction"], listed["status"], listed["from"]) == ("inbound", "received", PATIENT)
    assert (listed["body"], listed["num_media"]) == ("first", "1")
    assert listed["date_created"] == listed["date_sent"]


def test_a_messaging_service_accepts_first_and_picks_the_sender_later(make: Make) -> None:
    carrier = make(numbers=[Number(CLINIC, messaging_service_sid=SERVICE)])
    with serve(carrier) as api:
        got = api.post(f"{PATH}.json", data={"To": PATIENT, "MessagingServiceSid": SERVICE, "Body": "Hi"}).json()
        assert carrier.wait_idle(5)
    assert (got["status"], got["from"], got["num_segments"]) == ("accepted", None, "0")
    (message,) = carrier.messages()
    assert [status for status, _ in message.history] == ["accepted", "queued", "sent", "delivered"]


@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_the_official_client_works(carrier: Carrier) -> None:
    with serve(carrier) as api:
        # The official package carries no types.
        http = import_module("twilio.http.http_client").TwilioHttpClient(pool_connections=False, timeout=5)
        client = import_module("twilio.rest").Client(SID, TOKEN, http_client=http)
        client.api.base_url = str(api.base_url).rstrip("/")
        sent = [client.messages.create(to=PATIENT, from_=CLINIC, body=str(n)).sid for n in range(5)]
        assert carrier.wait_idle(5)
        assert [message.sid for message in client.messages.list(to=PATIENT, page_size=2)] == sent[::-1]
        assert client.messages(str(sent[0])).fetch().status == "delivered"
        assert client.messages(str(sent[0])).update(body="").body == ""
        assert client.messages(str(sent[0])).delete()
