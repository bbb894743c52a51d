"""What a clinician reads and signs, and the figures that go with it: the proof pack, the table, the coverage of the guide.

Proved with tools (a readability extra) that sending a text never needs; where they are missing, grades are left out.
"""

from datetime import date

from flows.script import Script
from service.proof import page
from service.proof.coverage import coverage
from service.proof.facts import reached_by
from service.proof.figures import as_table, summary

__all__ = ["as_table", "coverage", "pack", "reached_by", "summary"]


def pack(script: Script, on: date, before: Script | None = None) -> str:
    """One self-contained HTML page with every word of `script`, for screen and paper; with what changed since `before`."""
    return page.html(script, on, before)
