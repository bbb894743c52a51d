"""Several visits on one phone, of one man or of two: asked which is meant, by day and hour, never by name."""

from datetime import timedelta

import pytest

from service.booking import end
from service.demo_data import SITE
from service.store.people import Site
from tests.house import House
from tests.service.signed import outbound

MARCH_30 = {"arrival_at": "2027-03-30T14:00", "starts_at": "2027-03-30T15:00", "tracer": "Illuccix"}
OTHER, THIRD = "+12125550188", "+12125550189"
WHICH = "More than one visit is booked on this phone. Which one do you mean?"


def two_visits(house: House, **changes: object) -> None:
    """One man with two visits ahead, texted about neither for two days."""
    house.opt_in()
    house.book("S-2", **{**MARCH_30, **changes})
    house.clock.at += timedelta(days=2)


def second_site(house: House, **changes: object) -> None:
    """Another place of the same clinic."""
    with house.parts.database.clinic(house.clinic.clinic_id) as session:
        session.add(Site(clinic_id=house.clinic.clinic_id, **(SITE.__dict__ | {"name": "Hill Imaging"} | changes)))


def test_a_question_that_depends_on_the_visit_asks_which_and_then_answers_about_that_one(house: House) -> None:
    two_visits(house)
    (asked,) = house.text("what time do I have to be there")
    assert asked.startswith(WHICH)
    assert "1 Mar 18, 9:15 am\n2 Mar 30, 2:00 pm\n0 A person" in asked
    assert "911" in asked
    (answer,) = house.text("1")
    assert "March 18" in answer
    assert "9:15 am" in answer


def test_the_one_he_chose_is_meant_for_a_day_and_then_he_is_asked_again(house: House) -> None:
    two_visits(house)
    house.text("what time do I have to be there")
    assert "March 30" in house.text("2")[0]
    house.clock.at += timedelta(hours=20)
    assert "March 30" in house.text("what time should I be there?")[0]
    house.clock.at += timedelta(hours=5)
    assert house.text("what time should I be there?")[0].startswith(WHICH)


def test_a_question_that_is_the_same_for_both_is_just_answered(house: House) -> None:
    two_visits(house)
    assert house.text("does it hurt")[0].startswith("The scan does not hurt")


def test_between_two_sites_what_a_site_says_asks_which_and_within_one_it_does_not(house: House) -> None:
    two_visits(house)
    assert "Coffee is fine." in house.text("can I have coffee")[0]
    second_site(house, food_drink="Water only.")
    house.book("S-2", site="Hill Imaging", **MARCH_30)
    house.clock.at += timedelta(days=2)
    assert house.text("can I have coffee")[0].startswith(WHICH)
    assert "Water only." in house.text("2")[0]


def test_his_guide_and_a_bare_c_or_r_are_about_the_visit_that_he_means(house: House) -> None:
    two_visits(house)
    for word in ("guide", "C", "R"):
        assert house.text(word)[0].startswith(WHICH), word
        assert house.text("2") != []
        house.clock.at += timedelta(days=2)
    tasks = house.rows("select s.external_id from tasks t join scans s on s.id = t.scan_id where t.kind = 'reschedule'")
    assert tasks == [{"external_id": "S-2"}]


