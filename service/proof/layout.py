"""Where each state, moment and arrow of the flow picture goes, worked out from the script: nothing is placed by hand.

The state that everything comes back to is a wide bar. Above it stand the states that planned texts open and what follows
from them, below it what a patient's own question opens. A later flow needs no new drawing.
"""

import re
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flows.engine import TOLD
from flows.journey import Planned, Visit, plan
from flows.script import SAME, Answer, Script
from service.proof.facts import cue

WIDTH, MARGIN = 1160.0, 16.0
LINE = 74.0  # the time line's height
BOX_WIDTH, GAP, LEAD = 158.0, 12.0, 15.0
LAYER_GAP = 44.0
# The engine's own moves out of the hub (flows/engine.py), which are in no flow data.
ENGINE = {"offer": "needs leave to name the scan", "choose": "could be several topics", TOLD: "no visit known here"}


@dataclass(frozen=True)
class Box:
    """A state: its name, what it is about in lines, and the answers that keep it open."""

    name: str
    lines: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


@dataclass(frozen=True)
class Moment:
    """A touchpoint on the time line; `planned` is false for what happens only if the visit changes."""

    name: str
    when: tuple[str, ...]
    x: float
    planned: bool


@dataclass(frozen=True)
class Arrow:
    """A line through these points with its head at the last, and words beside it."""

    points: tuple[tuple[float, float], ...]
    label: str = ""
    at: tuple[float, float] = (0.0, 0.0)
    before: bool = False  # the words end at this point instead of beginning there


@dataclass(frozen=True)
class Picture:
    """Everything to draw."""

    moments: tuple[Moment, ...]
    boxes: tuple[Box, ...]
    hub: str
    arrows: tuple[Arrow, ...]
    height: float


# What leads where -------------------------------------------------------------------------------------------------------


def words_for(script: Script, answers: Iterable[Answer], state: str = "") -> str:
    """The replies of these answers, short: `1 to 5`, `C`, `1, 2 or 0`."""
    cues = sorted({cue(script, answer, state) for answer in answers}, key=lambda word: (word == "0", word))
    digits = [int(word) for word in cues if re.fullmatch("[1-9]", word)]
    if len(digits) > 2 and digits == list(range(digits[0], digits[-1] + 1)):
        cues = [f"{digits[0]} to {digits[-1]}", *(word for word in cues if not re.fullmatch("[1-9]", word))]
    return cues[0] if len(cues) == 1 else f"{', '.join(cues[:-1])} or {cues[-1]}"


def edges(script: Script, hub: str) -> dict[tuple[str, str], str]:
    """(from, to) -> the replies that lead there; a state to itself where an answer keeps it open."""
    found: dict[tuple[str, str], list[Answer]] = {}
    for name, state in script.states.items():
        for answer in state.answers:
            found.setdefault((name, name if answer.to == SAME else answer.to), []).append(answer)
    labels = {ends: words_for(script, answers, ends[0]) for ends, answers in found.items()}
    for target in {answer.to for answer in script.anywhere} - {SAME, hub}:
        labels[hub, target] = words_for(script, [a for a in script.anywhere if a.to == target])
    for target, words in ENGINE.items():
        if target in script.states:
            labels[hub, target] = words
    return labels


def hub_of(script: Script) -> str:
    """The state that most answers come back to."""
    targets = [a.to for state in script.states.values() for a in state.answers if a.to != SAME]
    return max(script.states, key=lambda name: (targets.count(name), name == script.start))


def layers(script: Script, hub: str, known: Mapping[tuple[str, str], str]) -> tuple[list[list[str]], list[str]]:
    """The states above the hub by layer, as planned texts open them and answers lead on; and those below it."""
    here = list(dict.fromkeys(t.opens for t in script.touchpoints.values() if t.opens and t.opens != hub))
    above: list[list[str]] = []
    seen = {hub}
    while here:
        above.append(here)
        seen |= set(here)
        here = list(dict.fromkeys(to for name in here for (start, to) in known if start == name and to not in seen))
    return above, [name for name in script.states if name not in seen]


# When ------------------------------------------------------------------------------------------------------------------


