"""Whole conversations as golden files: read like a chat, played on the real service, stored and reloaded between lines.

Each file of `tests/transcripts` begins with what to play and holds the transcript. After a wanted change write them anew
with `pytest tests/workers/test_transcripts.py --update-transcripts`, and read the difference as the patient would.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from service.settings import Settings
from workers.rehearsal import Play, moment, rehearse, scratch, show

ZONE = "America/New_York"
FILES = sorted((Path(__file__).parent.parent / "transcripts").glob("*.txt"))


def read(path: Path) -> tuple[Play, str, str]:
    """What to play, the header as written, and the transcript."""
    header, _, transcript = path.read_text().partition("\n\n")
    fields = [line.split(": ", 1) for line in header.splitlines() if not line.startswith("#")]
    given = {name: words for name, words in fields if name != "reply"}
    arrives = moment(given["arrival"], ZONE)
    return (
        Play(
            booked_at=moment(given["booked"], ZONE),
            arrival_at=arrives,
            starts_at=arrives + timedelta(hours=1),
            reason=given["reason"],
            zone=ZONE,
            language=given.get("language", "en"),
            replies=tuple(words for name, words in fields if name == "reply"),
        ),
        header,
        transcript,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_conversation_goes_as_written(path: Path, servers: Settings, request: pytest.FixtureRequest) -> None:
    play, header, transcript = read(path)
    with scratch(servers, "transcript") as url:
        played = show(rehearse(servers, url, play), ZONE)
    if request.config.getoption("--update-transcripts"):
        path.write_text(f"{header}\n\n{played}")
    else:
        assert played == transcript


def test_there_are_transcripts() -> None:
    languages = [read(path)[0].language for path in FILES]
    assert min(languages.count("en"), languages.count("es")) >= 5
