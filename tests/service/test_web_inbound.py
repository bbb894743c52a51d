"""Texts as people really send them, from phones we know and phones we do not: each is stored and answered sanely."""

from datetime import timedelta

import pytest

from service.booking import end
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from tests.house import IDLE, THURSDAY_915, House
from tests.service.signed import outbound

STRANGER = "+12125550155"
TELLTALE = ("visit", "scan", "imaging visit", "psma", "appointment", "patient", "cancer")


def neutral(body: str) -> bool:
    """Whether a text neither confirms nor denies that somebody is a patient."""
    return not any(word in body.lower() for word in TELLTALE)


def test_a_stranger_gets_one_neutral_answer_and_then_silence(house: House) -> None:
    (answer,) = house.text("Hello, is this about my dad?", STRANGER)
    assert neutral(answer)
    assert "(212) 555-0142" in answer
    assert house.tasks().keys() == {"stranger"}
    assert house.text("Anyone there?", STRANGER) == []
    assert [row["status"] for row in house.rows("select status from inbound")] == ["answered", "answered"]


def test_stop_from_a_stranger_is_recorded_in_full(house: House) -> None:
    (answer,) = house.text("STOP", STRANGER)
    assert "no more texts" in answer
    (contact,) = house.rows("select phone, opted_out_at, opted_out_how from contact_points")
    assert (contact["phone"], contact["opted_out_at"]) == (STRANGER, house.clock.at)
    (line,) = house.rows("select kind, given, patient_id from consents")
    assert (line["kind"], line["given"], line["patient_id"]) == ("opt_out", True, None)


def test_stop_help_and_safety_work_in_full_for_a_stranger_and_claim_no_visit_of_his(house: House) -> None:
    said = [body for text in ("HELP", "I want to die", "STOP") for body in house.text(text, STRANGER)]
    assert len(said) == 3
    assert any("988" in body for body in said)
    assert [body for body in said if "your visit" in body.lower()] == []


def test_someone_whose_visit_was_cancelled_is_a_stranger_again(house: House) -> None:
    house.opt_in()
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    (answer,) = house.text("What should I eat before?")
    assert neutral(answer)
    assert house.text("Hello?") == []
    assert house.tasks().keys() == {"stranger"}


def test_the_one_neutral_answer_is_given_even_after_a_failed_answer_to_an_earlier_question(house: House) -> None:
    house.book()
    house.turn()
    house.text("purple")  # a first answer to the invitation that could not be understood
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    assert [neutral(body) for body in house.text("Hello?")] == [True]


def test_someone_whose_journey_ended_is_a_stranger_after_30_days(house: House) -> None:
    house.opt_in()
    house.clock.at = THURSDAY_915 + timedelta(days=29)
    assert not neutral(house.text("where do I park?")[0])
    house.clock.at = THURSDAY_915 + timedelta(days=31)
    (answer,) = house.text("where do I park?")
    assert neutral(answer)
    assert "stranger" in house.tasks()


def test_a_number_that_the_clinic_replaced_is_a_strangers(house: House) -> None:
    house.opt_in()
    assert house.book(phone="+12125550156").outcome == "changed"
    (answer,) = house.text("What time is my visit?")
    assert neutral(answer)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   \n ",
        "how do I get ready? " + "a" * 1580,
        "\U0001f44d\U0001f44d\U0001f3fd",
        "what should\x00 I eat",
        "\u0645\u0631\u062d\u0628\u0627 \u202e\u05e9\u05dc\u05d5\u05dd",
        "<b>&amp;</b> ]]> '\"",
        "'; select 1; --",
    ],
    ids=["empty", "blank", "longest", "emoji", "nul", "right-to-left", "markup", "quotes"],
)
def test_odd_words_are_stored_and_answered_and_never_break_a_turn(house: House, body: str) -> None:
    house.opt_in()
    answers = house.text(body)
    (row,) = house.rows("select body, status, answer from inbound order by id desc limit 1")
    assert row["body"] == body.replace("\x00", "\ufffd")
    assert row["status"] == "answered"
    assert len(answers) == 1
    assert "something went wrong" not in answers[0]


def test_a_picture_without_words_is_stored_and_answered(house: House) -> None:
    house.opt_in()
    sid = house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, "", ["/photo.jpg"])
    assert house.carrier.wait_idle(IDLE)
    (row,) = house.rows("select status, media from inbound where message_sid = :sid", sid=sid)
    assert row == {"status": "answered", "media": 1}
    assert [m.body[:24] for m in house.carrier.messages() if m.reply_to == sid] == ["I do not have an approve"]


def test_media_counts_that_are_no_numbers_count_as_none(house: House) -> None:
    from tests.service.signed import INBOUND, post, text_form

    for sid, media in (("SM1", "many"), ("SM2", "-1"), ("SM3", "\u0663"), ("SM4", "")):
        assert post(house, INBOUND, text_form(sid, "hello", NumMedia=media)).status_code == 200
    assert {row["media"] for row in house.rows("select media from inbound")} == {0}


def test_every_reply_is_a_row_before_it_is_said(house: House) -> None:
    house.opt_in()
    answers = house.text("how do I get ready?")
    assert [row["body"] for row in outbound(house, "inbound_id is not null")][-len(answers) :] == answers