def moments(script: Script) -> tuple[Moment, ...]:
    """The touchpoints in the order of a visit booked in good time, and then those that no plan holds."""
    zone = ZoneInfo("America/New_York")
    arrival = datetime.combine(date(2027, 3, 25), time(13), tzinfo=zone).astimezone(UTC)
    visit = Visit(arrival, arrival + timedelta(minutes=30), zone, zone)
    booked = arrival - timedelta(days=14, hours=3)
    planned = {
        row.touchpoint: row for row in plan(visit, booked, opted_in=False) if row.touchpoint in script.touchpoints
    }
    names = [*planned, *(name for name in script.touchpoints if name not in planned)]
    pitch = (WIDTH - 2 * MARGIN) / len(names)
    return tuple(
        Moment(name, _when(planned.get(name), visit, booked), MARGIN + pitch * (n + 0.5), name in planned)
        for n, name in enumerate(names)
    )


def _when(row: Planned | None, visit: Visit, booked: datetime) -> tuple[str, ...]:
    if row is None:
        return ("if it happens", "at once")
    since = row.due_at - booked
    if since < timedelta(days=2):
        return ("at booking",) if not since else (f"{int(since.total_seconds() // 3600)} h later", "if no answer")
    local = row.due_at.astimezone(visit.site_zone)
    days = (local.date() - visit.arrival_at.astimezone(visit.site_zone).date()).days
    if days:
        much = f"{abs(days)} day{'s' * (abs(days) > 1)} {'before' if days < 0 else 'after'}"
        return (much, f"{local:%H:%M}")
    before = (visit.arrival_at - row.due_at).total_seconds() / 3600
    return (f"{before:.0f} h before", "arrival") if before > 0 else (f"{-before - 0.5:.0f} h after", "the scan")


# Where -----------------------------------------------------------------------------------------------------------------


def spread(wanted: list[float], width: float) -> list[float]:
    """Left edges as near as may be to these wanted middles, in their order, without overlap and inside the picture."""
    left = [middle - width / 2 for middle in wanted]
    for n in range(len(left)):
        least = MARGIN if n == 0 else left[n - 1] + width + GAP
        left[n] = max(left[n], least)
    for n in reversed(range(len(left))):
        most = WIDTH - MARGIN - width if n == len(left) - 1 else left[n + 1] - width - GAP
        left[n] = min(left[n], most)
    return left


def lines_of(script: Script, name: str, stays: str, width: float) -> tuple[str, ...]:
    """What stands in a box below its name."""
    lines = textwrap.wrap(script.states[name].about, int(width / 6.4))
    return (*lines, *([f"{stays}: stays open"] if stays else []))


def row_of(script: Script, wanted: Mapping[str, float], y: float, known: Mapping[tuple[str, str], str]) -> list[Box]:
    """One layer's boxes, all of one height, near the middles they want."""
    names = sorted(wanted, key=lambda name: wanted[name])
    words = {name: lines_of(script, name, known.get((name, name), ""), BOX_WIDTH) for name in names}
    height = 26 + LEAD * max(len(lines) for lines in words.values())
    lefts = spread([wanted[name] for name in names], BOX_WIDTH)
    return [Box(name, words[name], x, y, BOX_WIDTH, height) for name, x in zip(names, lefts, strict=True)]


def boxes_of(
    script: Script, hub: str, known: Mapping[tuple[str, str], str], line: tuple[Moment, ...]
) -> tuple[list[Box], Box, list[Box]]:
    """The boxes above the hub, the hub, and the boxes below it."""
    above, below = layers(script, hub, known)
    opening = {t: [m.x for m in line if script.touchpoints[m.name].opens == t] for t in (above[0] if above else [])}
    wanted = {name: sum(xs) / len(xs) for name, xs in opening.items()}
    y, placed = LINE + 40, list[Box]()
    for layer in above:
        if layer != above[0]:  # to the right of where they come from, so that the others' way down stays free
            middles = {box.name: box.middle for box in placed}
            parents = {to: [middles[a] for (a, b) in known if b == to and a in middles] for to in layer}
            wanted = {name: sum(xs) / len(xs) + BOX_WIDTH * 0.62 for name, xs in parents.items()}
        row = row_of(script, wanted, y, known)
        placed += row
        y = row[0].y + row[0].height + LAYER_GAP
    commands = words_for(script, script.anywhere)
    closed = [name for name, state in script.states.items() if state.topics is not None]
    but = f" but {' and '.join(closed)}" if closed else ""
    about = (script.states[hub].about, f"Understood here and beside every open question{but}: {commands}.")
    bar = Box(hub, about, MARGIN, y, WIDTH - 2 * MARGIN, 28 + 2 * LEAD)
    pitch = bar.width / max(1, len(below))
    under = {name: MARGIN + pitch * (n + 0.5) for n, name in enumerate(below)}
    low = row_of(script, under, bar.y + bar.height + LAYER_GAP + 8, known) if below else []
    return placed, bar, low
