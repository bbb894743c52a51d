"""A planned text that cannot be written is set aside with its reason, a person is told, and its neighbours go out."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from flows.gate import REASONS
from service.clinics import add_clinic
from service.delivery import send_due
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER, SITE
from service.recovery import recover
from service.reminders import fire_due
from simulator.carrier import Number
from tests.house import IDLE, THURSDAY_915, House

NEIGHBOUR = "+12125550155"
SECOND = "+12125550101"


def two_patients(house: House) -> None:
    """Two men with the same plan, both opted in, shortly before their preparation is due."""
    house.opt_in()
    house.book("S-2", patient_id="P-2", given_name="Otto", phone=NEIGHBOUR)
    house.until(house.clock.at + timedelta(minutes=1))
    for _ in range(2):
        house.text("1", phone=NEIGHBOUR)
    house.until(THURSDAY_915 - timedelta(days=3, hours=1))


def unknown_touchpoint(house: House) -> None:
    house.rows("update reminders set touchpoint = 'no_such' where touchpoint = 'prepare' and scan_id = 1")


def unknown_fold(house: House) -> None:
    house.rows("update reminders set merged = '[\"no_such\"]' where touchpoint = 'prepare' and scan_id = 1")


def unknown_script(house: House) -> None:
    house.rows("update conversations set script = 'gone' where contact_point_id = 1")


def unknown_state(house: House) -> None:
    house.rows("update conversations set options = '7' where contact_point_id = 1")


def words_of_the_site_gone(house: House) -> None:
    """The second man is at a second site; the first one's has lost what only a site can say."""
    house.rows("insert into sites (clinic_id, name, zone, address, phone, after_hours_phone, on_call_phone, "
               "on_call_phone_2, prep, radiation, results_timing, food_drink, arrival_note, results_days, translations, "
               "terms_url, window_start, window_end) select clinic_id, 'Other site', zone, address, phone, "
               "after_hours_phone, on_call_phone, on_call_phone_2, prep, radiation, results_timing, food_drink, "
               "arrival_note, results_days, translations, terms_url, window_start, window_end from sites")  # fmt: skip
    house.rows("update scans set site_id = 2 where id = 2")
    house.rows("update sites set zone = 'Nowhere/Gone', phone = '', prep = '{\"Pylarify\": 7}' where id = 1")


POISONS = [unknown_touchpoint, unknown_fold, unknown_script, unknown_state, words_of_the_site_gone]


@pytest.mark.parametrize("poison", POISONS, ids=lambda poison: poison.__name__)
def test_a_poisoned_reminder_is_set_aside_and_its_neighbour_goes_out(
    house: House, poison: Callable[[House], None]
) -> None:
    two_patients(house)
    seen, other = len(house.bodies(PATIENT_NUMBER)), len(house.bodies(NEIGHBOUR))
    poison(house)
    house.clock.at = THURSDAY_915 - timedelta(days=2, hours=22)
    house.turn()
    (row,) = house.rows(
        "select status, reason from reminders where scan_id = 1 and plan_version = "
        "(select plan_version from scans where id = 1) and touchpoint in ('prepare', 'no_such')"
    )
    assert row["status"] == "skipped"
    assert row["reason"].startswith("could not be worded (")
    assert len(house.bodies(PATIENT_NUMBER)) == seen
    assert len(house.bodies(NEIGHBOUR)) == other + 1
    kinds = {task["kind"] for task in house.rows("select kind from tasks where scan_id = 1 and closed_at is null")}
    assert "cannot_word" in kinds
    assert poison is unknown_touchpoint or "phone_preparation" in kinds
    house.clock.at += timedelta(minutes=30)
    house.turn()
    assert len(house.bodies(NEIGHBOUR)) == other + 1  # nothing is tried in a circle


def waiting_in_the_outbox(house: House) -> None:
    """Both men's preparation is worded, and a zone of the first one's is then none that any table knows."""
    two_patients(house)
    house.rows("update senders set segments_per_second = 50")  # all in one batch
    house.clock.at = THURSDAY_915 - timedelta(days=2, hours=22)
    recover(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at, anyway=True)
    fire_due(house.parts, house.clinic.clinic_id, house.clock.at)
    house.rows("update patients set zone = 'Nowhere/Gone' where external_id = 'P-1'")


