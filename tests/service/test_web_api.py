"""The clinic systems' door: book, move, end and look, by the clinic's own ids; said twice, it changes nothing."""

import dataclasses
from datetime import timedelta
from typing import Any

import httpx
import pytest

from service.clinics import add_clinic, add_key
from service.demo_data import PATIENT_NUMBER, SITE
from tests.house import THURSDAY_915, House
from tests.service.signed import stored

PROBLEM = "application/problem+json"


def scan_body(**changes: Any) -> dict[str, Any]:
    """A good booking as a system sends it."""
    return {
        "patient": {"external_id": "P-1", "given_name": "Walter", "phone": PATIENT_NUMBER},
        "arrival_at": "2027-03-18T09:15",
        "starts_at": "2027-03-18T10:15",
        "tracer": "Pylarify",
        "reason": "recurrence",
        "permission": {"obtained_by": "front desk", "how": "asked by phone", "at": "2027-03-01T12:00:00Z"},
        **changes,
    }


@dataclasses.dataclass
class System:
    """A clinic's system, with its key."""

    web: httpx.Client
    key: str

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def put(self, external_id: str = "S-1", **changes: Any) -> httpx.Response:
        """Book or move."""
        return self.web.put(f"/api/v1/scans/{external_id}", json=scan_body(**changes), headers=self._headers())

    def end(self, how: str, external_id: str = "S-1") -> httpx.Response:
        """Cancel, complete or no-show."""
        return self.web.post(f"/api/v1/scans/{external_id}/{how}", headers=self._headers())

    def timeline(self, external_id: str = "S-1") -> httpx.Response:
        """What became of everything planned."""
        return self.web.get(f"/api/v1/scans/{external_id}/timeline", headers=self._headers())


@pytest.fixture
def system(house: House) -> System:
    """The clinic's own system."""
    return System(house.web, house.key())


def other_clinics_system(house: House) -> System:
    """The system of another clinic on the same installation."""
    facts = dataclasses.replace(SITE, name="Hillside Imaging")
    clinic = add_clinic(house.parts.database, "Hillside", "+12125550101", facts, now=house.clock.at)
    return System(house.web, add_key(house.parts.database, clinic.clinic_id, "theirs", now=house.clock.at)[1])


def test_a_new_scan_is_made_once_and_then_stays_the_same(house: House, system: System) -> None:
    first = system.put()
    assert (first.status_code, first.json()) == (201, {"external_id": "S-1", "outcome": "new"})
    after = stored(house)
    again = system.put()
    assert (again.status_code, again.json()["outcome"]) == (200, "same")
    assert stored(house) == after


