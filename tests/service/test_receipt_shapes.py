"""Every shape of a status callback that a carrier, or something that holds its key, might send: 200, kept, counted."""

from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.receipts import MAX_FIELDS, MAX_VALUE, OUTCOMES
from tests.house import House
from tests.service.signed import EMPTY, INBOUND, outbound, post, receipt, stored, text_form

OTHER = "AC" + "9" * 32


def handed_over(house: House) -> dict[str, Any]:
    """An invitation that the carrier took, and says nothing about."""
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    (row,) = outbound(house)
    assert row["status"] == "accepted"
    return row


def counts(house: House) -> dict[str, float]:
    """The counter on /metrics, by outcome."""
    page = house.web.get("/metrics").text
    return {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name == "scanguide_receipts_total"
    }


def rise(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What has been counted meanwhile."""
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


SHAPES: dict[str, tuple[dict[str, str | None], str]] = {
    "a status that nobody knows": ({"MessageStatus": "teleported"}, "unknown_status"),
    "a status in capitals": ({"MessageStatus": "DELIVERED"}, "unknown_status"),
    "a status of an inbound text": ({"MessageStatus": "received"}, "unknown_status"),
    "a blank status": ({"MessageStatus": ""}, "unknown_status"),
    "no status": ({"MessageStatus": None}, "unknown_status"),
    "no message": ({"MessageSid": None}, "other_message"),
    "a blank message": ({"MessageSid": ""}, "other_message"),
    "another message": ({"MessageSid": "SM" + "f" * 32}, "other_message"),
    "another account": ({"AccountSid": OTHER}, "wrong_account"),
    "a huge status": ({"MessageStatus": "x" * 20_000}, "unknown_status"),
    "a huge message": ({"MessageSid": "S" * 20_000}, "other_message"),
    "a huge account": ({"AccountSid": "A" * 20_000}, "wrong_account"),
    "NUL in the status": ({"MessageStatus": "del\x00iv"}, "unknown_status"),
    "a smiling status": ({"MessageStatus": "\U0001f600" * 60}, "unknown_status"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_callback_of_any_shape_is_answered_kept_and_counted_and_changes_nothing(house: House, name: str) -> None:
    changes, became = SHAPES[name]
    row = handed_over(house)
    tables, seen = stored(house), counts(house)
    form = {"MessageSid": row["provider_sid"], "MessageStatus": "delivered", **changes}
    path = f"/twilio/status/{house.clinic.clinic_id}/{row['ref']}"
    answer = post(house, path, {key: value for key, value in form.items() if value is not None})
    assert answer.status_code == 200
    assert outbound(house) == [row]
    assert stored(house) == {**tables, "receipts": tables["receipts"] + 1}
    assert rise(seen, counts(house)) == {became: 1}
    (kept,) = house.rows("select status, raw, outbound_id from receipts")
    assert len(kept["status"]) <= 50
    assert all(len(value) <= MAX_VALUE for value in kept["raw"].values())
    assert (kept["outbound_id"] is None) == (became != "unknown_status")


def test_a_callback_without_any_field_of_ours_is_kept(house: House) -> None:
    row = handed_over(house)
    seen = counts(house)
    assert post(house, f"/twilio/status/{house.clinic.clinic_id}/{row['ref']}", {"Novel": "field"}).status_code == 200
    assert house.rows("select raw from receipts") == [{"raw": {"Novel": "field"}}]
    assert rise(seen, counts(house)) == {"other_message": 1}
    assert outbound(house) == [row]


def test_a_callback_with_very_many_fields_is_kept_in_part_and_still_counts(house: House) -> None:
    row = handed_over(house)
    many = {f"Field{n}": "x" * 200 for n in range(150)}
    assert receipt(house, row["ref"], "delivered", row["provider_sid"], **many).status_code == 200
    assert outbound(house)[0]["status"] == "delivered"
    (kept,) = house.rows("select raw from receipts")
    assert len(kept["raw"]) == MAX_FIELDS


@pytest.mark.parametrize("ref", ["f" * 32, "0", "x" * 3000, "a%00b", "%F0%9F%98%80"])
def test_a_callback_about_an_unknown_text_is_kept_and_counted(house: House, ref: str) -> None:
    row = handed_over(house)
    seen = counts(house)
    assert receipt(house, ref, "delivered", row["provider_sid"]).status_code == 200
    assert outbound(house) == [row]
    assert rise(seen, counts(house)) == {"unknown_text": 1}


@pytest.mark.parametrize("clinic", ["999", str(2**70), "-1", "none", "9" * 3000])
def test_a_callback_for_an_unknown_clinic_is_kept_for_operators_and_counted(house: House, clinic: str) -> None:
    row = handed_over(house)
    seen = counts(house)
    form = {"MessageSid": row["provider_sid"], "MessageStatus": "delivered"}
    assert post(house, f"/twilio/status/{clinic}/{row['ref']}", form).status_code == 200
    assert outbound(house) == [row]
    assert house.rows("select raw from unrouted_texts") == [{"raw": form}]
    assert rise(seen, counts(house)) == {"unknown_clinic": 1}


def test_late_and_true_callbacks_are_counted_as_such(house: House) -> None:
    row = handed_over(house)
    seen = counts(house)
    for status in ("sent", "delivered", "sent"):
        receipt(house, row["ref"], status, row["provider_sid"], AccountSid=house.settings.twilio_account_sid)
    assert rise(seen, counts(house)) == {"raised": 2, "unchanged": 1}


def test_every_outcome_stands_on_the_metrics_page_from_the_start(house: House) -> None:
    assert counts(house).keys() == set(OUTCOMES)


def test_no_callback_for_a_text_without_a_known_message_plants_a_huge_one(house: House) -> None:
    row = handed_over(house)
    house.rows("update outbound set provider_sid = null")
    assert receipt(house, row["ref"], "sent", "S" * 20_000).status_code == 200
    assert outbound(house)[0]["provider_sid"] is None


def test_a_text_of_another_account_changes_nothing_and_is_kept_for_operators(house: House) -> None:
    house.opt_in()
    before = stored(house)
    answer = post(house, INBOUND, text_form("SM1", "STOP", AccountSid=OTHER))
    assert (answer.status_code, answer.text) == (200, EMPTY)
    assert stored(house) == {**before, "unrouted_texts": 1}
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": None}]
