"""Texts sent while we were away are found at the carrier, taken in once, and answered only while that still makes sense."""

import re
import socket
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, cast

import pytest
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from flows.limits import CATCH_UP, SILENT_NUMBERS, STILL_COMING, VAIN_LISTINGS
from service import conversation, recovery
from service.carrier import twilio
from service.carrier.port import Carrier, Received
from service.carrier.twilio import PAGE, twilio_carrier
from service.clinics import add_clinic
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER, SITE
from service.errors import OutOfTime, Unknown
from simulator.carrier import Number
from tests.house import IDLE, House
from tests.service.signed import EMPTY, INBOUND, browser, outbound, post, text_form
from workers import ticker

MINUTE = timedelta(minutes=1)


def away(house: House) -> None:
    """Nothing of ours can be reached: the carrier takes texts and nobody hears of them."""
    house.carrier.set_number(Number(CLINIC_NUMBER, "", keyword_handling="ours"))


def missed(house: House, body: str, phone: str = PATIENT_NUMBER) -> str:
    """A text that reaches only the carrier; returns its MessageSid."""
    away(house)
    return house.carrier.text_in(phone, CLINIC_NUMBER, body)


def back(house: House, after: timedelta) -> list[str]:
    """Time passes, we are up again and look; returns the words that the phone has got meanwhile."""
    seen = len(house.bodies())
    house.clock.at += after
    house.turn()
    return house.bodies()[seen:]


def inbound(house: House, sid: str) -> dict[str, Any]:
    """A text as we stored it."""
    (row,) = house.rows("select * from inbound where message_sid = :sid", sid=sid)
    return row


def test_a_recent_text_is_answered_through_the_outbox_and_once(house: House) -> None:
    house.opt_in()
    sent_at = house.clock.at
    sid = missed(house, "how do I get ready?")
    answers = back(house, 5 * MINUTE)
    assert len(answers) == 1
    row = inbound(house, sid)
    assert (row["received_at"], row["status"], row["answer"]) == (sent_at, "answered", EMPTY)
    (reply,) = outbound(house, f"inbound_id = {row['id']}")
    assert (reply["status"], reply["attempts"], reply["tried_at"]) == ("delivered", 1, house.clock.at)
    assert back(house, 10 * MINUTE) == []
    assert "late_text" not in house.tasks()


def test_an_old_text_gets_no_answer_and_staff_get_it(house: House) -> None:
    house.opt_in()
    sid = missed(house, "how do I get ready?")
    assert back(house, 40 * MINUTE) == []
    row = inbound(house, sid)
    assert (row["received_at"], row["status"]) == (house.clock.at - 40 * MINUTE, "late")
    assert house.tasks()["late_text"] == "it reached us 40 minutes after he sent it"
    assert house.rows("select inbound_id from tasks where kind = 'late_text'") == [{"inbound_id": row["id"]}]
    with browser(house, "clinic") as clinic:
        assert "it reached us late" in clinic.get("/clinic/scans/S-1").text


def test_an_old_stop_is_obeyed_without_a_late_confirmation(house: House) -> None:
    house.opt_in()
    missed(house, "STOP")
    assert back(house, timedelta(hours=3)) == []
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": house.clock.at}]
    assert {"late_text", "phone_preparation"} <= house.tasks().keys()


def test_an_old_wrong_number_is_obeyed(house: House) -> None:
    house.opt_in()
    missed(house, "wrong number")
    assert back(house, timedelta(hours=3)) == []
    assert house.rows("select frozen_at from contact_points") == [{"frozen_at": house.clock.at}]
    assert {"late_text", "wrong_number"} <= house.tasks().keys()


def test_an_old_cry_for_help_is_answered_at_any_age_and_before_anything_else(house: House) -> None:
    house.opt_in()
    sid = missed(house, "I want to die")
    (answer,) = back(house, timedelta(hours=9))
    assert "988" in answer
    (reply,) = outbound(house, f"inbound_id = {inbound(house, sid)['id']}")
    assert (reply["priority"], reply["valid_until"], reply["key"]) == (0, None, "crisis")
    assert {"late_text", "crisis"} <= house.tasks().keys()


def test_an_old_start_does_not_undo_a_newer_stop(house: House) -> None:
    house.opt_in()
    missed(house, "START")
    house.clock.at += MINUTE
    assert post(house, INBOUND, text_form("SMnewer", "STOP")).status_code == 200
    assert back(house, 2 * MINUTE) == []
    assert house.rows("select opted_out_at is not null as out from contact_points") == [{"out": True}]
    assert house.tasks()["late_text"] == "it reached us after newer texts"


