"""Bad input at the clinic systems' door: each wrong field is named, and nothing at all is stored."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.house import House
from tests.service.signed import stored
from tests.service.test_web_api import PROBLEM, scan_body

GONE = object()
BAD: list[tuple[str, Any, str]] = [
    ("arrival_at", "2027-03-08T08:59", "arrival_at"),
    ("arrival_at", "2027-03-14T02:30", "arrival_at"),  # the clocks skip it
    ("arrival_at", "next Tuesday", "arrival_at"),
    ("arrival_at", "2027-03-18", "arrival_at"),
    ("arrival_at", "2027-02-30T10:00", "arrival_at"),
    ("arrival_at", "", "arrival_at"),
    ("arrival_at", 1805361300, "arrival_at"),
    ("arrival_at", GONE, "arrival_at"),
    ("arrival_at", "9999-12-31T23:59", "arrival_at"),
    ("arrival_at", "0001-01-01T00:00+14:00", "arrival_at"),
    ("starts_at", "2027-03-18T09:00", "starts_at"),
    ("starts_at", "2027-03-20T09:00", "starts_at"),
    ("starts_at", "later", "starts_at"),
    ("tracer", "Moonbeam", "tracer"),
    ("tracer", "", "tracer"),
    ("tracer", "Pylarify\x00", "tracer"),
    ("reason", "curiosity", "reason"),
    ("permission", GONE, "permission"),
    ("permission", None, "permission"),
    ("permission.how", "", "permission.how"),
    ("permission.how", "   ", "permission.how"),
    ("permission.how", "by\x00phone", "permission.how"),
    ("permission.obtained_by", "", "permission.obtained_by"),
    ("permission.at", "2027-03-01T12:00:00", "permission.at"),
    ("permission.at", "yesterday", "permission.at"),
    ("patient", GONE, "patient"),
    ("patient.external_id", "", "patient.external_id"),
    ("patient.external_id", "P 1", "patient.external_id"),
    ("patient.external_id", "P" * 101, "patient.external_id"),
    ("patient.given_name", "", "patient.given_name"),
    ("patient.given_name", "   ", "patient.given_name"),
    ("patient.given_name", "Wal\x00ter", "patient.given_name"),
    ("patient.given_name", "W" * 201, "patient.given_name"),
    ("patient.phone", "call the front desk", "patient.phone"),
    ("patient.phone", "5550123", "patient.phone"),
    ("patient.phone", "+12125550123 ext. 9", "patient.phone"),
    ("patient.phone", "+1212555012345", "patient.phone"),
    ("patient.phone", "", "patient.phone"),
    ("patient.phone", 12125550123, "patient.phone"),
    ("patient.zone", "Mars/Olympus", "patient.zone"),
    ("patient.zone", "", "patient.zone"),
    ("patient.language", "tlh", "patient.language"),
    ("patient.nickname", "Walt", "patient.nickname"),
    ("priority", "high", "priority"),
]


def changed(path: str, value: Any) -> dict[str, Any]:
    """The good booking with one field replaced, added or taken away."""
    body = scan_body()
    *parents, name = path.split(".")
    place = body
    for parent in parents:
        place[parent] = dict(place[parent])
        place = place[parent]
    if value is GONE:
        del place[name]
    else:
        place[name] = value
    return body


def ids() -> Iterator[str]:
    """A readable name for each case."""
    for path, value, _ in BAD:
        yield f"{path}-{'gone' if value is GONE else repr(value)[:24]}"


@pytest.mark.parametrize(("path", "value", "field"), BAD, ids=list(ids()))
def test_a_bad_field_is_named_and_nothing_is_stored(house: House, path: str, value: Any, field: str) -> None:
    headers = {"Authorization": f"Bearer {house.key()}"}
    before = stored(house)
    answer = house.web.put("/api/v1/scans/S-1", json=changed(path, value), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["detail"]
    assert stored(house) == before


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'"S-1"', b"\xff\xfe"])
def test_what_is_no_booking_at_all_is_refused(house: House, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {house.key()}", "Content-Type": "application/json"}
    before = stored(house)
    answer = house.web.put("/api/v1/scans/S-1", content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    assert stored(house) == before


@pytest.mark.parametrize("external_id", ["S 1", "S%2F..%2F1", "%00", "S" * 101, "<script>"])
def test_an_id_that_could_not_stand_in_an_address_is_refused(house: House, external_id: str) -> None:
    headers = {"Authorization": f"Bearer {house.key()}"}
    before = stored(house)
    answer = house.web.put(f"/api/v1/scans/{external_id}", json=scan_body(), headers=headers)
    assert answer.status_code in (404, 422)
    assert stored(house) == before


def test_a_site_that_the_clinic_does_not_have_is_refused(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.key()}"}
    before = stored(house)
    for site in ("Elsewhere", "Riverside\x00"):
        answer = house.web.put("/api/v1/scans/S-1", json=scan_body(site=site), headers=headers)
        assert answer.status_code in (404, 422)
    assert stored(house) == before


def test_bad_input_to_a_booked_scan_changes_nothing_of_it(house: House) -> None:
    headers = {"Authorization": f"Bearer {house.key()}"}
    house.web.put("/api/v1/scans/S-1", json=scan_body(), headers=headers)
    before = house.rows("select * from scans")
    for path, value in (("arrival_at", "2027-03-14T02:30"), ("tracer", "Moonbeam"), ("patient.phone", "555")):
        assert house.web.put("/api/v1/scans/S-1", json=changed(path, value), headers=headers).status_code == 422
    assert house.rows("select * from scans") == before
