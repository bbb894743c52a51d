"""Short answers are compared as plain words, so that a full stop, an accent or an autocorrect never loses one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.words import plain


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("STOP!!", "stop"),
        (" stop\n", "stop"),
        ("No más.", "no mas"),
        ("opt-out", "opt out"),
        ("I\u2019m late", "i'm late"),
        ("I`m late", "i'm late"),
        ("\uff33\uff34\uff2f\uff30", "stop"),
        ("st\u200bop", "stop"),
        ("stop\u2026", "stop"),
        ("'yes'", "yes"),
        ("_menu_", "menu"),
        ("a\t\r\n b", "a b"),
        ("1.", "1"),
        ("", ""),
        ("👍", ""),
    ],
)
def test_punctuation_case_accents_and_spaces_do_not_matter(text: str, words: str) -> None:
    assert plain(text) == words


def test_only_as_much_as_one_text_can_hold_is_read() -> None:
    assert plain("a" * 1600 + " stop") == "a" * 1600


@given(st.text(max_size=200))
def test_plain_words_of_plain_words_are_themselves(text: str) -> None:
    words = plain(text)
    assert plain(words) == words
    assert words == words.strip()
    assert "  " not in words
