"""One visit as an iCalendar file (RFC 5545), for the calendar of the patient's own phone.

Other people see that calendar too, so it says no more than the most discreet of our texts.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

LASTS = timedelta(hours=1)  # room in his calendar, no promise of how long it takes
_WIDTH = 75  # octets of a line, without its end


@dataclass(frozen=True)
class Entry:
    """What the calendar is told. The same `visit` replaces its older entry where `version` has risen."""

    visit: str
    version: int
    arrival_at: datetime
    summary: str
    location: str


def icalendar(entry: Entry, now: datetime) -> bytes:
    """The file's octets."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//ScanGuide//visit//EN",
        "BEGIN:VEVENT",
        f"UID:{uuid5(NAMESPACE_URL, entry.visit)}",
        f"SEQUENCE:{entry.version}",
        f"DTSTAMP:{_utc(now)}",
        f"DTSTART:{_utc(entry.arrival_at)}",
        f"DTEND:{_utc(entry.arrival_at + LASTS)}",
        f"SUMMARY:{_text(entry.summary)}",
        f"LOCATION:{_text(entry.location)}",
        "CLASS:PRIVATE",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return b"".join(_folded(line) for line in lines)


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(words: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n")):
        words = words.replace(plain, escaped)
    return words


def _folded(line: str) -> bytes:
    """A line in pieces of at most 75 octets, the later ones led by a space; no letter is cut in two."""
    pieces, piece = [], b""
    for letter in line:
        octets = letter.encode()
        if len(piece) + len(octets) > _WIDTH:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
