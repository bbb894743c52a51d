"""A clear wish in any wording ends the texts, in English and Spanish; what only sounds like one does not."""

from pathlib import Path

import pytest

from flows.model import Safety
from flows.router import Context, route

ROWS = [
    tuple(line.split(": ", 1))
    for line in (Path(__file__).parent / "data" / "opt_out.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
]
LEAVING = {Safety.OPT_OUT, Safety.WRONG_NUMBER}


def test_the_table_is_long_and_has_both_sides_in_both_languages() -> None:
    assert len(ROWS) >= 150
    assert sum(kind == "no" for kind, _ in ROWS) >= 60
    assert len({text for _, text in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("kind", "text"), ROWS)
def test_who_wants_no_texts_gets_none_and_who_asks_is_answered(kind: str, text: str) -> None:
    found = route(text, Context()).safety & LEAVING
    if kind == "no":
        assert not found
    elif kind == "stop":
        assert found
    else:
        assert found, "nothing more goes to a number that is not his"
