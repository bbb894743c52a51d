"""Looking a text up at the carrier: whatever was accepted is found, however the clocks differ and however much came since."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.exc import IntegrityError

from service.carrier import twilio
from service.carrier.port import Carrier, Listed, Message
from service.clinics import add_clinic
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER, SITE
from service.errors import Unknown
from service.settlement import ASK_AGAIN, GIVE_UP, GIVE_UP_AFTER, settle
from service.store.work import next_moment, waiting
from simulator.carrier import Number
from tests.house import House
from tests.service.signed import outbound

MINUTE = timedelta(minutes=1)
OTHER_NUMBER = "+12125550101"
SERVICE = "MG" + "b" * 32
ABOUT = datetime(2027, 3, 11, 15, tzinfo=UTC)  # 10:00 in New York


class Behind:
    """The carrier, whose clock is `by` behind ours."""

    def __init__(self, real: Carrier, by: timedelta) -> None:
        self._real, self._by = real, by

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """What was sent to `phone`, by the carrier's own clock."""
        listed = self._real.sent_to(phone, since)
        return [replace(item, created_at=item.created_at - self._by) for item in listed if item.created_at]


class Silent:
    """A carrier that cannot be asked, and for which phones that was tried."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """No answer."""
        self.asked.append(phone)
        raise Unknown(None, f"no answer since {since}")


def send_unseen(house: House, words: list[str], sender: str = CLINIC_NUMBER) -> None:
    """Texts to the patient through the carrier's own door, of which our database knows nothing."""
    for body in words:
        callback = f"{house.settings.public_url}/twilio/status/1/elsewhere"
        house.parts.carrier.send(Message(PATIENT_NUMBER, body, sender, None, callback, 3600))
    assert house.carrier.wait_idle(20)


@pytest.mark.parametrize("seconds", [45, -45])
def test_a_text_is_found_though_the_carriers_clock_is_not_ours(house: House, seconds: int) -> None:
    house.opt_in()
    house.parts = replace(house.parts, carrier=Behind(house.parts.carrier, timedelta(seconds=seconds)))
    house.clock.at = ABOUT
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.until(ABOUT + 30 * MINUTE)
    (row,) = outbound(house, "key like 'about%'")
    assert (row["status"], row["attempts"]) == ("delivered", 1)
    assert house.bodies().count(row["body"]) == 1


def test_a_text_is_found_behind_hundreds_of_newer_ones_to_the_same_phone(house: House) -> None:
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    send_unseen(house, [f"newer {n}" for n in range(201)])
    house.until(house.clock.at + 15 * MINUTE)
    (row,) = outbound(house)
    assert (row["status"], row["attempts"]) == ("delivered", 1)
    assert house.bodies().count(row["body"]) == 1


def test_the_same_words_from_another_clinics_number_are_not_taken_for_ours(house: House) -> None:
    house.carrier.add_number(Number(OTHER_NUMBER))
    house.carrier.faults.plan("500_before")
    house.book()
    house.turn()
    send_unseen(house, [row["body"] for row in outbound(house)], OTHER_NUMBER)
    house.until(house.clock.at + 15 * MINUTE)
    (row,) = outbound(house)
    assert (row["status"], row["attempts"]) == ("delivered", 2)
    assert [message.from_ for message in house.received()] == [OTHER_NUMBER, CLINIC_NUMBER]


def test_a_text_is_found_whichever_number_our_messaging_service_picked(house: House) -> None:
    house.carrier.add_number(Number(OTHER_NUMBER, messaging_service_sid=SERVICE))
    house.rows("update senders set messaging_service_sid = :service", service=SERVICE)
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.book()
    house.turn()
    house.until(house.clock.at + 15 * MINUTE)
    (row,) = outbound(house)
    assert (row["status"], row["attempts"]) == ("delivered", 1)
    assert [message.from_ for message in house.received()] == [OTHER_NUMBER]


