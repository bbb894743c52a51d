"""Our own code fails in the middle of a turn: the text stays, exact rules still hold, and a person is told."""

from datetime import timedelta

from flows.limits import IDENTICAL_CRIES, IDENTICAL_TEXTS, REPLIES_PER_BURST
from flows.model import Decision
from flows.router import Context
from service import conversation
from service.conversation import Arrived
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.twiml import EMPTY
from tests.house import House
from tests.service.signed import outbound


def broken(body: str, context: Context) -> Decision:
    """A router that fails on everything."""
    raise ZeroDivisionError(f"cannot route {len(body)} characters in {context.language}")


def arrive(house: House, body: str, sid: str = "SM1", phone: str = PATIENT_NUMBER) -> str:
    """Hand a text to a service whose router fails."""
    arrived = Arrived(sid, phone, CLINIC_NUMBER, body)
    clinic = house.clinic
    return conversation.receive(house.parts, clinic.clinic_id, clinic.sender_id, arrived, house.clock.at, router=broken)


def test_a_failed_turn_keeps_the_text_answers_the_fallback_and_raises_a_task(house: House) -> None:
    house.opt_in()
    before = len(outbound(house))
    answer = arrive(house, "what should I eat?")
    assert "something went wrong" in answer
    assert "911" in answer
    assert "988" in answer
    (row,) = house.rows("select body, status, answer from inbound where message_sid = 'SM1'")
    assert row == {"body": "what should I eat?", "status": "unhandled", "answer": answer}
    assert len(outbound(house)) == before + 1
    assert house.tasks().keys() == {"unhandled"}


def test_a_failed_turn_is_not_tried_again_when_the_carrier_repeats_the_text(house: House) -> None:
    house.opt_in()
    first = arrive(house, "what should I eat?")
    rows = len(outbound(house))
    assert arrive(house, "what should I eat?") == first
    assert len(outbound(house)) == rows
    assert house.rows("select times from tasks where kind = 'unhandled'") == [{"times": 1}]


def test_stop_survives_a_failed_turn(house: House) -> None:
    house.opt_in()
    answer = arrive(house, "STOP")
    assert "no more texts" in answer
    assert "something went wrong" not in answer
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": house.clock.at}]
    assert house.rows("select status from inbound where message_sid = 'SM1'") == [{"status": "unhandled"}]
    assert {"unhandled", "phone_preparation"} <= house.tasks().keys()


def test_a_cry_for_help_survives_a_failed_turn(house: House) -> None:
    house.opt_in()
    answer = arrive(house, "I want to die")
    assert "call or text 988" in answer
    assert "something went wrong" not in answer
    assert {"unhandled", "crisis"} <= house.tasks().keys()


def test_stop_and_a_cry_for_help_in_one_text_both_survive_a_failed_turn(house: House) -> None:
    house.opt_in()
    assert "988" in arrive(house, "Stop texting me, I want to die")
    assert house.rows("select opted_out_at from contact_points") == [{"opted_out_at": house.clock.at}]
    assert {"unhandled", "crisis"} <= house.tasks().keys()


def test_a_strangers_text_survives_a_failed_turn_without_telling_anything(house: House) -> None:
    answer = arrive(house, "who is this?", phone="+12125550155")
    assert "something went wrong" in answer
    assert not any(word in answer.lower() for word in ("visit", "scan"))
    assert house.tasks().keys() == {"unhandled"}


def test_nobody_who_opted_out_gets_the_fallback(house: House) -> None:
    house.opt_in()
    house.text("STOP")
    assert arrive(house, "what should I eat?") == EMPTY
    assert "unhandled" in house.tasks()


def test_what_a_turn_had_written_before_it_failed_is_rolled_back(house: House) -> None:
    house.opt_in()
    house.rows("update sites set address = ''")  # so that the topic can be chosen but not worded
    (before,) = house.rows("select state, attempts, reasked from conversations")
    (answer,) = house.text("where do I park")
    assert "something went wrong" in answer
    assert [row["key"] for row in outbound(house, "inbound_id = (select max(id) from inbound)")] == ["fallback"]
    assert house.rows("select state, attempts, reasked from conversations") == [before]
    assert house.tasks().keys() == {"unhandled"}


def answers(house: House, bodies: list[str]) -> list[bool]:
    """Whether each of these texts, some seconds apart, was answered by a service whose router fails."""
    said = []
    for n, body in enumerate(bodies):
        house.clock.at += timedelta(seconds=5)
        said.append(arrive(house, body, sid=f"SM{n}") != EMPTY)
    return said


def test_a_machine_that_answers_the_fallback_is_not_answered_for_ever_and_each_text_is_kept(house: House) -> None:
    house.opt_in()
    said = answers(house, ["I am on holiday until Monday"] * 40)
    assert said == [True] * IDENTICAL_TEXTS + [False] * (40 - IDENTICAL_TEXTS)
    assert house.rows("select count(*) as n from inbound where status = 'unhandled'") == [{"n": 40}]
    assert house.rows("select times from tasks where kind = 'unhandled'") == [{"times": 40}]


def test_a_machine_that_never_says_the_same_twice_is_not_answered_for_ever_either(house: House) -> None:
    house.opt_in()
    house.clock.at += timedelta(minutes=5)
    said = answers(house, [f"automatic reply no. {n}" for n in range(20)])
    assert said == [True] * REPLIES_PER_BURST + [False] * (20 - REPLIES_PER_BURST)


def test_a_cry_for_help_is_answered_as_often_as_in_a_turn_that_does_not_fail(house: House) -> None:
    house.opt_in()
    said = answers(house, ["I want to die"] * 20)
    assert said == [True] * IDENTICAL_CRIES + [False] * (20 - IDENTICAL_CRIES)
    assert house.rows("select times from tasks where kind = 'crisis'") == [{"times": 20}]
