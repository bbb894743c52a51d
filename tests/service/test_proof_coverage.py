"""No section of the guide, none of its questions and no topic is left without an approved text that a patient can reach."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from flows.check import TOPICS
from flows.shipped import script
from service import proof
from service.proof.coverage import WRITTEN, Piece, gaps, guide_pieces, plain_heading
from service.proof.facts import reached_by

GUIDE = Path(__file__).parents[3] / "shared" / "guide"
PIECES = guide_pieces(WRITTEN.read_text())


def headings() -> list[str]:
    """The guide's own headings: its short lines that are no sentence, list or table."""
    files = sorted(GUIDE.glob("*.txt"))
    if not files:
        pytest.skip("the source guide is not here")
    lines = [line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and len(line) < 90 and not re.search(r"[.:]$|^[-|]", line)]


def test_nothing_of_the_guide_and_no_topic_is_missing() -> None:
    assert gaps(script(), PIECES) == []


def test_the_list_is_the_guides_own_headings() -> None:
    assert {plain_heading(piece.heading) for piece in PIECES} == set(map(plain_heading, headings()))
    assert len(PIECES) == len(headings())


def test_there_are_eleven_questions() -> None:
    assert sum(re.match(r"\d+\. ", piece.heading) is not None for piece in PIECES) == 11


def test_each_text_that_carries_a_piece_is_reached() -> None:
    reached = reached_by(script())
    assert [key for piece in PIECES for key in piece.keys if not reached[key]] == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [((), "has no key"), (("no_such_text",), "there is no text 'no_such_text'"), (("crisis",), "names neither it nor")],
)
def test_a_gap_is_told(keys: tuple[str, ...], said: str) -> None:
    piece: Piece = replace(PIECES[3], keys=keys, why_none="")
    assert [gap for gap in gaps(script(), [piece]) if said in gap]


def test_the_table_has_a_row_for_each_piece_and_topic() -> None:
    lines = proof.coverage(script()).splitlines()
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert len(rows) == len(PIECES) + len(TOPICS)
    assert lines[-1] == "Nothing is missing."
    hurt = next(row for row in rows if row.startswith("| topic hurt |"))
    assert "3 (general); 3 (detailed)" in hurt
    assert "after hurt" in hurt