def test_a_recent_answer_that_a_newer_question_has_overtaken_is_for_a_person(house: House) -> None:
    house.book()
    house.turn()
    missed(house, "1")
    house.clock.at += MINUTE
    assert post(house, INBOUND, text_form("SMnewer", "1")).status_code == 200  # yes, the visit is his: asked for detail
    back(house, 2 * MINUTE)
    assert house.rows("select given from consents where kind = 'detail'") == []  # the older "1" was no answer to that
    assert "late_text" in house.tasks()


def test_several_missed_texts_are_taken_in_in_the_order_he_sent_them(house: House) -> None:
    house.book()
    house.turn()
    away(house)
    for body in ("1", "2"):
        house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, body)
        house.clock.at += timedelta(seconds=20)
    back(house, 3 * MINUTE)
    kinds = house.rows("select kind, given from consents where kind in ('texts', 'detail') order by id")
    assert kinds == [{"kind": "texts", "given": True}, {"kind": "detail", "given": False}]
    assert "late_text" not in house.tasks()


def test_a_strangers_old_text_is_kept_for_staff_and_tells_him_nothing(house: House) -> None:
    missed(house, "hello?", phone="+12125550155")
    house.clock.at += timedelta(hours=1)
    house.turn()
    assert house.bodies("+12125550155") == []
    assert house.tasks().keys() == {"late_text"}


def test_a_webhook_that_comes_after_all_finds_it_done(house: House) -> None:
    house.opt_in()
    sid = missed(house, "how do I get ready?")
    assert len(back(house, 5 * MINUTE)) == 1
    answer = post(house, INBOUND, text_form(sid, "how do I get ready?"))
    assert (answer.status_code, answer.text) == (200, EMPTY)
    assert len(outbound(house, f"inbound_id = {inbound(house, sid)['id']}")) == 1


