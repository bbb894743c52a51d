"""One phone at two clinics, and a busy clinic beside a quiet one: neither knows of the other, nor waits for it."""

import dataclasses
from typing import cast

from service.booking import book
from service.carrier.port import Carrier, Message
from service.clinics import AddedClinic, add_clinic
from service.delivery import send_due
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER, SITE
from service.reminders import fire_due
from tests.house import IDLE, House
from tests.service.signed import outbound

THEIRS = "+12125550101"


def neighbour(house: House, phone: str = PATIENT_NUMBER) -> AddedClinic:
    """A second clinic, with one man booked."""
    other = add_clinic(house.parts.database, "Hillside", THEIRS, SITE, keywords="ours", now=house.clock.at)
    ours = next(number for number in house.carrier.numbers if number.phone == CLINIC_NUMBER)
    house.carrier.add_number(dataclasses.replace(ours, phone=THEIRS))
    book(house.parts, other.clinic_id, "H-1", house.booking(phone=phone), actor="test", now=house.clock.at)
    return other


def test_a_stop_at_one_clinic_leaves_the_other_as_it_was(house: House) -> None:
    house.book()
    other = neighbour(house)
    house.turn()
    assert len(house.bodies()) == 2
    house.text("STOP")
    stopped = house.rows("select clinic_id from contact_points where opted_out_at is not null")
    assert stopped == [{"clinic_id": house.clinic.clinic_id}]
    house.carrier.text_in(PATIENT_NUMBER, THEIRS, "1")
    assert house.carrier.wait_idle(IDLE)
    agreed = house.rows("select clinic_id from consents where kind = 'texts' and given")
    assert agreed == [{"clinic_id": other.clinic_id}]


def test_a_clinic_with_hundreds_waiting_holds_up_no_other(house: House) -> None:
    for n in range(300):
        house.book(f"S-{n}", patient_id=f"P-{n}", phone=f"+1212556{n:04d}")
    neighbour(house)
    house.turn()
    assert [row["status"] for row in outbound(house, f"phone = '{PATIENT_NUMBER}'")] == ["delivered"]
    assert outbound(house, "status = 'queued'"), "the many go at their number's pace"


class Watched:
    """The house's carrier, and how many connections were out while it was called."""

    def __init__(self, house: House) -> None:
        self.house, self.out = house, list[int]()

    def send(self, message: Message) -> str:
        self.out.append(self.house.parts.database._app.pool.checkedout())
        return self.house.parts.carrier.send(message)


def test_no_connection_is_held_while_the_carrier_is_called(house: House) -> None:
    house.book()
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    watched = Watched(house)
    parts = dataclasses.replace(house.parts, carrier=cast(Carrier, watched))
    send_due(parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    assert watched.out == [0]