def test_a_messaging_service_belongs_to_one_clinic(house: House) -> None:
    """Of a shared one nobody could say whose a text was that has the same words."""
    other = add_clinic(house.parts.database, "Hill", OTHER_NUMBER, SITE, now=house.clock.at)
    house.rows(
        "update senders set messaging_service_sid = :service where id = :id", service=SERVICE, id=other.sender_id
    )
    with pytest.raises(IntegrityError):
        house.rows("update senders set messaging_service_sid = :service", service=SERVICE)


def test_a_listing_that_cannot_reach_back_says_so_instead_of_absent(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio, "MOST_LISTED", 5)
    send_unseen(house, [f"newer {n}" for n in range(4)])
    assert len(house.parts.carrier.sent_to(PATIENT_NUMBER, house.clock.at)) == 4
    send_unseen(house, ["one more"])
    with pytest.raises(Unknown, match="too long"):
        house.parts.carrier.sent_to(PATIENT_NUMBER, house.clock.at)


def test_the_failure_of_an_earlier_attempt_does_not_speak_for_the_next_one(house: House) -> None:
    house.carrier.faults.plan("fails", code=30001)  # a passing cause: it goes again two minutes later
    house.book()
    house.turn()
    house.carrier.faults.plan("500_after")
    house.carrier.faults.plan("no_callbacks")
    house.until(house.clock.at + 20 * MINUTE)
    (row,) = outbound(house)
    assert (row["status"], row["attempts"]) == ("delivered", 2)
    assert house.bodies() == [row["body"]]


def settle_rings(house: House) -> int:
    """How often the ticker would ring for look-ups now."""
    with house.parts.database.cross() as connection:
        return len([bell for bell in waiting(connection, house.clock.at) if bell[0] == "settle"])


def test_a_carrier_that_does_not_answer_is_asked_about_a_few_phones_and_again_a_minute_later(house: House) -> None:
    house.carrier.faults.rate("500_after", 1)
    house.carrier.faults.rate("no_callbacks", 1)
    house.rows("update senders set segments_per_second = 100")
    for n in range(5):
        house.book(f"S-{n}", patient_id=f"P-{n}", phone=f"+1212555{2000 + n}")
    house.turn()
    house.clock.at += 20 * MINUTE
    silent = Silent()
    parts = replace(house.parts, carrier=cast(Carrier, silent))
    settle(parts, house.clinic.clinic_id, house.clock.at)
    assert (len(silent.asked), settle_rings(house)) == (GIVE_UP_AFTER, 0)
    with house.parts.database.cross() as connection:
        assert next_moment(connection) == house.clock.at + ASK_AGAIN
    house.clock.at += ASK_AGAIN
    assert settle_rings(house) == 1
    house.turn()  # it answers again
    assert {row["status"] for row in outbound(house)} == {"delivered"}


def test_what_was_not_asked_after_for_hours_is_given_up_like_the_rest(house: House) -> None:
    house.carrier.faults.rate("500_before", 1)
    house.rows("update senders set segments_per_second = 100")
    for n in range(5):
        house.book(f"S-{n}", patient_id=f"P-{n}", phone=f"+1212555{2000 + n}")
    house.turn()
    (doubtful,) = house.rows("select count(*) as n from outbound where status = 'uncertain'")
    assert doubtful["n"] > GIVE_UP_AFTER
    house.clock.at += GIVE_UP + MINUTE
    settle(replace(house.parts, carrier=cast(Carrier, Silent())), house.clinic.clinic_id, house.clock.at)
    assert len(outbound(house, "status = 'failed'")) == doubtful["n"]
    assert outbound(house, "status = 'uncertain'") == []


def test_an_answer_that_failed_and_of_which_nobody_told_us_is_not_sent_again(house: House) -> None:
    house.opt_in()
    house.carrier.faults.plan("fails", code=30005)
    house.carrier.faults.plan("no_callbacks")
    house.text("does it hurt?")
    house.until(house.clock.at + 30 * MINUTE)
    (row,) = outbound(house, "key = 'pain'") or outbound(house)[-1:]
    assert (row["status"], row["attempts"], row["error_code"]) == ("undelivered", 1, 30005)
