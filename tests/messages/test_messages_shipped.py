"""Every approved text, with the longest values a clinic may realistically give, still fits, and stays discreet."""

import re
from datetime import date

import pytest

from messages.catalog import FORMS, LANGUAGES, Form, catalog
from messages.render import render
from service.clinics import LONGEST

SENTENCE = "Please follow exactly what the team has told you about this, and call us if anything is unclear. "


def longest(field: str) -> str:
    """As many characters as a clinic may give for this field."""
    return (SENTENCE * 4)[: LONGEST[field] - 1] + "."


VALUES = {
    "site": longest("name"),
    "phone": "(212) 555-0100",
    "after_hours_phone": "(212) 555-0199",
    "address": longest("address"),
    "radiation": longest("radiation"),
    "results_timing": longest("results_timing"),
    "prep": longest("prep"),
    "terms_url": longest("terms_url"),
    "count": "10",
    "visit_day": "Wednesday, September 30",
    "arrival_time": "10:15 am",
    "later_time": "11:15 am",
    "options": "1 Which blood level it needs\n2 Compared with other scans\n3 Being near other people",
    "task": "12345",
    "url": "https://texts.example.org/clinic/tasks",
}
KEYS = sorted((language, key) for language in LANGUAGES for key in catalog().entries[language])
SPOKEN = sorted((lang, key, form) for lang, key in KEYS for form in catalog().entry(key, lang).bodies)
# What a stranger who picks up the phone must not learn; on purpose not the catalogue's own pattern.
TELLS = re.compile(r"psma|\bpsa\b|prosta|cancer|tumou?r|oncolog|urolog|\bresult|biops|metasta|pluvicto", re.IGNORECASE)


@pytest.mark.parametrize(("language", "key"), KEYS)
def test_each_text_keeps_to_its_encoding_and_segments_with_the_longest_values(language: str, key: str) -> None:
    entry = catalog().entry(key, language)
    for form in entry.bodies:
        text = render(catalog(), key, language, form, {name: VALUES[name] for name in entry.fields(form)})
        assert text.encoding == "GSM-7"
        assert text.segments <= entry.segments, f"{form}: {len(text.body)} characters"


@pytest.mark.parametrize(("language", "key", "form"), SPOKEN)
def test_no_general_text_discloses_what_the_visit_is_about(language: str, key: str, form: Form) -> None:
    wanted = catalog().entry(key, language).fields(form)
    told = TELLS.search(render(catalog(), key, language, form, {name: VALUES[name] for name in wanted}).body)
    assert form == "detailed" or told is None


@pytest.mark.parametrize(("language", "key"), KEYS)
def test_each_text_says_where_its_facts_come_from_and_who_answers_for_it(language: str, key: str) -> None:
    entry = catalog().entry(key, language)
    assert entry.source
    assert entry.reviewed_by
    assert isinstance(entry.written_on, date)
    assert all(body.strip() for body in entry.bodies.values())
    assert set(entry.bodies) <= set(FORMS)
    assert 1 <= entry.segments <= 4


@pytest.mark.parametrize("key", ["crisis", "urgent", "fallback", "stopped", "help", "declined", "stranger", "invite"])
def test_what_must_be_said_to_anyone_has_discreet_words(key: str) -> None:
    assert all(catalog().sayable(key, language, "general") for language in LANGUAGES)


@pytest.mark.parametrize("form", FORMS)
def test_the_safety_words_name_the_lines_that_help(form: Form) -> None:
    bodies = {key: catalog().entry(key, "en").bodies[form] for key in ("crisis", "urgent", "fallback")}
    assert "988" in bodies["crisis"]
    assert "911" in bodies["crisis"]
    assert "911" in bodies["urgent"]
    assert "911" in bodies["fallback"]
    assert "988" in bodies["fallback"]


@pytest.mark.parametrize("key", ["choose", "unknown"])
@pytest.mark.parametrize("form", FORMS)
def test_a_choice_and_an_unknown_end_with_the_emergency_line(key: str, form: Form) -> None:
    assert catalog().entry(key, "en").bodies[form].endswith("In an emergency call 911.")


def test_the_invitation_says_who_texts_the_cost_and_how_to_end_it() -> None:
    body = catalog().entry("invite", "en").bodies["general"]
    for needed in ("{site}", "rates may apply", "{terms_url}", "HELP", "STOP", "{count}", "1 for yes", "2 for no"):
        assert needed in body
