"""What the carrier reports of a text: kept as it came, the status only rises, and a failure always finds a person."""

from datetime import timedelta
from typing import Any

import pytest

from tests.house import THURSDAY_915, House
from tests.service.signed import browser, outbound, post, receipt, stored


def handed_over(house: House) -> dict[str, Any]:
    """An invitation that the carrier took, and says nothing about."""
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    (row,) = outbound(house)
    assert row["status"] == "accepted"
    return row


def report(house: House, row: dict[str, Any], status: str, **more: str) -> str:
    """One receipt about a row; returns the status it has then."""
    assert receipt(house, row["ref"], status, row["provider_sid"], **more).status_code == 200
    return str(outbound(house, f"id = {row['id']}")[0]["status"])


def ready_to_prepare(house: House) -> None:
    """Shortly before the preparation is due."""
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(days=3, hours=1))


def test_receipts_raise_the_status_step_by_step(house: House) -> None:
    row = handed_over(house)
    seen = [report(house, row, status) for status in ("queued", "sending", "sent", "delivered")]
    assert seen == ["accepted", "sending_at_carrier", "sent", "delivered"]
    assert len(house.rows("select id from receipts")) == 4


def test_late_and_repeated_receipts_change_nothing_and_are_kept(house: House) -> None:
    row = handed_over(house)
    seen = [report(house, row, status) for status in ("delivered", "sent", "delivered", "queued", "undelivered")]
    assert seen == ["delivered"] * 5
    kept = house.rows("select status, outbound_id from receipts order by id")
    assert [line["status"] for line in kept] == ["delivered", "sent", "delivered", "queued", "undelivered"]
    assert {line["outbound_id"] for line in kept} == {row["id"]}
    assert house.tasks() == {}


@pytest.mark.parametrize("fault", ["duplicate_callback", "reordered_callbacks"])
def test_the_carriers_doubled_or_shuffled_receipts_end_at_the_same_status(house: House, fault: str) -> None:
    house.carrier.faults.plan(fault)
    house.book()
    house.turn()
    assert [row["status"] for row in outbound(house)] == ["delivered"]
    assert house.carrier.faults.counts() == {fault: 1}
    assert len(house.bodies()) == 1


def test_a_receipt_about_nothing_we_know_is_kept_and_counted_and_changes_nothing(house: House) -> None:
    row = handed_over(house)
    before = outbound(house)
    assert receipt(house, "f" * 32, "delivered", row["provider_sid"]).status_code == 200  # unknown text
    assert receipt(house, row["ref"], "teleported", row["provider_sid"]).status_code == 200  # unknown status
    assert receipt(house, row["ref"], "", row["provider_sid"]).status_code == 200  # no status
    assert receipt(house, row["ref"], "delivered", "").status_code == 200  # no message
    assert receipt(house, row["ref"], "delivered", "SMother").status_code == 200  # another message
    path = f"/twilio/status/{house.clinic.clinic_id}/{row['ref']}"
    assert post(house, path, {"Novel": "field"}).status_code == 200
    assert outbound(house) == before
    assert len(house.rows("select id from receipts where outbound_id is null")) == 4
    assert len(house.rows("select id from receipts")) == 6
    assert "scanguide_stray_receipts 4.0" in house.web.get("/metrics").text


@pytest.mark.parametrize("clinic_id", [999, 2**70])
def test_a_receipt_for_a_clinic_that_does_not_exist_is_answered_and_changes_nothing(
    house: House, clinic_id: int
) -> None:
    row = handed_over(house)
    before = outbound(house)
    answer = post(house, f"/twilio/status/{clinic_id}/{row['ref']}", {"MessageSid": "SM1", "MessageStatus": "sent"})
    assert answer.status_code < 500
    assert outbound(house) == before


def test_odd_fields_of_a_receipt_are_bounded_and_never_break_it(house: House) -> None:
    row = handed_over(house)
    more = {"ErrorCode": "not a number", "Nul": "a\x00b", "Long": "x" * 5000, "Blank": ""}
    assert report(house, row, "sent", **more) == "sent"
    (kept,) = house.rows("select raw, error_code from receipts")
    assert kept["error_code"] is None
    assert kept["raw"]["Blank"] == ""
    assert kept["raw"]["Nul"] == "ab"
    assert len(kept["raw"]["Long"]) < 1000
    strange = {"ErrorCode": "9" * 9, "MessageStatus": "sent\x00", "MessageSid": row["provider_sid"]}
    path = f"/twilio/status/{house.clinic.clinic_id}/{row['ref']}"
    assert post(house, path, strange).status_code == 200


def test_a_preparation_that_failed_is_phoned_and_one_that_arrives_after_all_needs_no_call(house: House) -> None:
    ready_to_prepare(house)
    house.carrier.faults.plan("30003")
    house.until(THURSDAY_915 - timedelta(days=2, hours=22))
    (row,) = outbound(house, "key = 'prepare'")
    assert (row["status"], row["error_code"]) == ("undelivered", 30003)
    assert house.tasks() == {"phone_preparation": "the phone was off or out of reach"}
    assert report(house, row, "delivered") == "delivered"
    assert house.tasks() == {}
    (closed,) = house.rows("select closed_by, outcome from tasks where kind = 'phone_preparation'")
    assert closed == {"closed_by": "system", "outcome": "the preparation arrived by text"}