def test_another_arrival_is_a_move_and_another_start_or_tracer_a_change(system: System) -> None:
    system.put()
    moved = system.put(arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15")
    assert (moved.status_code, moved.json()["outcome"]) == (200, "moved")
    changed = system.put(arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:30", tracer="Illuccix")
    assert (changed.status_code, changed.json()["outcome"]) == (200, "changed")
    assert system.timeline().json()["arrival_at"] == "2027-03-19T13:15:00Z"


@pytest.mark.parametrize("written", ["2027-03-18T09:15:00-04:00", "2027-03-18T13:15:00Z", "2027-03-18T18:45+05:30"])
def test_an_offset_and_the_sites_local_time_are_both_understood(system: System, written: str) -> None:
    system.put()
    assert system.put(arrival_at=written).json()["outcome"] == "same"
    assert system.timeline().json()["arrival_at"] == "2027-03-18T13:15:00Z"


def test_an_hour_that_comes_twice_in_autumn_is_the_first_of_the_two(system: System) -> None:
    system.put(arrival_at="2027-11-07T01:30", starts_at="2027-11-07T03:00")
    assert system.timeline().json()["arrival_at"] == "2027-11-07T05:30:00Z"


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer sg_wrong", "Basic c2c6c2c=", "Bearer sg_wrong and more"])
def test_without_a_valid_key_nothing_is_told_or_stored(house: House, given: str) -> None:
    before = stored(house)
    headers = {"Authorization": given} if given else {}
    answers = [
        house.web.put("/api/v1/scans/S-1", json=scan_body(), headers=headers),
        house.web.post("/api/v1/scans/S-1/cancel", headers=headers),
        house.web.get("/api/v1/scans/S-1/timeline", headers=headers),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["status"] == 401
    assert stored(house) == before


def test_a_revoked_key_opens_nothing(house: House, system: System) -> None:
    assert system.put().status_code == 201
    house.rows("update api_keys set revoked_at = :now", now=house.clock.at)
    assert [system.put().status_code, system.timeline().status_code] == [401, 401]


def test_an_unknown_scan_is_not_found(house: House, system: System) -> None:
    before = stored(house)
    for answer in (system.timeline("S-9"), system.end("cancel", "S-9"), system.end("complete", "S-9")):
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert stored(house) == before
    assert system.end("explode").status_code == 422


@pytest.mark.parametrize(("how", "state"), [("cancel", "cancelled"), ("complete", "completed"), ("no-show", "no_show")])
def test_an_ending_said_twice_changes_nothing(house: House, system: System, how: str, state: str) -> None:
    system.put()
    assert system.end(how).json() == {"external_id": "S-1", "outcome": state}
    after = stored(house)
    assert system.end(how).json()["outcome"] == "same"
    assert stored(house) == after
    assert system.timeline().json()["state"] == state


def test_what_does_not_fit_is_a_conflict_and_changes_nothing(house: House, system: System) -> None:
    system.put()
    other = scan_body()["patient"] | {"external_id": "P-2", "phone": "+12125550124"}
    before = stored(house)
    answer = system.put(patient=other)
    assert (answer.status_code, answer.headers["content-type"]) == (409, PROBLEM)
    assert stored(house) == before
    system.end("complete")
    late = system.put(arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15")
    assert [late.status_code, system.end("cancel").status_code] == [409, 409]


def test_a_cancelled_scan_may_be_booked_again_under_its_id(house: House, system: System) -> None:
    system.put()
    system.end("cancel")
    assert system.put().json()["outcome"] == "moved"
    assert system.timeline().json()["state"] == "booked"


def test_the_timeline_tells_what_is_planned_sent_and_skipped_and_why(house: House, system: System) -> None:
    house.book()
    house.turn()
    for answer in ("1", "2"):
        house.clock.at += timedelta(minutes=1)
        house.text(answer)
    house.until(THURSDAY_915 - timedelta(days=2))
    told = system.timeline().json()
    lines = {line["title"]: line for line in told["planned"] if line["status"] != "replaced"}
    assert lines["Invitation"]["status"] == "delivered"
    assert lines["Invitation"]["body"].startswith("Riverside Imaging: you have an imaging visit")
    assert lines["About the scan"]["status"] == "not sent"
    assert "general texts" in lines["About the scan"]["reason"]
    assert lines["How to prepare"]["status"] == "delivered"
    assert lines["The day before, with: the day itself"]["status"] == "planned"
    assert [line["from"] for line in told["thread"]][:3] == ["clinic", "patient", "clinic"]
    assert told["open_tasks"] == []


def test_one_clinics_key_cannot_see_or_touch_anothers_scan(house: House, system: System) -> None:
    system.put()
    theirs, before = other_clinics_system(house), stored(house)
    assert [theirs.timeline().status_code, theirs.end("cancel").status_code] == [404, 404]
    assert stored(house) | {"clinics": 0} == before | {"clinics": 0}
    assert theirs.put().json()["outcome"] == "new"  # the same id means another scan there
    assert theirs.end("cancel").status_code == 200
    assert system.timeline().json()["state"] == "booked"


def test_the_openapi_document_describes_the_door_and_no_other(house: House) -> None:
    paths = house.web.get("/api/v1/openapi.json").json()["paths"]
    assert "/api/v1/scans/{external_id}" in paths
    assert all(path.startswith("/api/v1/") for path in paths)
