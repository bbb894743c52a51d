"""Every approved text, with the longest values a clinic may realistically give, still fits, and stays discreet."""

import re
from datetime import date

import pytest

from messages.catalog import FORMS, LANGUAGES, Form, catalog
from messages.limits import worst_values
from messages.render import render

KEYS = sorted((language, key) for language in LANGUAGES for key in catalog().entries[language])
SPOKEN = sorted((lang, key, form) for lang, key in KEYS for form in catalog().entry(key, lang).bodies)
# What a stranger who picks up the phone must not learn; on purpose not the catalogue's own pattern.
TELLS = re.compile(
    r"psma|\bpsa\b|prosta|pr.stata|c.ncer|tumou?r|oncolog|urolog|\bresult|biops|metasta|pluvicto|nuclear|radioact",
    re.IGNORECASE,
)


@pytest.mark.parametrize(("language", "key"), KEYS)
def test_each_text_keeps_to_its_encoding_and_segments_with_the_longest_values(language: str, key: str) -> None:
    entry = catalog().entry(key, language)
    for form in entry.bodies:
        for values in worst_values(language):
            text = render(catalog(), key, language, form, {name: values[name] for name in entry.fields(form)})
            assert text.segments <= entry.segments, f"{form}: {len(text.body)} characters"
            assert language == "es" or text.encoding == "GSM-7"


@pytest.mark.parametrize(("language", "key", "form"), SPOKEN)
def test_no_general_text_discloses_what_the_visit_is_about(language: str, key: str, form: Form) -> None:
    wanted = catalog().entry(key, language).fields(form)
    values = worst_values(language)[0]
    told = TELLS.search(render(catalog(), key, language, form, {name: values[name] for name in wanted}).body)
    assert form == "detailed" or told is None


# Words that a carrier takes for an opt-in or an opt-out, asked for as an answer; STOP, START and HELP are meant as they are.
ASKED = re.compile(
    r"(?i)\b(?:reply|text|answer|send|responda|conteste|mande|escriba)(?: with| con| just)? "
    r"(?:yes|no|s[ií]|end|quit|cancel|unstop|fin|cancelar|parar)\b(?! more)"
)


@pytest.mark.parametrize(("language", "key"), KEYS)
def test_no_text_asks_for_a_word_that_the_carrier_takes_for_itself(language: str, key: str) -> None:
    assert all(ASKED.search(body) is None for body in catalog().entry(key, language).bodies.values())


def test_such_a_question_would_be_found() -> None:
    assert ASKED.search("Is this visit yours? Reply YES or NO.")
    assert ASKED.search("¿Es su visita? Responda sí.")


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("form", FORMS)
def test_the_safety_words_name_the_lines_that_help(form: Form, language: str) -> None:
    bodies = {key: catalog().entry(key, language).bodies[form] for key in ("crisis", "urgent", "fallback")}
    assert "988" in bodies["crisis"]
    assert "911" in bodies["crisis"]
    assert "911" in bodies["urgent"]
    assert "911" in bodies["fallback"]
    assert "988" in bodies["fallback"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", ["choose", "unknown", "unknown_again", "handover"])
@pytest.mark.parametrize("form", FORMS)
def test_a_choice_and_an_unknown_end_with_the_emergency_line(key: str, form: Form, language: str) -> None:
    assert "911" in catalog().entry(key, language).bodies[form][-60:]


def test_the_invitation_says_who_texts_the_cost_and_how_to_end_it() -> None:
    body = catalog().entry("invite", "en").bodies["general"]
    for needed in ("{site}", "rates may apply", "{terms_url}", "HELP", "STOP", "{count}", "1 for yes", "2 for no"):
        assert needed in body
