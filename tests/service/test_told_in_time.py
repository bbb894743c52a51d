"""What does not get out is told to a person while it still helps; what was lost is not called answered."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

import pytest

from service import clock, delivery, heard, receipts
from service.booking import end
from service.carrier.port import Carrier, Message
from service.delivery import send_due
from service.demo_data import PATIENT_NUMBER
from service.reminders import fire_due
from tests.house import THURSDAY_915, House
from tests.service.signed import outbound, receipt

MINUTE = timedelta(minutes=1)
OTHER = "+12125550188"


class Scripted:
    """A carrier whose first call does something first; every other call is the house's own."""

    def __init__(self, real: Carrier, first: Callable[[Message], str]) -> None:
        self.real, self.first = real, [first]

    def send(self, message: Message) -> str:
        return self.first.pop()(message) if self.first else self.real.send(message)


def send_with(house: House, first: Callable[[Message], str]) -> None:
    """Word and send what is due by such a carrier."""
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    parts = dataclasses.replace(house.parts, carrier=cast(Carrier, Scripted(house.parts.carrier, first)))
    send_due(parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)


def last(house: House) -> dict[str, Any]:
    """The newest text of the outbox."""
    return outbound(house)[-1]


def lost(house: House, row: dict[str, Any], code: str) -> None:
    """The carrier reports that a text will never arrive."""
    assert receipt(house, row["ref"], "undelivered", row["provider_sid"] or "SMlate", ErrorCode=code).status_code == 200


@pytest.mark.parametrize("code", ["30410", "30023", "30005", "21610"])
def test_an_answer_that_never_arrives_is_a_persons_and_is_not_called_answered(house: House, code: str) -> None:
    house.opt_in()
    house.carrier.faults.rate("no_callbacks", 1)
    house.text("does it hurt?")
    lost(house, last(house), code)
    assert "not_delivered" in house.tasks()
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        (line,) = heard.unanswered(session, house.clinic.clinic_id)
    assert line.body == "does it hurt?"
    assert "no automatic answer" in line.words


def test_a_confirmation_of_stop_that_the_carrier_blocks_troubles_nobody(house: House) -> None:
    house.opt_in()
    house.carrier.faults.rate("no_callbacks", 1)
    house.text("STOP")
    lost(house, last(house), "21610")
    assert "not_delivered" not in house.tasks()


def test_a_receipt_for_an_answer_that_was_given_up_is_kept_and_tells_what_is_so(house: House) -> None:
    house.opt_in()
    house.text("MENU")
    row = last(house)
    house.rows(
        f"update outbound set status = 'refused', reason = 'too late', provider_sid = 'SMlate' where id = {row['id']}"
    )
    before = len(house.rows("select id from receipts"))
    assert receipt(house, row["ref"], "delivered", "SMlate").status_code == 200
    assert last(house)["status"] == "delivered"
    assert len(house.rows("select id from receipts")) == before + 1