def test_a_webhook_at_the_very_same_time_leaves_one_text_and_one_answer(house: House) -> None:
    house.opt_in()
    sids = [missed(house, f"how do I get ready? {n}") for n in range(6)]
    house.clock.at += 5 * MINUTE
    ready = threading.Barrier(2)

    def webhooks() -> None:
        ready.wait()
        for n, sid in enumerate(sids):
            post(house, INBOUND, text_form(sid, f"how do I get ready? {n}"))

    other = threading.Thread(target=webhooks)
    other.start()
    ready.wait()
    recovery.recover(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    other.join()
    counts = house.rows("select i.id, count(o.id) as n from inbound i left join outbound o on o.inbound_id = i.id "
                        "where i.message_sid = any(:sids) group by i.id", sids=sids)  # fmt: skip
    assert len(counts) == len(sids)
    assert {row["n"] for row in counts} <= {0, 1}  # none where the loop guard or a newer text said so


def test_a_text_that_may_still_be_on_its_way_to_the_webhook_is_left_to_it(house: House) -> None:
    house.opt_in()
    sid = missed(house, "how do I get ready?")
    house.clock.at += timedelta(seconds=30)
    recovery.recover(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at, anyway=True)
    assert house.rows("select id from inbound where message_sid = :sid", sid=sid) == []
    assert len(back(house, CATCH_UP)) == 1


def test_a_carrier_that_cannot_be_asked_is_asked_again_and_nothing_is_skipped(house: House) -> None:
    house.opt_in()
    sid = missed(house, "please call me")
    clinic = house.clinic
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound and not listening
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        gone = replace(house.parts, carrier=twilio_carrier(house.settings.model_copy(update={"twilio_api_url": url})))
        house.clock.at += timedelta(hours=5)
        assert recovery.recover(gone, clinic.clinic_id, clinic.sender_id, house.clock.at) == 0
    (round_,) = house.rows("select next_at, seen_until from rounds where kind = 'recover'")
    assert round_["next_at"] == house.clock.at + CATCH_UP
    assert round_["seen_until"] < house.clock.at - timedelta(hours=4)
    back(house, CATCH_UP)
    assert inbound(house, sid)["status"] == "late"


class Hanging:
    """A carrier that answers no listing of these numbers, each of which would take the whole time-out."""

    def __init__(self, *silent: str) -> None:
        """Of these."""
        self.silent, self.asked = silent, list[str]()

    def received(self, number: str, since: datetime) -> list[Received]:
        """Nothing was missed, where it can be said."""
        self.asked.append(number)
        if number in self.silent:
            raise Unknown(None, "no answer")
        return []


def numbers(house: House, more: int) -> list[str]:
    """The numbers of so many clinics more, and of the first."""
    theirs = [f"+121255502{n:02}" for n in range(more)]
    for phone in theirs:
        add_clinic(house.parts.database, phone, phone, SITE, now=house.clock.at)
    return [CLINIC_NUMBER, *theirs]


def look_at_all(house: House, carrier: Hanging) -> list[str]:
    """A round over every number; returns of which the carrier was asked."""
    parts, before = replace(house.parts, carrier=cast(Carrier, carrier)), len(carrier.asked)
    for row in house.rows("select clinic_id, id from senders order by id"):
        recovery.recover(parts, row["clinic_id"], row["id"], house.clock.at)
    return carrier.asked[before:]


def test_a_carrier_that_answers_no_listing_is_asked_about_a_few_numbers_only_so_that_sending_has_its_turn(
    house: House,
) -> None:
    everyone = numbers(house, more=20)
    hanging = Hanging(*everyone)
    for round_ in range(1, VAIN_LISTINGS + 1):
        assert len(look_at_all(house, hanging)) == SILENT_NUMBERS
        counted = house.rows("select in_vain from rounds where kind = 'recover'")
        assert [row["in_vain"] for row in counted] == [round_] * len(
            everyone
        )  # so that no planned text is held for longer
        house.clock.at += CATCH_UP
    assert look_at_all(house, Hanging()) == everyone


def test_one_number_that_cannot_be_listed_keeps_no_other_from_its_look(house: House) -> None:
    everyone = numbers(house, more=5)
    assert look_at_all(house, Hanging(everyone[0])) == everyone


class Listing:
    """A carrier that lists just these texts, as no pretend one would send them."""

    def __init__(self, *listed: Received) -> None:
        """These, oldest first."""
        self.listed = list(listed)

    def received(self, number: str, since: datetime) -> list[Received]:
        """All of them, whatever the number."""
        return self.listed


def look(house: House, *listed: Received) -> int:
    """One round over what a carrier lists."""
    parts = replace(house.parts, carrier=cast(Carrier, Listing(*listed)))
    return recovery.recover(parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at, anyway=True)


def listed(house: House, sid: str, body: str, media: int = 0) -> Received:
    """A text that he sent five minutes ago."""
    return Received(sid, PATIENT_NUMBER, body, media, house.clock.at - 5 * MINUTE)


TOO_MANY = 2**70  # pictures: a number that the table cannot hold


@pytest.mark.parametrize("body", ["\ud83d", "STOP \ud83d", "\ude00how do I get ready?\x00", "a\ud83db"])
def test_half_an_emoji_is_stored_as_unreadable_and_the_rest_as_it_came(house: House, body: str) -> None:
    house.opt_in()
    house.clock.at += timedelta(hours=1)
    assert look(house, listed(house, "SMhalf", body), listed(house, "SMgood", "STOP 😀")) == 2
    assert inbound(house, "SMhalf")["body"] == re.sub("[\ud83d\ude00\x00]", "\ufffd", body)
    assert (inbound(house, "SMhalf")["status"], inbound(house, "SMgood")["body"]) == ("answered", "STOP 😀")
    assert "unhandled" not in house.tasks()


def test_a_text_that_cannot_be_stored_is_a_persons_by_its_id_and_the_stop_after_it_is_obeyed(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.opt_in()
    house.clock.at += timedelta(hours=1)
    bad, worse = listed(house, "SMbad", "my secret", TOO_MANY), listed(house, "SMworse", "my secret", TOO_MANY)
    for _ in range(2):  # it is met again, for listings overlap
        look(house, bad, listed(house, "SMgood", "STOP"), worse)
    sids = house.rows(
        "select message_sid from inbound where message_sid = any(:sids)", sids=["SMbad", "SMgood", "SMworse"]
    )
    assert sids == [{"message_sid": "SMgood"}]
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": house.clock.at}]
    (task,) = house.rows("select why, times, contact_point_id from tasks where kind = 'unhandled'")
    assert (task["times"], task["contact_point_id"]) == (2, 1)
    assert all(sid in task["why"] for sid in ("SMbad", "SMworse"))
    assert "SMbad" in caplog.text
    assert "secret" not in task["why"] + caplog.text
    assert house.rows("select seen_until from rounds where kind = 'recover'") == [
        {"seen_until": house.clock.at - STILL_COMING}
    ]


AWAY = [
    OperationalError("", {}, Exception()),
    InterfaceError("", {}, Exception()),
    ProgrammingError("", {}, Exception(), connection_invalidated=True),
    PoolTimeout(),
    OutOfTime(),
]


@pytest.mark.parametrize("away", AWAY, ids=lambda away: type(away).__name__)
def test_a_database_that_is_away_ends_the_round_and_nothing_is_skipped(
    house: House, monkeypatch: pytest.MonkeyPatch, away: BaseException
) -> None:
    house.opt_in()
    before = house.rows("select seen_until from rounds where kind = 'recover'")
    house.clock.at += timedelta(hours=1)
    texts = listed(house, "SM1", "STOP"), listed(house, "SM2", "hello")

    def fail(*_: object) -> None:
        raise away

    with monkeypatch.context() as patched:
        patched.setattr(conversation, "receive", fail)
        with pytest.raises(type(away)):
            look(house, *texts)
    assert house.rows("select seen_until from rounds where kind = 'recover'") == before
    assert "unhandled" not in house.tasks()
    assert look(house, *texts) == 2


def test_what_came_before_there_was_a_clinic_is_nobodys(house: House) -> None:
    house.carrier.set_number(Number("+12125550101", ""))
    house.carrier.text_in(PATIENT_NUMBER, "+12125550101", "to whoever had this number before")
    house.clock.at += timedelta(days=2)
    add_clinic(house.parts.database, "Hillside", "+12125550101", SITE, now=house.clock.at)
    house.turn()
    assert house.rows("select id from inbound") == []


def test_the_listing_ends_at_the_first_whole_page_of_old_texts(house: House) -> None:
    away(house)
    for n in range(3 * PAGE):
        house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, f"old {n}")
    house.clock.at += timedelta(days=1)
    for n in range(PAGE + 5):
        house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, f"new {n}")
    found = house.parts.carrier.received(CLINIC_NUMBER, house.clock.at - timedelta(hours=1))
    assert [text.body for text in found if text.body.startswith("old")] == []
    assert sorted(text.body for text in found) == sorted(f"new {n}" for n in range(PAGE + 5))


