"""The segment count is what a clinic pays for and what a phone shows: held to published vectors of two calculators."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messages.sms import GSM_BASIC, GSM_EXTENDED, count, outside_gsm

DIGITS = "1234567890" * 40
EXTENDED = "|^€{}[]~\\"
FLIPPING = "ÁÚúçíÍóÓ"

TWILIO = [
    (DIGITS[:160], 1),
    (DIGITS[:161], 2),
    (DIGITS[:306], 2),
    (DIGITS[:307], 3),
    ("😜" + DIGITS[:68], 1),
    ("😜" + DIGITS[:69], 2),
    ("😜" + DIGITS[:132], 2),
    ("😜" + DIGITS[:133], 3),
    ("🇮🇹" + DIGITS[:66], 1),
    ("🇮🇹" + DIGITS[:67], 2),
    ("😀" + "]" * 68, 1),
    ("😀" + "]" * 69, 2),
    *[(character + DIGITS[:158], 1) for character in EXTENDED],
    *[(character + DIGITS[:159], 2) for character in EXTENDED],
    *[(character * 70, 1) for character in FLIPPING],
    *[(character * 71, 2) for character in FLIPPING],
]
NOTIFY = [
    *[("à" * n, s) for n, s in ((160, 1), (161, 2), (306, 2), (307, 3), (612, 4), (613, 5), (765, 5), (766, 6))],
    *[("à" * n, s) for n, s in ((918, 6), (919, 7))],
    *[("ÿ" * n, s) for n, s in ((70, 1), (71, 2), (134, 2), (135, 3), (268, 4), (269, 5), (402, 6), (403, 7))],
    ("à" * 70 + "ÿ", 2),
    ("^" * 80, 1),
    ("^" * 81, 2),
    ("a" * 158 + "|", 1),
    ("a" * 159 + "|", 2),
    ("a" * 304 + "[", 2),
    ("a" * 304 + "[]", 3),
    ("â" * 69 + "{", 1),
    ("â" * 70 + "{", 2),
]
BOUNDARY = [("€" * 153, 3), ("😀" * 133, 5), ("€" * 305, 5)]


def _name(vector: object) -> str:
    return f"{vector[:3]}x{len(vector)}" if isinstance(vector, str) else str(vector)


@pytest.mark.parametrize(("body", "segments"), TWILIO, ids=_name)
def test_counts_agree_with_the_carriers_own_calculator(body: str, segments: int) -> None:
    assert count(body).segments == segments


@pytest.mark.parametrize(("body", "segments"), NOTIFY, ids=_name)
def test_counts_agree_with_the_public_notification_service(body: str, segments: int) -> None:
    assert count(body).segments == segments


@pytest.mark.parametrize(("body", "segments"), BOUNDARY, ids=_name)
def test_a_pair_is_never_split_over_two_parts_where_rounding_up_undercounts(body: str, segments: int) -> None:
    assert count(body).segments == segments


def test_line_ends_cost_one_septet_for_each_of_their_characters() -> None:
    assert count("\rabcde\r\n123").units == 11
    assert count("a\nb").units == 3


def test_an_empty_text_is_no_segment() -> None:
    assert (count("").units, count("").segments) == (0, 0)


def test_units_are_septets_or_utf16_units_of_the_encoding_needed() -> None:
    assert (count("a€").encoding, count("a€").units) == ("GSM-7", 3)
    assert (count("á€😀").encoding, count("á€😀").units) == ("UCS-2", 4)


@pytest.mark.parametrize("character", "éÉñÑüÜ¿¡àèìòùÇ@£$¥øØåÅΔΦΓΛΩΠΨΣΘΞÆæß¤§\n\r ")
def test_a_letter_of_the_basic_alphabet_costs_one_septet(character: str) -> None:
    assert (count(character).encoding, count(character).units) == ("GSM-7", 1)


@pytest.mark.parametrize("character", "\f^{}\\[~]|€")
def test_a_letter_of_the_extension_costs_two_septets(character: str) -> None:
    assert (count(character).encoding, count(character).units) == ("GSM-7", 2)


@pytest.mark.parametrize("character", "`\t\xa0\u2018\u2019“”\u2013—…•½°áíóúÁÍÓÚªº«»ç\u200b\x1b\u2032\u2011\u2212\xad")
def test_a_letter_outside_the_alphabet_flips_the_whole_text(character: str) -> None:
    assert outside_gsm(f"ab{character}") == character
    assert count(f"ab{character}").encoding == "UCS-2"


def test_the_alphabet_has_the_published_size() -> None:
    assert len(GSM_BASIC) == 127
    assert len(GSM_EXTENDED) == 10
    assert not GSM_BASIC & GSM_EXTENDED


def test_offending_letters_are_named_in_order_and_once_each() -> None:
    assert outside_gsm("día de exploración, día “uno”") == "íó“”"
    assert outside_gsm("plain words, 5 € [ok]") == ""


@given(st.text(max_size=700))
def test_segments_never_fall_below_what_the_units_need_nor_waste_more_than_one_unit_a_part(body: str) -> None:
    counted = count(body)
    single, part = (160, 153) if counted.encoding == "GSM-7" else (70, 67)
    if counted.units <= single:
        assert counted.segments == (1 if body else 0)
    else:
        assert counted.segments >= -(-counted.units // part)
        assert (counted.segments - 1) * (part - 1) < counted.units


@given(st.text(max_size=300), st.text(max_size=40))
def test_a_longer_text_never_costs_less(body: str, more: str) -> None:
    assert count(body + more).segments >= count(body).segments
