"""Every figure and claim stands in the guide where the table of facts says, and no text makes one of its own."""

import re
from pathlib import Path

import pytest

from messages.catalog import LANGUAGES, catalog
from messages.facts import ALWAYS, figures_in

GUIDE = Path(__file__).parents[3] / "shared" / "guide"
FACTS = catalog().facts
PLAIN = str.maketrans({"\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'", "\u2013": "-"})
KEYS = sorted((language, key) for language in LANGUAGES for key in catalog().entries[language])


def guide() -> str:
    """The source guide, quotes straight and spaces single."""
    files = sorted(GUIDE.glob("*.txt"))
    if not files:
        pytest.skip("the source guide is not here")
    return plain(" ".join(path.read_text(encoding="utf-8") for path in files))


def plain(words: str) -> str:
    """Straight quotes, single spaces."""
    return " ".join(words.translate(PLAIN).split())


@pytest.mark.parametrize("name", sorted(name for name, fact in FACTS.items() if fact.section != "public"))
def test_a_fact_of_the_guide_stands_there_word_for_word_under_its_heading(name: str) -> None:
    fact, text = FACTS[name], guide()
    assert plain(fact.find) in text
    assert plain(fact.section).lower() in text.lower()


@pytest.mark.parametrize("name", sorted(name for name, fact in FACTS.items() if fact.section != "public"))
def test_the_figures_of_a_fact_of_the_guide_stand_in_the_guide(name: str) -> None:
    text = guide()
    lost = [figure for figure in FACTS[name].figures if not re.search(rf"(?<![\d.,]){re.escape(figure)}(?!\d)", text)]
    assert lost == []


def test_each_fact_is_cited_by_some_text() -> None:
    cited = {name for language in LANGUAGES for entry in catalog().entries[language].values() for name in entry.facts}
    assert sorted(FACTS.keys() - cited) == [], "remove them from messages/facts.toml"


def test_what_is_not_in_the_guide_says_where_to_look_it_up() -> None:
    public = [fact for fact in FACTS.values() if fact.section == "public"]
    assert all(len(fact.find) > 8 for fact in public)


@pytest.mark.parametrize(("language", "key"), KEYS)
def test_no_text_has_a_figure_outside_its_facts(language: str, key: str) -> None:
    entry = catalog().entry(key, language)
    known = ALWAYS.union(*(FACTS[name].figures for name in entry.facts))
    assert {figure for body in entry.bodies.values() for figure in figures_in(body)} <= known


@pytest.mark.parametrize(
    ("body", "figures"),
    [
        ("It got 92% right, the others 65%.", ["92%", "65%"]),
        ("In 2,005 men with PSA under 0.25.", ["2,005", "0.25"]),
        ("Reply 1 for yes, 2 for no.", []),
        ("Call {phone} within 3 days.", ["3"]),
    ],
)
def test_figures_are_found_and_digits_to_reply_with_are_not(body: str, figures: list[str]) -> None:
    assert figures_in(body) == figures