def test_a_poisoned_text_in_the_outbox_is_refused_alone_and_its_neighbour_goes_out(house: House) -> None:
    waiting_in_the_outbox(house)
    seen, other = len(house.bodies(PATIENT_NUMBER)), len(house.bodies(NEIGHBOUR))
    house.turn()
    (row,) = house.rows("select status, reason from outbound where key = 'prepare' and scan_id = 1")
    assert (row["status"], row["reason"]) == ("refused", REASONS["unreadable"])
    assert (len(house.bodies(PATIENT_NUMBER)), len(house.bodies(NEIGHBOUR))) == (seen, other + 1)
    assert {"cannot_word", "phone_preparation"} <= house.tasks().keys()


def test_a_zone_that_no_table_knows_holds_back_no_word_for_a_man_in_need(house: House) -> None:
    house.opt_in()
    house.carrier.set_number(Number(CLINIC_NUMBER, "", keyword_handling="ours"))  # we are away
    house.carrier.text_in(PATIENT_NUMBER, CLINIC_NUMBER, "I want to die")
    house.clock.at += timedelta(minutes=5)
    recover(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at, anyway=True)
    house.rows("update patients set zone = 'Nowhere/Gone'")
    send_due(house.parts, house.clinic.clinic_id, house.clinic.sender_id, house.clock.at)
    assert house.carrier.wait_idle(IDLE)
    assert "988" in house.bodies()[-1]


def test_a_clinic_that_has_lost_its_number_sets_its_texts_aside_and_other_clinics_go_on(house: House) -> None:
    second = add_clinic(house.parts.database, "Hillside", SECOND, SITE, now=house.clock.at)
    house.rows("insert into patients (clinic_id, external_id, given_name, language, language_chosen, created_at) "
               "values (:c, 'P-9', 'Emil', 'en', false, :now)", c=second.clinic_id, now=house.clock.at)  # fmt: skip
    house.rows("insert into contact_points (clinic_id, phone, phone_hash, created_at) values (:c, :p, 'x', :now)",
               c=second.clinic_id, p=NEIGHBOUR, now=house.clock.at)  # fmt: skip
    house.rows(
        "insert into conversations (clinic_id, contact_point_id, script, state, attempts, reasked, options, pending, "
        "care_pause, more, back, language_offered) select :c, id, :s, 'ready', 0, false, '[]', '', false, '', '', false "
        "from contact_points where clinic_id = :c", c=second.clinic_id, s=house.parts.script.digest)  # fmt: skip
    house.rows(
        "insert into scans (clinic_id, external_id, patient_id, contact_point_id, site_id, arrival_at, starts_at, "
        "arrival_wall, zone, tracer, reason, state, plan_version, arrival_version, created_at, changed_at) "
        "select :c, 'S-9', p.id, cp.id, :site, :at, :at, '2027-03-18T09:15', 'America/New_York', 'Pylarify', 'unknown', "
        "'booked', 1, 1, :now, :now from patients p, contact_points cp where p.clinic_id = :c and cp.clinic_id = :c",
        c=second.clinic_id, site=second.site_id, at=THURSDAY_915, now=house.clock.at)  # fmt: skip
    house.rows(
        "insert into reminders (clinic_id, scan_id, touchpoint, merged, due_at, valid_until, plan_version, status, reason, "
        "changed_at) select :c, id, 'prepare', '[]', :now, :at, 1, 'planned', '', :now from scans "
        "where clinic_id = :c", c=second.clinic_id, at=THURSDAY_915, now=house.clock.at)  # fmt: skip
    house.rows("delete from senders where clinic_id = :c", c=second.clinic_id)
    house.book()
    house.turn()
    assert len(house.bodies()) == 1
    (row,) = house.rows("select status, reason from reminders where clinic_id = :c", c=second.clinic_id)
    assert (row["status"], row["reason"]) == ("skipped", "could not be worded (NoResultFound)")
    kinds = house.rows("select kind from tasks where clinic_id = :c order by kind", c=second.clinic_id)
    assert [task["kind"] for task in kinds] == ["cannot_word", "phone_preparation"]


def test_a_clinic_without_a_number_does_not_break_its_announcements(house: House) -> None:
    house.opt_in()
    house.text("I want to die")
    house.rows("alter table outbound drop constraint if exists fk_outbound_clinic_id_sender_id")
    try:
        house.rows("delete from senders")
        house.turn()
        assert "crisis" in house.tasks()
    finally:
        house.rows("truncate outbound, receipts")
        house.rows("alter table outbound add constraint fk_outbound_clinic_id_sender_id "
                   "foreign key (clinic_id, sender_id) references senders (clinic_id, id)")  # fmt: skip
