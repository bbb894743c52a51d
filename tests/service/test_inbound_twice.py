"""The carrier may bring one text twice, even at the same instant: one row, one effect, the same answer."""

import threading
import time

import httpx
from sqlalchemy import text

from tests.house import PLAIN, House
from tests.service.signed import INBOUND, outbound, post, stored, text_form


def test_the_same_text_again_gets_the_same_answer_and_changes_nothing(house: House) -> None:
    house.book()
    house.turn()
    first = post(house, INBOUND, text_form("SM1", "1"))
    after = stored(house)
    assert "<Message" in first.text
    assert post(house, INBOUND, text_form("SM1", "1")).text == first.text
    assert stored(house) == after


def test_a_repeated_text_keeps_its_answer_even_after_the_talk_went_on(house: House) -> None:
    house.book()
    house.turn()
    first = post(house, INBOUND, text_form("SM1", "1"))
    post(house, INBOUND, text_form("SM2", "1"))
    assert post(house, INBOUND, text_form("SM1", "something else")).text == first.text


def test_two_clinics_may_get_the_same_message_id(house: House) -> None:
    from service.clinics import add_clinic
    from service.demo_data import SITE

    add_clinic(house.parts.database, "Hillside", "+12125550101", SITE, keywords="ours", now=house.clock.at)
    assert post(house, INBOUND, text_form("SM1", "STOP")).status_code == 200
    assert "<Message" in post(house, INBOUND, text_form("SM1", "STOP", To="+12125550101")).text
    assert house.rows("select count(distinct clinic_id) as n from inbound where message_sid = 'SM1'") == [{"n": 2}]


def test_twins_at_the_same_instant_get_one_row_and_the_same_answer(house: House) -> None:
    house.book()
    house.turn()
    together, answers = threading.Barrier(2), list[str]()

    def bring(form: dict[str, str]) -> None:
        with httpx.Client(base_url=house.web.base_url, timeout=30, verify=PLAIN) as web:
            together.wait()
            answers.append(post(house, INBOUND, form, web).text)

    for round_ in range(10):  # a race shows itself only sometimes
        form = text_form(f"SM{round_}", f"call me, it is urgent to me {round_}")
        twins = [threading.Thread(target=bring, args=(form,)) for _ in range(2)]
        for twin in twins:
            twin.start()
        for twin in twins:
            twin.join()
        assert answers[-1] == answers[-2]
    rows = house.rows("select id from inbound")
    assert len(rows) == 10
    assert len(answers) == 20
    assert house.rows("select max(n) as n from (select count(*) as n from outbound group by inbound_id, key) x") == [
        {"n": 1}
    ]


def test_two_first_texts_of_a_new_number_at_the_same_instant_share_one_contact(house: House) -> None:
    together, codes = threading.Barrier(2), list[int]()

    def bring(sid: str) -> None:
        form = text_form(sid, "hello", From="+12125550157")
        with httpx.Client(base_url=house.web.base_url, timeout=30, verify=PLAIN) as web:
            together.wait()
            codes.append(post(house, INBOUND, form, web).status_code)

    twins = [threading.Thread(target=bring, args=(sid,)) for sid in ("SM1", "SM2")]
    for twin in twins:
        twin.start()
    for twin in twins:
        twin.join()
    assert codes == [200, 200]
    assert len(house.rows("select id from contact_points")) == 1
    assert len(outbound(house)) == 1  # one neutral answer between the two


def test_the_carriers_own_duplicate_is_answered_once(house: House) -> None:
    house.book()
    house.turn()
    house.carrier.faults.plan("duplicate_inbound")
    assert len(house.text("1")) == 2  # the welcome and its question, once
    assert house.carrier.faults.counts()["duplicate_inbound"] == 1
    assert len(house.rows("select id from inbound")) == 1
    assert len(outbound(house, "inbound_id is not null")) == 2
    assert len(house.rows("select id from consents where kind = 'texts'")) == 1


def waits_for_a_lock(house: House) -> bool:
    """Whether a statement waits for somebody else's."""
    (found,) = house.rows("select count(*) as n from pg_stat_activity where wait_event_type = 'Lock'")
    return bool(found["n"])


def test_a_turn_that_waited_for_the_one_before_reads_everything_as_it_is_after_that(house: House) -> None:
    house.opt_in()
    answers = list[str]()
    with house.parts.database.clinic(house.clinic.clinic_id) as before:
        before.execute(text("select id from contact_points for update"))
        waiting = threading.Thread(target=lambda: answers.extend(house.text("MENU")))
        waiting.start()
        give_up = time.monotonic() + 20
        while not waits_for_a_lock(house) and time.monotonic() < give_up:
            pass
        before.execute(text("update patients set language = 'es'"))
    waiting.join()
    (menu,) = answers
    assert "Responda" in menu
