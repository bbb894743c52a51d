"""Whatever the carrier does to a send, the phone gets each text once, or a person is told."""

import dataclasses
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import cast

import pytest

from service import conversation, reminders
from service.carrier.port import Carrier, Message
from service.carrier.twilio import twilio_carrier
from service.conversation import Arrived
from service.delivery import send_due
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.errors import OutOfTime
from service.reminders import fire_due
from service.settlement import settle
from service.store.queue import due_texts, mark_sending
from service.store.work import next_moment
from service.wiring import Parts
from tests.house import House
from tests.service.signed import outbound
from workers.turns import run_due

MINUTE = timedelta(minutes=1)


def status(house: House) -> str:
    """Where the only text of the outbox stands."""
    (row,) = outbound(house)
    return str(row["status"])


@contextmanager
def carrier_away(house: House) -> Iterator[Parts]:
    """The house's parts, with a carrier that refuses connections."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))  # bound and not listening
        url = f"http://127.0.0.1:{holder.getsockname()[1]}"
        away = twilio_carrier(house.settings.model_copy(update={"twilio_api_url": url}))
        yield dataclasses.replace(house.parts, carrier=away)


def later(house: House, span: timedelta) -> None:
    """Let the clock run, doing what falls due on the way."""
    house.until(house.clock.at + span)


def unheard(house: House, body: str, sid: str) -> None:
    """A text whose answer never reached the carrier."""
    clinic = house.clinic
    arrived = Arrived(sid, PATIENT_NUMBER, CLINIC_NUMBER, body)
    assert "<Message" in conversation.receive(house.parts, clinic.clinic_id, clinic.sender_id, arrived, house.clock.at)


def test_a_busy_carrier_is_asked_again_and_the_text_arrives_once(house: House) -> None:
    house.carrier.faults.plan("429", times=2)
    house.book()
    house.turn()
    assert (status(house), house.bodies()) == ("queued", [])
    later(house, 10 * MINUTE)
    assert (status(house), len(house.bodies())) == ("delivered", 1)
    assert house.carrier.faults.counts()["429"] == 2


def test_a_carrier_that_stays_busy_is_asked_with_patience_and_the_text_arrives_once_in_the_end(house: House) -> None:
    house.carrier.faults.plan("429", times=12)
    house.book()
    later(house, timedelta(minutes=20))
    assert (status(house), house.bodies()) == ("queued", [])
    later(house, timedelta(hours=1))
    (row,) = outbound(house)
    assert (row["status"], len(house.bodies())) == ("delivered", 1)
    assert row["attempts"] == 1, "what the carrier did not process was no attempt"
    assert house.carrier.faults.counts()["429"] == 12


@pytest.mark.parametrize("fault", ["500_after", "timeout_after"])
def test_a_text_taken_without_an_answer_is_settled_by_its_receipt(house: House, fault: str) -> None:
    house.carrier.faults.plan(fault, seconds=0.1)
    house.book()
    house.turn()
    assert (status(house), len(house.bodies())) == ("delivered", 1)
    later(house, timedelta(hours=1))
    assert len(house.bodies()) == 1


@pytest.mark.parametrize("fault", ["500_after", "timeout_after"])
def test_a_text_taken_without_an_answer_or_receipt_is_found_and_adopted(house: House, fault: str) -> None:
    house.carrier.faults.plan(fault, seconds=0.1)
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    assert (status(house), len(house.bodies())) == ("uncertain", 1)
    later(house, 3 * MINUTE)
    (row,) = outbound(house)
    assert (row["status"], row["provider_sid"]) == ("delivered", house.received()[0].sid)
    later(house, timedelta(hours=1))
    assert len(house.bodies()) == 1


@pytest.mark.parametrize("fault", ["500_before", "timeout_before"])
def test_a_text_that_was_never_taken_is_sent_again_only_after_two_look_ups(house: House, fault: str) -> None:
    house.carrier.faults.plan(fault, seconds=0.1)
    house.book()
    house.turn()
    assert (status(house), house.bodies()) == ("uncertain", [])
    later(house, 9 * MINUTE)
    (row,) = outbound(house)
    assert (row["status"], row["listings"], house.bodies()) == ("uncertain", 1, [])
    later(house, 2 * MINUTE)
    assert (status(house), len(house.bodies())) == ("delivered", 1)
    later(house, timedelta(hours=1))
    assert (len(house.bodies()), house.tasks()) == (1, {})


def test_a_carrier_that_cannot_be_asked_leaves_the_text_open_and_nothing_is_doubled(house: House) -> None:
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    house.clock.at += 3 * MINUTE
    with carrier_away(house) as parts:
        run_due(parts, house.clock.at)
    assert status(house) == "uncertain"
    house.clock.at += MINUTE
    house.turn()
    assert (status(house), len(house.bodies())) == ("delivered", 1)


def test_a_claim_whose_worker_died_is_never_resent_blindly(house: House) -> None:
    house.book()
    clinic = house.clinic
    reminders.fire_due(house.parts, clinic.clinic_id, house.clock.at)
    with house.parts.database.clinic(clinic.clinic_id) as session:
        (due,) = due_texts(session, clinic.clinic_id, clinic.sender_id, house.clock.at, 10)
        mark_sending(session, clinic.clinic_id, [due.id], house.clock.at)
    house.turn()
    assert (status(house), house.bodies()) == ("sending", [])
    house.clock.at += 2 * MINUTE
    later(house, 7 * MINUTE)
    assert (status(house), house.bodies()) == ("uncertain", [])
    later(house, 3 * MINUTE)
    assert (status(house), len(house.bodies())) == ("delivered", 1)


def test_a_claim_whose_worker_died_after_the_call_is_found_and_adopted(house: House) -> None:
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    house.rows("update outbound set status = 'sending', provider_sid = null")  # the call was made, never recorded
    house.clock.at += 2 * MINUTE
    later(house, 2 * MINUTE)
    assert (status(house), len(house.bodies())) == ("delivered", 1)
    later(house, timedelta(hours=1))
    assert len(house.bodies()) == 1


def test_a_dead_workers_claim_never_leaves_the_next_due_moment_in_the_past(house: House) -> None:
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    house.rows("update outbound set status = 'sending', provider_sid = null")
    house.clock.at += timedelta(seconds=61)
    house.turn()
    with house.parts.database.cross() as connection:
        coming = next_moment(connection)
    assert coming is not None
    assert coming > house.clock.at  # else a clock that steps from moment to moment stands still


def test_a_reply_without_receipts_becomes_uncertain_is_found_and_not_doubled(house: House) -> None:
    house.book()
    house.turn()
    house.carrier.faults.plan("no_callbacks", times=2)
    assert len(house.text("1")) == 2
    replies = "inbound_id is not null"
    assert [row["status"] for row in outbound(house, replies)] == ["offered", "offered"]
    later(house, 1.5 * MINUTE)
    assert [row["status"] for row in outbound(house, replies)] == ["uncertain", "uncertain"]
    later(house, 2 * MINUTE)
    assert [row["status"] for row in outbound(house, replies)] == ["delivered", "delivered"]
    later(house, timedelta(hours=1))
    assert len(house.bodies()) == 3


def test_a_reply_that_never_reached_the_carrier_goes_once_through_the_outbox(house: House) -> None:
    house.opt_in()
    seen = len(house.bodies())
    unheard(house, "how do I get ready?", "SMlost")
    later(house, 9 * MINUTE)
    assert len(house.bodies()) == seen
    later(house, 3 * MINUTE)
    assert [body[:16] for body in house.bodies()[seen:]] == ["Before your visi"]
    later(house, timedelta(hours=1))
    assert len(house.bodies()) == seen + 1


def test_an_ordinary_reply_that_is_stale_is_refused_with_a_reason(house: House) -> None:
    house.opt_in()
    seen = len(house.bodies())
    unheard(house, "how do I get ready?", "SMlost")
    house.clock.at += 20 * MINUTE  # everything of ours was down meanwhile
    later(house, 5 * MINUTE)
    later(house, 15 * MINUTE)
    assert len(house.bodies()) == seen
    row = outbound(house)[-1]
    assert row["status"] == "refused"
    assert "too late" in row["reason"]


def test_a_safety_reply_is_never_too_late(house: House) -> None:
    house.opt_in()
    seen = len(house.bodies())
    unheard(house, "I want to die", "SMlost")
    house.clock.at += 20 * MINUTE
    later(house, 15 * MINUTE)
    assert [body for body in house.bodies()[seen:] if "988" in body] == house.bodies()[seen:]
    assert len(house.bodies()) == seen + 1


def test_two_identical_texts_in_doubt_are_matched_one_to_one(house: House) -> None:
    house.opt_in()
    seen = len(house.bodies())
    unheard(house, "how do I get ready?", "SMlost")  # this answer was lost
    house.clock.at += timedelta(seconds=5)
    house.carrier.faults.plan("no_callbacks")
    house.text("how do I get ready?")  # this one arrived, and nobody said so
    assert len(house.bodies()) == seen + 1
    later(house, 4 * MINUTE)
    twins = outbound(house, "key = 'prep'")
    assert sorted(row["status"] for row in twins) == ["delivered", "uncertain"]
    later(house, 10 * MINUTE)
    assert [row["status"] for row in outbound(house, "key = 'prep'")] == ["delivered", "delivered"]
    assert len(house.bodies()) == seen + 2
    sids = [row["provider_sid"] for row in outbound(house, "key = 'prep'")]
    assert len(set(sids)) == 2


def test_a_refused_connection_is_tried_again_because_nothing_was_processed(house: House) -> None:
    house.book()
    with carrier_away(house) as parts:
        run_due(parts, house.clock.at)
    assert status(house) == "queued"
    later(house, 5 * MINUTE)
    assert (status(house), len(house.bodies())) == ("delivered", 1)


def test_a_text_taken_before_a_long_outage_of_ours_is_found_and_not_sent_again(house: House) -> None:
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    assert (status(house), len(house.bodies())) == ("uncertain", 1)
    house.clock.at += timedelta(hours=9)  # nobody worked meanwhile: no ticker, no worker
    house.turn()
    house.turn()
    assert (status(house), len(house.bodies())) == ("delivered", 1)


def test_a_failure_whose_receipt_was_lost_is_found_and_a_person_is_told(house: House) -> None:
    house.carrier.faults.plan("fails", code=30005)
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    assert (status(house), house.tasks()) == ("accepted", {})
    later(house, 16 * MINUTE)
    assert (status(house), list(house.tasks())) == ("undelivered", ["phone_preparation"])


def test_a_passing_failure_whose_receipt_was_lost_is_found_and_the_text_goes_again_once(house: House) -> None:
    house.carrier.faults.plan("fails", code=30001)
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    later(house, timedelta(hours=1))
    assert (status(house), len(house.bodies()), house.tasks()) == ("delivered", 1, {})


def test_a_delivery_whose_receipt_was_lost_is_found_at_the_first_look(house: House) -> None:
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    assert status(house) == "accepted"
    later(house, 16 * MINUTE)
    assert (status(house), outbound(house)[0]["listings"]) == ("delivered", 0)


def test_a_text_of_which_the_carrier_never_says_what_became_is_told_to_a_person_and_not_asked_for_ever(
    house: House,
) -> None:
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    house.carrier.delete(outbound(house)[0]["provider_sid"])
    later(house, timedelta(hours=10))
    assert (outbound(house)[0]["listings"], house.tasks()) == (2, {})
    later(house, timedelta(hours=2))
    (row,) = outbound(house)
    assert (row["status"], row["listings"], list(house.tasks())) == ("accepted", 3, ["phone_preparation"])
    later(house, timedelta(hours=3))
    assert outbound(house)[0]["listings"] == 3


def test_the_answer_to_start_that_was_lost_does_not_come_after_a_stop(house: House) -> None:
    house.opt_in()
    house.text("STOP")
    unheard(house, "START", "SMlost")
    house.clock.at += timedelta(seconds=5)
    house.text("STOP")
    seen = len(house.bodies())
    later(house, timedelta(hours=1))
    assert (outbound(house, "key = 'started'")[0]["status"], len(house.bodies())) == ("refused", seen)


def test_a_confirmation_of_stop_that_was_lost_does_not_come_after_five_minutes(house: House) -> None:
    house.opt_in()
    unheard(house, "STOP", "SMlost")
    seen = len(house.bodies())
    later(house, timedelta(hours=1))
    (row,) = outbound(house, "key = 'stopped'")
    assert (row["status"], len(house.bodies())) == ("refused", seen)
    assert "too late" in row["reason"]


def test_a_reply_in_doubt_is_looked_up_before_texts_that_only_lack_their_receipt(house: House) -> None:
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    unheard(house, "I want to die", "SMlost")
    house.clock.at += 16 * MINUTE  # both are due for a look-up, and the other is the older
    settle(house.parts, house.clinic.clinic_id, house.clock.at, limit=1)
    looked_up = {row["key"]: (row["status"], row["listings"]) for row in outbound(house)}
    assert looked_up["crisis"] == ("uncertain", 1)
    assert looked_up["invite"] == ("accepted", 0)


class _Odd:
    """The house's carrier, of which the first answer is none that anybody foresaw."""

    def __init__(self, real: Carrier, error: BaseException) -> None:
        self.real, self.errors = real, [error]

    def send(self, message: Message) -> str:
        sid = self.real.send(message)
        if self.errors:
            raise self.errors.pop()
        return sid


def test_an_odd_answer_of_the_carrier_leaves_the_others_of_the_batch_their_results(house: House) -> None:
    for n in range(3):
        house.book(f"S-{n}", patient_id=f"P-{n}", phone=f"+1212555{2000 + n}")
    house.rows("update senders set segments_per_second = 100")  # all in one batch
    house.carrier.faults.rate("no_callbacks", 1)
    odd = _Odd(house.parts.carrier, TypeError("list indices must be integers"))
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    parts = dataclasses.replace(house.parts, carrier=cast(Carrier, odd))
    send_due(parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    assert [row["status"] for row in outbound(house)] == ["uncertain", "accepted", "accepted"]


def test_a_job_whose_time_is_up_is_no_odd_answer(house: House) -> None:
    house.book()
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    late = dataclasses.replace(house.parts, carrier=cast(Carrier, _Odd(house.parts.carrier, OutOfTime("too long"))))
    with pytest.raises(OutOfTime):
        send_due(late, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
