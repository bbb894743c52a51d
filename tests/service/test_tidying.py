"""Old words are removed on schedule: bodies, answers and phone numbers in receipts go; that and when it was said stays."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service import tidying
from service.wiring import Parts
from tests.house import THURSDAY_915, House
from tests.service.signed import INBOUND, browser, outbound, post, receipt, text_form

LATER = THURSDAY_915 + timedelta(days=140)


def keeping(house: House, days: int) -> Parts:
    """The house's parts with another retention."""
    return replace(house.parts, settings=house.settings.model_copy(update={"retain_bodies_days": days}))


def tidy(house: House, days: int = 90) -> int:
    """One round, due or not."""
    house.rows("delete from rounds where kind = 'tidy'")
    return tidying.tidy(keeping(house, days), house.clinic.clinic_id, house.clock.at)


def close_all(house: House) -> None:
    """Staff have done everything."""
    house.rows("update tasks set closed_at = :now, announce_at = null", now=house.clock.at)


def lived(house: House) -> None:
    """A conversation of long ago, with nothing left to do."""
    house.opt_in()
    house.text("please call me")
    house.until(THURSDAY_915 + timedelta(days=20))
    house.clock.at = LATER
    close_all(house)


def evidence(house: House) -> list[dict[str, Any]]:
    """What must outlive the words."""
    return house.rows("select id, body_hash, key, script, status, created_at, phone from outbound order by id")


def test_the_ticker_removes_old_words_and_everything_else_stays(house: House) -> None:
    lived(house)
    before, consents = evidence(house), house.rows("select * from consents order by id")
    assert all("To" in row["raw"] for row in house.rows("select raw from receipts"))
    house.turn()
    old = "created_at < '2027-05-01'"
    assert {row["body"] for row in outbound(house, old)} == {""}
    assert house.rows("select distinct body, answer from inbound") == [{"body": "", "answer": None}]
    raw = [
        row["raw"]
        for row in house.rows(f"select raw from receipts r join outbound o on o.id = outbound_id where o.{old}")
    ]
    assert raw
    assert not any({"To", "From"} & set(fields) for fields in raw)
    assert all(fields["MessageSid"] for fields in raw)
    assert evidence(house)[: len(before)] == before
    assert house.rows("select * from consents order by id")[: len(consents)] == consents
    assert all(row["text_hash"] for row in consents if row["kind"] in ("texts", "detail"))
    (line,) = house.rows("select actor, detail from audit where action = 'words_removed'")
    assert line["actor"] == "system"
    assert (line["detail"]["older_than_days"], line["detail"]["received"]) == (90, 3)


def test_young_texts_keep_their_words_to_the_day(house: House) -> None:
    house.opt_in()
    born = house.clock.at
    house.clock.at = born + timedelta(days=90) - timedelta(seconds=1)
    close_all(house)
    assert tidy(house) == 0
    house.clock.at = born + timedelta(days=90)
    assert tidy(house) > 0
    assert tidy(house) == 0


def test_zero_days_keeps_everything(house: House) -> None:
    lived(house)
    assert tidy(house, days=0) == 0
    assert "" not in {row["body"] for row in outbound(house)}


def test_what_an_open_task_is_about_waits_until_it_is_closed(house: House) -> None:
    house.opt_in()
    house.text("I want to die")
    house.clock.at = LATER
    house.rows("update tasks set closed_at = :now where kind <> 'crisis'", now=house.clock.at)
    tidy(house)
    assert house.rows("select body from inbound where body <> ''") == [{"body": "I want to die"}]
    (answer,) = outbound(house, "inbound_id = (select inbound_id from tasks where kind = 'crisis')")
    assert answer["body"]
    close_all(house)
    assert tidy(house) > 0
    assert house.rows("select body from inbound where body <> ''") == []


@pytest.mark.parametrize("status", ["queued", "sending", "uncertain", "offered"])
def test_a_text_that_is_still_under_way_keeps_its_words(house: House, status: str) -> None:
    lived(house)
    (row,) = outbound(house, "id = 1")
    house.rows("update outbound set status = :status where id = 1", status=status)
    tidy(house)
    assert outbound(house, "id = 1")[0]["body"] == row["body"]


def test_the_work_is_done_in_bounded_batches_and_rings_for_the_rest(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived(house)
    monkeypatch.setattr(tidying, "BATCH", 1)
    monkeypatch.setattr(tidying, "BATCHES", 2)
    rings: list[tuple[object, ...]] = []
    monkeypatch.setattr(house.parts.database, "_ring", lambda *bell: rings.append(bell))
    assert tidy(house) == 4  # one sent and one received a batch
    assert rings == [("tidy", house.clinic.clinic_id)]
    house.turn()
    assert house.rows("select id from inbound where body <> ''") == []
    lines = house.rows("select detail from audit where action = 'words_removed'")
    assert {row["detail"]["received"] for row in lines} <= {0, 1}


def test_the_timeline_says_that_the_words_were_removed(house: House) -> None:
    lived(house)
    tidy(house)
    with browser(house, "clinic") as clinic:
        page = clinic.get("/clinic/scans/S-1").text
    assert "(words removed after 149 days)" in page
    assert "please call me" not in page


def test_stray_receipts_lose_their_phone_numbers_as_well(house: House) -> None:
    receipt(house, "f" * 32, "delivered", To="+12125550123", From="+12125550100")
    house.clock.at = LATER
    assert tidy(house) == 1
    (row,) = house.rows("select raw from receipts")
    assert set(row["raw"]) == {"MessageSid", "MessageStatus"}


def test_a_receipt_long_after_never_sends_an_empty_text(house: House) -> None:
    lived(house)
    tidy(house)
    (row,) = outbound(house, "id = 1")
    house.rows("update outbound set status = 'sent' where id = 1")
    receipt(house, row["ref"], "undelivered", row["provider_sid"], ErrorCode="30001")
    assert outbound(house, "id = 1")[0]["status"] == "undelivered"


@pytest.mark.parametrize("closed", [True, False])
def test_the_words_of_a_text_that_belongs_to_nobody_go_once_an_operator_has_looked(house: House, closed: bool) -> None:
    post(house, INBOUND, text_form("SMstray", "my own words", To="+12125550999"))
    if closed:
        house.rows("update unrouted_texts set closed_at = :now", now=house.clock.at)
    tidy(house)
    (fresh,) = house.rows("select raw from unrouted_texts")
    house.clock.at += timedelta(days=91)
    tidy(house)
    (old,) = house.rows("select raw, to_number from unrouted_texts")
    assert "Body" in fresh["raw"]
    assert ("Body" in old["raw"], old["to_number"]) == (not closed, "+12125550999")
