"""The carrier's door: shut to everybody else, and whatever the carrier brings is kept."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from service.demo_data import PATIENT_NUMBER
from tests.house import House
from tests.service.signed import EMPTY, INBOUND, browser, outbound, post, second_door, signature, stored, text_form

FORM_TYPE = "application/x-www-form-urlencoded"
DOORS = [INBOUND, "/twilio/status/1/0123456789abcdef"]


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("given", ["", "nonsense", "bm90IHRoZSByaWdodCBvbmU="])
def test_a_form_without_a_true_signature_is_refused_and_nothing_is_stored(house: House, path: str, given: str) -> None:
    before = stored(house)
    headers = {"X-Twilio-Signature": given} if given else {}
    assert house.web.post(path, data=text_form("SM1", "STOP"), headers=headers).status_code == 403
    assert stored(house) == before


def test_a_signature_by_another_token_or_for_other_words_is_refused(house: House) -> None:
    form, before = text_form("SM1", "hello"), stored(house)
    wrong = [
        signature(house, INBOUND, form, token="another token"),
        signature(house, INBOUND, {**form, "Body": "other words"}),
        signature(house, "/twilio/elsewhere", form),
    ]
    for given in wrong:
        answer = house.web.post(INBOUND, data=form, headers={"X-Twilio-Signature": given})
        assert answer.status_code == 403
    assert stored(house) == before


def test_only_forms_are_read(house: House) -> None:
    form, before = text_form("SM1", "hello"), stored(house)
    headers = {"X-Twilio-Signature": signature(house, INBOUND, form)}
    as_json = house.web.post(INBOUND, json=form, headers=headers)
    as_files = house.web.post(INBOUND, data=form, files={"picture": b"\x89PNG"}, headers=headers)
    bare = house.web.post(INBOUND, content=b"Body=hello", headers={**headers, "Content-Type": ""})
    assert [as_json.status_code, as_files.status_code, bare.status_code] == [403, 403, 403]
    assert stored(house) == before


def test_an_oversized_or_overlong_or_broken_form_is_refused_even_if_it_is_signed(house: House) -> None:
    before = stored(house)
    assert post(house, INBOUND, text_form("SM1", "x" * 70_000)).status_code == 403
    many = {f"Field{n}": "x" for n in range(201)}
    assert post(house, INBOUND, text_form("SM1", "x", **many)).status_code == 403
    headers = {"Content-Type": FORM_TYPE, "X-Twilio-Signature": "x"}
    assert house.web.post(INBOUND, content=b"Body=\xff\xfe", headers=headers).status_code == 403
    assert stored(house) == before


def test_the_query_of_the_address_belongs_to_what_is_signed(house: House) -> None:
    form = text_form("SM1", "hello")
    assert post(house, f"{INBOUND}?site=2&site=", form).status_code == 200
    bare = {"X-Twilio-Signature": signature(house, INBOUND, form)}
    assert house.web.post(f"{INBOUND}?site=2", data=form, headers=bare).status_code == 403


def test_blank_and_unknown_fields_are_covered_by_the_signature_and_kept(house: House) -> None:
    form = text_form("SM1", "hello", To="+12125559999", FromZip="", NovelField="new in 2029")
    assert post(house, INBOUND, form).status_code == 200
    (kept,) = house.rows("select raw from unrouted_texts")
    assert kept["raw"] == form


def test_a_text_to_an_unknown_number_is_kept_once_and_operators_see_it(house: House) -> None:
    form, before = text_form("SM1", "hello", To="+12125559999"), stored(house)
    for _ in range(2):
        answer = post(house, INBOUND, form)
        assert (answer.status_code, answer.text) == (200, EMPTY)
    assert stored(house) == {**before, "unrouted_texts": 1}
    assert "scanguide_unrouted 1.0" in house.web.get("/metrics").text
    with browser(house, "ops") as ops:
        assert "to a number that belongs to no clinic" in ops.get("/ops").text
        assert ops.post("/ops/unrouted/done").status_code == 303
        assert "to a number that belongs to no clinic" not in ops.get("/ops").text
    assert "scanguide_unrouted 0.0" in house.web.get("/metrics").text


def test_a_form_without_a_message_id_is_answered_empty_and_changes_nothing(house: House) -> None:
    before = stored(house)
    answer = post(house, INBOUND, {"From": PATIENT_NUMBER, "Body": "hello"})
    assert (answer.status_code, answer.text) == (200, EMPTY)
    assert stored(house) == before


def test_the_answer_is_xml_with_an_absolute_callback_for_each_text(house: House) -> None:
    house.book()
    house.turn()
    answer = post(house, INBOUND, text_form("SM1", "1"))
    assert answer.headers["content-type"] == "text/xml; charset=utf-8"
    refs = [row["ref"] for row in outbound(house, "status = 'offered'")]
    callback = f"{house.settings.public_url}/twilio/status/{house.clinic.clinic_id}"
    assert len(refs) == answer.text.count("<Message ") == 2
    assert all(f'statusCallback="{callback}/{ref}#' in answer.text for ref in refs)


def test_nul_in_any_field_of_the_form_is_survived(house: House) -> None:
    odd = text_form("SM\x001", "hello", From="+1212\x005550123", OptOutType="ST\x00P")
    assert post(house, INBOUND, odd).status_code == 200
    lost = text_form("SM\x002", "hello", To="+1\x00", **{"Nov\x00el": "x\x00y"})
    assert post(house, INBOUND, lost).status_code == 200


def _database_at(port: int) -> str:
    return f"postgresql://scanguide@127.0.0.1:{port}/scanguide"


@contextmanager
def _port(*, listening: bool) -> Iterator[int]:
    """A port where nobody listens, or where somebody listens and never answers."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        if listening:
            holder.listen(8)
        yield holder.getsockname()[1]


@pytest.mark.parametrize("listening", [False, True], ids=["refuses", "silent"])
def test_while_the_database_is_away_the_carrier_is_told_so_at_once(house: House, listening: bool) -> None:
    with _port(listening=listening) as port, second_door(house, database_url=_database_at(port)) as web:
        started = time.monotonic()
        answer = post(house, INBOUND, text_form("SM1", "STOP"), web)
        assert answer.status_code == 503
        assert time.monotonic() - started < 6


def test_while_the_database_is_away_machines_and_systems_are_told_in_their_own_form(house: House) -> None:
    with _port(listening=False) as port, second_door(house, database_url=_database_at(port)) as web:
        assert web.get("/livez").status_code == 200
        assert web.get("/readyz").status_code == 503
        assert web.get("/metrics").status_code == 503
        answer = web.get("/api/v1/scans/S-1/timeline", headers={"Authorization": "Bearer sg_x"})
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