def test_a_preparation_delivered_after_an_unanswered_invitation_closes_the_task(house: House) -> None:
    house.book(arrival_at="2027-03-10T09:15", starts_at="2027-03-10T10:15")
    house.turn()
    house.clock.at += timedelta(hours=1)
    house.turn()
    assert "phone_preparation" in house.tasks()
    house.text("1")
    house.text("1")
    house.until(house.clock.at + timedelta(hours=25))  # the next day: one text a day
    assert any("How to get ready" in body for body in house.bodies())
    assert "phone_preparation" not in house.tasks()


@pytest.mark.parametrize(
    "change",
    [{"phone": "+12125550199"}, {"arrival_at": "2027-03-17T15:15", "starts_at": "2027-03-17T16:15"}],
    ids=["another number", "another day"],
)
def test_a_late_receipt_of_an_older_preparation_does_not_close_the_task(house: House, change: dict[str, str]) -> None:
    ready_to_prepare(house)
    house.carrier.faults.plan("no_callbacks")
    house.until(THURSDAY_915 - timedelta(days=3) + timedelta(minutes=50))
    (row,) = outbound(house, "key = 'prepare'")
    assert row["status"] == "accepted"
    house.carrier.delete(row["provider_sid"])  # so that no look-up speaks before the receipt
    house.carrier.faults.rate("fails", 1, code=30003)  # whatever follows the change does not arrive
    house.book(**change)
    house.until(THURSDAY_915 - timedelta(days=1, hours=12))
    assert "phone_preparation" in house.tasks()
    assert report(house, row, "delivered") == "delivered"
    assert "phone_preparation" in house.tasks()


def test_a_carrier_that_blocks_the_number_means_an_opt_out_and_a_call(house: House) -> None:
    house.carrier.faults.plan("21610")
    house.book()
    house.turn()
    assert house.bodies() == []
    (contact,) = house.rows("select opted_out_at, opted_out_how, frozen_at from contact_points")
    assert contact["opted_out_at"] == house.clock.at
    assert contact["opted_out_how"].startswith("carrier:")
    assert contact["frozen_at"] is None
    (line,) = house.rows("select obtained_by, given from consents where kind = 'opt_out'")
    assert line == {"obtained_by": "carrier", "given": True}
    assert "phone_preparation" in house.tasks()
    house.until(THURSDAY_915)
    assert house.bodies() == []


def test_a_number_that_nobody_has_is_set_aside_and_phoned(house: House) -> None:
    row = handed_over(house)
    assert report(house, row, "undelivered", ErrorCode="30005") == "undelivered"
    assert house.rows("select frozen_at, frozen_why, opted_out_at from contact_points") == [
        {"frozen_at": house.clock.at, "frozen_why": "nobody has this number", "opted_out_at": None}
    ]
    assert house.tasks() == {"phone_preparation": "nobody has this number"}
    before = len(outbound(house))
    house.until(THURSDAY_915)
    assert len(outbound(house)) == before


def test_an_unknown_error_code_asks_a_person(house: House) -> None:
    row = handed_over(house)
    assert report(house, row, "failed", ErrorCode="39999") == "failed"
    assert house.tasks() == {"phone_preparation": "the carrier gave a reason that we do not know (39999)"}


def test_a_passing_failure_is_tried_again_as_a_new_attempt(house: House) -> None:
    row = handed_over(house)
    assert report(house, row, "undelivered", ErrorCode="30022") == "queued"
    house.until(house.clock.at + timedelta(minutes=10))
    (again,) = outbound(house)
    assert (again["status"], again["attempts"]) == ("delivered", 2)
    assert again["provider_sid"] != row["provider_sid"]
    assert report(house, row, "undelivered", ErrorCode="30003") == "delivered"  # the first attempt speaks no more


def test_a_filtered_sender_is_stopped_until_an_operator_resumes_it(house: House) -> None:
    ready_to_prepare(house)
    house.carrier.faults.plan("30007")
    house.until(THURSDAY_915 - timedelta(days=2, hours=22))
    assert house.rows("select paused_reason from senders") == [
        {"paused_reason": "the mobile network filtered our text"}
    ]
    assert {"sender_stopped", "phone_preparation"} <= house.tasks().keys()
    seen = len(house.bodies())
    house.clock.at = THURSDAY_915 - timedelta(days=1) + timedelta(hours=1)  # the next text has come due
    house.turn()
    assert len(house.bodies()) == seen
    assert house.planned()["tomorrow"] == ("planned", "sending is paused")
    with browser(house, "ops") as ops:
        assert "stopped: the mobile network filtered our text" in ops.get("/ops").text
        path = f"/ops/senders/{house.clinic.clinic_id}/{house.clinic.sender_id}/resume"
        assert ops.post(path).status_code == 303
        assert "stopped:" not in ops.get("/ops").text
    house.clock.at += timedelta(minutes=2)
    house.turn()
    assert house.bodies()[seen].startswith("Your visit is Thursday")
    assert stored(house)["operator_audit"] == 1


def test_a_text_cancelled_at_the_carrier_is_told_to_a_person_like_one_that_failed(house: House) -> None:
    row = handed_over(house)
    assert report(house, row, "canceled") == "canceled"
    assert house.tasks() == {"phone_preparation": "it was cancelled at the carrier"}
