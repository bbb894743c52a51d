"""A turn costs the same in a clinic of thousands as in one of ten: all it reads is looked up by key."""

from sqlalchemy import text

from service import keys
from service.demo_data import PATIENT_NUMBER
from service.store.focus import focus_on_scan, focus_on_text
from tests.house import House

OTHERS = 3000
READ = text("select relname, seq_tup_read from pg_stat_xact_user_tables where seq_tup_read > 0")


def crowd(house: House) -> None:
    """Thousands of other patients, each with a phone and a visit, and the server's own figures about them up to date."""
    house.rows(
        "insert into patients (clinic_id, external_id, given_name, language, language_chosen, created_at) "
        f"select clinic_id, 'other-' || n, 'Ada', 'en', false, now() from patients, generate_series(1, {OTHERS}) n"
    )
    house.rows(
        "insert into contact_points (clinic_id, phone, phone_hash, created_at) "
        "select p.clinic_id, '+1' || 3120000000 + p.id, 'h' || p.id, now() from patients p where external_id like 'other-%'"
    )
    house.rows("analyze")


def test_the_facts_of_one_phone_are_looked_up_by_key_in_a_large_clinic(house: House) -> None:
    house.opt_in()
    crowd(house)
    clinic = house.clinic
    ((scan,),) = [tuple(row.values()) for row in house.rows("select id from scans")]
    with house.parts.database.clinic(clinic.clinic_id) as session:
        phone_hash = keys.phone_hash(house.parts.phone_key, PATIENT_NUMBER)
        focus = focus_on_text(
            session, clinic.clinic_id, sender_id=clinic.sender_id, inbound_id=0, body="MENU", phone_hash=phone_hash,
            now=house.clock.at,
        )  # fmt: skip
        assert focus
        assert focus.patient == focus_on_scan(session, clinic.clinic_id, scan).patient
        read = {row.relname: row.seq_tup_read for row in session.execute(READ)}
    assert max(read.values(), default=0) < 100, read
