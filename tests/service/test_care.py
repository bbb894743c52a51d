"""What the clinic says on his behalf: no more texts, from the page or from its own system, and only he can undo it."""

from service.demo_data import PATIENT_NUMBER
from tests.house import House
from tests.service.signed import browser


def test_a_nurse_can_stop_the_texts_for_him_and_nothing_planned_goes_out(house: House) -> None:
    house.opt_in()
    before = len(house.bodies())
    with browser(house, "clinic") as nurse:
        assert nurse.post("/clinic/scans/S-1/stop-texts", data={"how": ""}).status_code == 422
        assert nurse.post("/clinic/scans/S-1/stop-texts", data={"how": "by phone"}).status_code == 303
        page = nurse.get("/clinic/scans/S-1").text
    assert "told the clinic: by phone" in page
    assert "phone_preparation" in house.tasks()
    house.until(house.clock.at.replace(day=16))
    assert len(house.bodies()) == before
    (line,) = house.rows("select given, obtained_by, how from consents where kind = 'opt_out'")
    assert (line["given"], line["how"]) == (True, "told the clinic: by phone")
    assert line["obtained_by"].startswith("staff")


def test_the_clinics_system_can_stop_the_texts_and_saying_it_twice_changes_nothing(house: House) -> None:
    house.opt_in()
    headers = {"Authorization": f"Bearer {house.key()}"}
    url = "/api/v1/scans/S-1/stop-texts"
    first = house.web.post(url, json={"how": "patient portal"}, headers=headers)
    again = house.web.post(url, json={"how": "patient portal"}, headers=headers)
    assert (first.status_code, first.json()["outcome"], again.json()["outcome"]) == (200, "stopped", "same")
    assert len(house.rows("select id from consents where kind = 'opt_out'")) == 1


def test_what_the_clinic_stopped_only_he_can_bring_back(house: House) -> None:
    house.opt_in()
    with browser(house, "clinic") as nurse:
        nurse.post("/clinic/scans/S-1/stop-texts", data={"how": "by phone"})
    assert house.text("does it hurt") == []
    assert "988" in house.text("I want to die")[0]
    house.text("START")
    assert house.text("does it hurt")[0].startswith("The scan does not hurt")
    assert house.rows("select opted_out_at from contact_points where phone = :phone", phone=PATIENT_NUMBER) == [
        {"opted_out_at": None}
    ]
