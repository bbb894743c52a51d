"""Rendering is strict: a text goes out with exactly the values it takes, or not at all."""

import pytest

from messages.catalog import Catalog, CatalogError
from messages.entry import parse
from messages.render import RenderError, Text, join, render

WORDS = """
[file]
source = "service"
segments = 1
written_on = 2026-11-23
[meet]
body = "Come to {site} at {arrival_time}."
[open]
general = "About your visit."
detailed = "About your PSMA scan at {site}."
[frank]
detailed = "Your PSMA scan."
"""
CATALOG = Catalog({"en": parse("en", "a.toml", WORDS)}, "digest")
VALUES = {"site": "Hill Imaging", "arrival_time": "9:15 am"}


def test_a_text_is_rendered_with_its_cost() -> None:
    text = render(CATALOG, "meet", "en", "general", VALUES)
    assert text == Text("meet", "en", "general", "Come to Hill Imaging at 9:15 am.", 1, "GSM-7")


def test_each_form_takes_its_own_values() -> None:
    assert render(CATALOG, "open", "en", "general", {}).body == "About your visit."
    assert render(CATALOG, "open", "en", "detailed", {"site": "Hill"}).body == "About your PSMA scan at Hill."


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"site": "Hill"}, r"meet \(en, general\): missing \['arrival_time'\], extra \[\]"),
        (VALUES | {"phone": "1"}, r"missing \[\], extra \['phone'\]"),
        ({"site": "Hill", "phone": "1"}, r"missing \['arrival_time'\], extra \['phone'\]"),
        (VALUES | {"site": ""}, r"\['site'\] must not be blank"),
        (VALUES | {"site": " \n\t"}, r"\['site'\] must not be blank"),
    ],
)
def test_missing_extra_and_blank_values_are_errors(values: dict[str, str], says: str) -> None:
    with pytest.raises(RenderError, match=says):
        render(CATALOG, "meet", "en", "general", values)


def test_a_text_without_discreet_words_is_never_said_discreetly() -> None:
    with pytest.raises(RenderError, match="frank has no general form"):
        render(CATALOG, "frank", "en", "general", {})


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(CatalogError, match="no text 'nothing'"):
        render(CATALOG, "nothing", "en", "general", {})


def test_braces_in_a_value_stay_as_they_are() -> None:
    text = render(CATALOG, "meet", "en", "general", VALUES | {"site": "{arrival_time} {0} {"})
    assert text.body == "Come to {arrival_time} {0} { at 9:15 am."


def test_a_value_that_flips_the_encoding_shows_in_the_cost() -> None:
    text = render(CATALOG, "meet", "en", "general", VALUES | {"site": "Clínica " + "x" * 70})
    assert (text.encoding, text.segments) == ("UCS-2", 2)


def test_joined_texts_are_one_text_with_a_blank_line_between_them() -> None:
    first = render(CATALOG, "open", "en", "general", {})
    second = render(CATALOG, "meet", "en", "general", VALUES)
    assert join([first, second]) == Text(
        "open+meet", "en", "general", "About your visit.\n\nCome to Hill Imaging at 9:15 am.", 1, "GSM-7"
    )
    assert join([first]) == first


def test_the_cost_of_joined_texts_is_counted_anew() -> None:
    part = render(CATALOG, "meet", "en", "general", VALUES | {"site": "x" * 100})
    assert (part.segments, join([part, part]).segments) == (1, 2)
    flipped = render(CATALOG, "meet", "en", "general", VALUES | {"site": "í"})
    assert join([part, flipped]).encoding == "UCS-2"


def test_texts_of_different_forms_or_languages_are_never_one_text() -> None:
    general = render(CATALOG, "meet", "en", "general", VALUES)
    detailed = render(CATALOG, "meet", "en", "detailed", VALUES)
    spanish = Text("meet", "es", "general", "Hola.", 1, "GSM-7")
    for other in (detailed, spanish):
        with pytest.raises(CatalogError, match="cannot be one text"):
            join([general, other])