def test_after_a_text_about_one_of_them_a_question_is_about_that_one(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    house.until(house.clock.at.replace(day=15, hour=14, minute=5))  # the preparation for March 18
    assert house.bodies()[-1].find("March 18") >= 0
    house.clock.at += timedelta(hours=1)
    assert "March 18" in house.text("what time do I have to be there")[0]


def test_to_change_one_of_two_visits_the_task_is_about_the_one_he_chose(house: House) -> None:
    two_visits(house)
    assert house.text("I need to reschedule my appointment")[0].startswith(WHICH)
    house.text("1")
    (task,) = house.rows(
        "select s.external_id from tasks t join scans s on s.id = t.scan_id where t.kind = 'reschedule'"
    )
    assert task["external_id"] == "S-1"


def test_a_number_that_was_not_offered_and_a_visit_that_is_off_by_now_are_asked_again(house: House) -> None:
    two_visits(house)
    house.text("what time do I have to be there")
    assert house.text("3")[0].startswith(WHICH)


def test_another_question_instead_of_a_number_is_answered_and_he_is_not_asked_in_circles(house: House) -> None:
    two_visits(house)
    house.text("what time do I have to be there")
    assert not house.text("what time should I be there?")[0].startswith(WHICH)


def test_two_men_on_one_phone_are_told_apart_without_a_name_and_each_by_his_own_consent(house: House) -> None:
    house.opt_in()  # Walter, who may be told in detail
    house.book("S-2", patient_id="P-2", given_name="Zebulon", **MARCH_30)
    house.until(house.clock.at + timedelta(hours=1))  # the invitation waits until the conversation is over
    house.text("1")
    house.text("2")  # the other man keeps his texts general
    house.clock.at += timedelta(days=2)
    (asked,) = house.text("what time do I have to be there")
    assert asked.startswith(WHICH)
    assert "Walter" not in asked
    assert "Zebulon" not in asked
    house.text("2")
    said = outbound(house)[-1]
    assert (said["form"], "March 30" in said["body"]) == ("general", True)


def test_a_visit_whose_patient_has_not_agreed_is_not_offered(house: House) -> None:
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Ben", **MARCH_30)
    house.until(house.clock.at + timedelta(hours=1))
    house.clock.at += timedelta(hours=2)
    assert not any(body.startswith(WHICH) for body in house.text("what time do I have to be there"))


def test_he_is_asked_in_spanish_too(house: House) -> None:
    two_visits(house)
    house.text("espanol")
    (asked,) = house.text("a que hora tengo que llegar")
    assert asked.startswith("En este teléfono hay varias citas.")
    assert "1 18 mar, 9:15 a.m.\n2 30 mar, 2:00 p.m." in asked


def test_the_language_that_he_chose_himself_outlasts_a_change_by_the_clinic(house: House) -> None:
    house.opt_in()
    house.text("espanol")
    house.book(arrival_at="2027-03-19T09:15", starts_at="2027-03-19T10:15", language="en")
    assert house.rows("select language from patients") == [{"language": "es"}]


def test_another_time_zone_plans_both_his_visits_anew(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    before = {row["external_id"]: row["plan_version"] for row in house.rows("select * from scans")}
    house.book("S-2", zone="America/Los_Angeles", **MARCH_30)
    after = {row["external_id"]: row["plan_version"] for row in house.rows("select * from scans")}
    assert all(after[name] > before[name] for name in ("S-1", "S-2"))
    (about,) = house.rows(
        "select r.due_at from reminders r join scans s on s.id = r.scan_id "
        "where s.external_id = 'S-1' and r.touchpoint = 'prepare' and r.status = 'planned'"
    )
    assert about["due_at"].hour >= 16  # 9:00 in Los Angeles is not before 16:00 UTC


TO_PHONE = (
    "select s.external_id, t.patient_id = s.patient_id as his from tasks t join scans s on s.id = t.scan_id "
    "where t.kind = 'phone_preparation' order by s.id"
)


@pytest.mark.parametrize("words", ["STOP", "wrong number"])
@pytest.mark.parametrize("patient", ["P-1", "P-2"])
def test_who_stops_the_texts_to_a_phone_with_two_visits_is_phoned_about_both(
    house: House, words: str, patient: str
) -> None:
    house.opt_in()
    house.book("S-2", patient_id=patient, **MARCH_30)
    house.text(words)
    assert house.rows(TO_PHONE) == [{"external_id": "S-1", "his": True}, {"external_id": "S-2", "his": True}]


def test_nobody_is_phoned_about_the_visit_that_he_is_prepared_for(house: House) -> None:
    house.opt_in()
    house.book("S-2", **MARCH_30)
    house.until(house.clock.at.replace(day=15, hour=14, minute=5))  # the preparation for March 18
    house.text("STOP")
    assert house.rows(TO_PHONE) == [{"external_id": "S-2", "his": True}]


def test_nobody_is_phoned_about_the_visit_of_a_man_who_has_died(house: House) -> None:
    house.opt_in()
    house.text("my husband died last week")
    house.text("STOP")
    assert house.rows(TO_PHONE) == []


@pytest.mark.parametrize("then", ["corrected too", "taken back", "called off"])
def test_a_new_number_for_one_visit_asks_him_whether_the_other_keeps_its_own(house: House, then: str) -> None:
    two_visits(house)
    house.book(phone=OTHER)
    asked = (
        "select s.external_id, c.phone, t.why from tasks t join scans s on s.id = t.scan_id "
        "join contact_points c on c.id = t.contact_point_id where kind = 'two_numbers' and closed_at is null"
    )
    (task,) = house.rows(asked)
    assert (task["external_id"], task["phone"]) == ("S-2", OTHER)
    assert "his visit S-1 was given this number" in task["why"]
    house.book(phone=THIRD)  # the other was a slip of the pen: nobody shall be phoned there
    (task,) = house.rows(asked)
    assert (task["external_id"], task["phone"]) == ("S-2", THIRD)
    match then:
        case "corrected too":
            house.book("S-2", **MARCH_30, phone=THIRD)
        case "taken back":
            house.book()
        case _:
            end(house.parts, house.clinic.clinic_id, "S-2", "cancelled", actor="nurse", now=house.clock.at)
    assert house.rows(asked) == []


def test_nobody_asks_a_dead_mans_family_which_of_his_numbers_is_right(house: House) -> None:
    two_visits(house)
    house.text("My husband has passed away yesterday")
    house.book(phone=OTHER)
    assert "two_numbers" not in house.tasks()