def test_a_stop_behind_more_texts_than_a_look_up_goes_through_is_obeyed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "MOST_LISTED", 5)
    house.opt_in()
    missed(house, "STOP")
    for n in range(6):
        house.carrier.text_in(f"+1212555{2000 + n}", CLINIC_NUMBER, "hello?")
    back(house, timedelta(hours=3))
    assert house.rows("select opted_out_at from contact_points where phone = :phone", phone=PATIENT_NUMBER) == [
        {"opted_out_at": house.clock.at}
    ]


def test_our_own_texts_to_a_number_of_ours_are_not_taken_for_a_patients(house: House) -> None:
    house.opt_in()
    found = house.parts.carrier.received(PATIENT_NUMBER, house.clock.at)
    assert found == []


def test_the_ticker_rings_for_each_number_every_few_minutes_and_at_its_start(house: House) -> None:
    rings: list[tuple[object, ...]] = []
    parts = replace(house.parts, ring=lambda *bell: rings.append(bell))
    house.turn()
    clinic = house.clinic
    ticker.tick(parts, house.clock.at, lambda job: 0)
    assert rings == []
    ticker.tick(parts, house.clock.at, lambda job: 0, at_start=True)
    assert rings == [("recover", clinic.clinic_id, clinic.sender_id, 1)]
    rings.clear()
    ticker.tick(parts, house.clock.at + CATCH_UP, lambda job: 0)
    assert ("recover", clinic.clinic_id, clinic.sender_id, 0) in rings


@pytest.mark.parametrize("name", ["DateSent", "DateCreated"])
def test_a_webhook_that_says_itself_that_its_text_is_old_is_late_as_well(house: House, name: str) -> None:
    house.opt_in()
    old = format_datetime(house.clock.at - timedelta(hours=1))
    assert post(house, INBOUND, text_form("SM1", "how do I get ready?", **{name: old})).text == EMPTY
    assert post(house, INBOUND, text_form("SM2", "I want to die", **{name: old})).text == EMPTY
    assert inbound(house, "SM1")["status"] == inbound(house, "SM2")["status"] == "late"
    seen = len(house.bodies())
    house.turn()
    assert ["988" in body for body in house.bodies()[seen:]] == [True]


@pytest.mark.parametrize(
    "date", ["", "yesterday", "Mon, 08 Mar 2027 14:00:00 +0000", "Fri, 08 Mar 2047 14:00:00 +0000"]
)
def test_a_webhook_with_a_present_future_or_unreadable_date_is_answered_as_ever(house: House, date: str) -> None:
    house.book()
    house.turn()
    assert "<Message" in post(house, INBOUND, text_form("SM1", "hello", DateSent=date)).text
    assert inbound(house, "SM1")["received_at"] == house.clock.at
    assert house.carrier.wait_idle(IDLE)
