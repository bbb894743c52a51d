"""The carrier's segment count against vectors of two published calculators."""

import pytest

from simulator.segments import count_segments


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("", 1),
        ("1" * 160, 1),
        ("1" * 161, 2),
        ("1" * 307, 3),
        ("à" * 919, 7),
        ("ÿ" * 70, 1),
        ("ÿ" * 71, 2),
        ("ÿ" * 403, 7),
        ("^" * 80, 1),
        ("^" * 81, 2),
        ("a" * 304 + "[", 2),
        ("a" * 304 + "[]", 3),
        ("€" * 153, 3),
        ("😀" * 133, 5),
        ("😜" + "1" * 68, 1),
        ("😜" + "1" * 69, 2),
    ],
)
def test_published_counts(body: str, parts: int) -> None:
    assert count_segments(body) == parts