def test_who_stops_us_during_a_slow_batch_gets_nothing_that_was_cleared_before(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.rows("update senders set segments_per_second = 100")
    house.book("S-1")
    house.book("S-2", patient_id="P-2", phone=OTHER)
    watch, first = [0.0], list[str]()
    monkeypatch.setattr(clock, "stopwatch", lambda: watch[0])

    def slow(message: Message) -> str:
        first.append(message.to)
        house.text("STOP", second(message.to))
        watch[0] += delivery.GATE_HOLDS + 1
        return house.parts.carrier.send(message)

    def second(phone: str) -> str:
        return OTHER if phone == PATIENT_NUMBER else PATIENT_NUMBER

    send_with(house, slow)
    monkeypatch.undo()
    house.until(house.clock.at + timedelta(hours=1))
    (called,) = first
    assert len(house.bodies(called)) == 1
    (confirmation,) = house.bodies(second(called))
    assert "no more texts" in confirmation
    (held,) = outbound(house, f"phone = '{second(called)}' and key = 'invite'")
    assert (held["status"], held["attempts"]) == ("refused", 0)


def test_what_a_slow_batch_had_no_time_for_goes_at_once_and_was_no_attempt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.rows("update senders set segments_per_second = 100")
    house.book("S-1")
    house.book("S-2", patient_id="P-2", phone=OTHER)
    watch = [0.0]
    monkeypatch.setattr(clock, "stopwatch", lambda: watch[0])

    def slow(message: Message) -> str:
        watch[0] += delivery.GATE_HOLDS + 1
        return house.parts.carrier.send(message)

    send_with(house, slow)
    assert [(row["status"], row["attempts"], row["tried_at"] is None) for row in outbound(house)].count(
        ("queued", 0, True)
    ) == 1
    monkeypatch.undo()
    house.until(house.clock.at + MINUTE)
    assert (len(house.bodies()), len(house.bodies(OTHER))) == (1, 1)


def test_a_text_taken_with_an_answer_that_names_no_id_is_looked_up_and_never_sent_twice(house: House) -> None:
    house.carrier.faults.rate("no_callbacks", 1)
    house.book()

    def nameless(message: Message) -> str:
        assert house.parts.carrier.send(message)
        return ""

    send_with(house, nameless)
    assert [row["status"] for row in outbound(house)] == ["uncertain"]
    house.until(house.clock.at + timedelta(hours=1))
    assert len(house.bodies()) == 1
    assert last(house)["provider_sid"] == house.received()[0].sid


def test_a_failure_that_overtakes_our_own_record_keeps_its_new_attempt(house: House) -> None:
    house.book()

    def overtaken(message: Message) -> str:
        ref = message.callback_url.partition("#")[0].rpartition("/")[2]
        form = {"MessageSid": "SMfirst", "MessageStatus": "undelivered", "ErrorCode": "30001"}
        assert receipts.receive(house.parts, house.clinic.clinic_id, ref, form, house.clock.at)
        return "SMfirst"

    send_with(house, overtaken)
    (row,) = outbound(house)
    assert (row["status"], row["provider_sid"]) == ("queued", None)
    house.until(house.clock.at + 5 * MINUTE)
    assert len(house.bodies()) == 1


def test_a_late_failure_at_a_number_the_booking_has_left_sends_nobody_to_the_old_phone(house: House) -> None:
    house.opt_in()
    house.carrier.faults.rate("no_callbacks", 1)
    house.until(THURSDAY_915 - timedelta(days=2, hours=20))
    (row,) = outbound(house, "key like 'prepare%'")
    house.book(phone=OTHER)
    lost(house, row, "30003")
    old = house.rows(
        "select t.kind from tasks t join contact_points c on c.id = t.contact_point_id "
        "where t.closed_at is null and c.phone <> :new",
        new=OTHER,
    )
    assert old == []


@pytest.mark.parametrize("fault", ["429", "500_before"])
def test_a_cancellation_that_does_not_get_out_is_told_while_somebody_can_phone(house: House, fault: str) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(hours=2))
    house.carrier.faults.rate(fault, 1)
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    house.until(house.clock.at + 15 * MINUTE)
    assert "phone_change" in house.tasks()


def test_a_notice_that_is_late_by_a_minute_troubles_nobody(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(hours=2))
    house.carrier.faults.plan("429", times=2)
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    house.until(house.clock.at + 15 * MINUTE)
    assert "phone_change" not in house.tasks()


def test_a_number_that_is_not_ours_any_more_stops_its_sender(house: House) -> None:
    house.carrier.faults.plan("refused", code=21212)
    house.book()
    house.turn()
    assert "sender_stopped" in house.tasks()
    assert [row["status"] for row in outbound(house)] == ["queued"]


def test_a_number_that_turns_out_dead_has_every_visit_there_prepared_by_phone_at_once(house: House) -> None:
    house.opt_in()
    house.book("S-2", arrival_at="2027-03-25T10:00", starts_at="2027-03-25T11:00")
    house.carrier.faults.rate("fails", 1, code=30005)
    house.until(house.rows("select min(due_at) as at from reminders where touchpoint = 'about'")[0]["at"])
    assert outbound(house, "reminder_id is not null")[-1]["key"] == "about_recurrence"
    phoned = house.rows("select scan_id, times from tasks where kind = 'phone_preparation' and closed_at is null")
    assert sorted(row["scan_id"] for row in phoned) == sorted(row["id"] for row in house.rows("select id from scans"))
    assert {row["times"] for row in phoned} == {1}


def test_a_number_stopped_by_the_carrier_answers_no_question_and_a_person_does(house: House) -> None:
    house.opt_in()
    house.rows("update senders set paused_reason = 'filtered'")
    assert house.text("does it hurt?") == []
    assert "paused_text" in house.tasks()
    assert house.text("I want to die") != []
    assert house.text("STOP") != []


def test_a_notice_in_the_outbox_that_a_pause_holds_is_told_once(house: House) -> None:
    house.opt_in()
    house.until(THURSDAY_915 - timedelta(hours=2))
    end(house.parts, house.clinic.clinic_id, "S-1", "cancelled", actor="test", now=house.clock.at)
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    house.rows("update clinics set paused_at = now()")
    house.until(house.clock.at + 20 * MINUTE)
    (task,) = house.rows("select kind, times from tasks where kind = 'phone_change'")
    assert task["times"] == 1
