"""Rehearsals of whole journeys: ten days and twenty hours ahead, across the change of the clock, early and late scans."""

from datetime import timedelta

import pytest

from service.settings import Settings
from workers.rehearsal import Line, Play, moment, rehearse, scratch, show

ZONE = "America/New_York"


@pytest.fixture(scope="module")
def play_it(servers: Settings):  # type: ignore[no-untyped-def]  # a function of the module's own
    """Plays a journey on a scratch database of its own."""

    def play(booked: str, arrival: str) -> list[Line]:
        arrives = moment(arrival, ZONE)
        with scratch(servers, "rehearsed") as url:
            return rehearse(servers, url, Play(moment(booked, ZONE), arrives, arrives + timedelta(hours=1), zone=ZONE))

    return play


def heard(lines: list[Line]) -> str:
    """Everything the patient was told, as one text."""
    return "\n".join(line.words for line in lines if line.who == "CLINIC")


MATTERS = (
    "Please arrive",
    "How to get ready",
    "made for your time",
    "bring a photo ID",
    "keep some distance",
    "2 working days",
)


@pytest.mark.parametrize(
    ("booked", "arrival"),
    [
        ("2027-03-08T09:00", "2027-03-18T09:15"),  # ten days ahead, across the change on March 14
        ("2027-03-17T13:15", "2027-03-18T09:15"),  # twenty hours ahead
        ("2027-03-13T13:15", "2027-03-14T09:15"),  # twenty hours ahead, and the clocks change that night
        ("2027-03-08T09:00", "2027-03-18T07:30"),
        ("2027-03-08T09:00", "2027-03-18T18:00"),
        ("2026-10-25T12:00", "2026-11-02T09:15"),  # across the change back
    ],
)
def test_nothing_that_matters_is_dropped(play_it, booked: str, arrival: str) -> None:  # type: ignore[no-untyped-def]
    told = heard(play_it(booked, arrival))
    for words in MATTERS:
        assert words in told, words


def test_times_are_the_clinics_after_the_clock_has_changed(play_it) -> None:  # type: ignore[no-untyped-def]
    transcript = show(play_it("2027-03-08T09:00", "2027-03-18T09:15"), ZONE)
    assert "Mon Mar 15  10:00  CLINIC" in transcript
    assert "Thursday, March 18. Please arrive at 9:15 am" in transcript


def test_a_late_booking_is_told_in_as_few_texts_as_possible(play_it) -> None:  # type: ignore[no-untyped-def]
    lines = play_it("2027-03-17T13:15", "2027-03-18T09:15")
    before = [line for line in lines if line.who == "CLINIC" and line.at <= moment("2027-03-18T09:15", ZONE)]
    assert [
        words
        for words in (line.words for line in before)
        if "How to get ready" in words and "bring a photo ID" in words
    ]
    assert sum("How to get ready" in line.words for line in before) == 1


def test_a_visit_tomorrow_booked_at_night_is_phoned_and_said_so(play_it) -> None:  # type: ignore[no-untyped-def]
    lines = play_it("2027-03-17T21:00", "2027-03-18T08:00")
    staff = "\n".join(line.words for line in lines if line.who == "STAFF")
    assert "no time left to ask him by text" in staff
    assert "Phone him the preparation" in staff
