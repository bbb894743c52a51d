"""A number's pace, kept on its row: answers just given hold up what is planned, answers of long ago do not."""

from datetime import UTC, datetime, timedelta

from service.delivery import send_due
from tests.house import House

ABOUT = datetime(2027, 3, 11, 15, tzinfo=UTC)  # 10:00 in New York
OTHER = "+12125550188"


def waits_until(house: House) -> datetime | None:
    """Until when the clinic's number is busy, by what was last worked out."""
    send_due(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    (row,) = house.rows("select paced_until from senders where id = :id", id=house.clinic.sender_id)
    until: datetime = row["paced_until"]
    return until if until > house.clock.at else None


def test_answers_of_days_ago_do_not_make_a_reminder_late(house: House) -> None:
    house.opt_in()
    house.clock.at += timedelta(minutes=1)
    for question in ("Does it hurt?", "MENU", "Can I drive?"):
        house.text(question)
    house.clock.at = ABOUT
    house.turn()
    assert "About your PSMA PET scan" in house.bodies()[-1]


def test_answers_just_given_are_carried_before_what_is_planned(house: House) -> None:
    house.opt_in()
    house.clock.at = ABOUT
    for question in ("Who is this?", "HELP", "What?"):  # another person, answered through the same number
        house.text(question, OTHER)
    answered = sum(row["segments"] for row in house.rows("select segments from outbound where phone = :p", p=OTHER))
    assert answered > 1
    until = waits_until(house)
    assert until == ABOUT + timedelta(seconds=answered - 1)
    house.turn()
    assert "About your PSMA PET scan" not in house.bodies()[-1]
    house.clock.at = until
    house.turn()
    assert "About your PSMA PET scan" in house.bodies()[-1]
