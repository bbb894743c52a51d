"""The arrows of the flow picture: each finds a way that crosses no box, with its words beside it."""

from collections.abc import Mapping

from flows.script import Script
from service.proof.layout import LINE, Arrow, Box, Moment, Picture, boxes_of, edges, hub_of, moments

_INSET, _CLEAR = 14.0, 8.0
_SHARES = (0.25, 0.16, 0.35, 0.5, 0.75, 0.88, 0.06)  # along a box, where a way down is tried, the best first


def picture(script: Script) -> Picture:
    """The whole flow, laid out."""
    hub, line = hub_of(script), moments(script)
    known = edges(script, hub)
    above, bar, below = boxes_of(script, hub, known, line)
    arrows = [*_openings(script, above, line), *_above(above, bar, known), *_below(below, bar, known)]
    last = below[-1] if below else bar
    return Picture(line, (*above, bar, *below), hub, tuple(arrows), last.y + last.height + 10)


def _openings(script: Script, above: list[Box], line: tuple[Moment, ...]) -> list[Arrow]:
    """From each planned moment to the question that it opens."""
    found = []
    for moment in line:
        box = next((box for box in above if box.name == script.touchpoints[moment.name].opens), None)
        if box:
            port = min(max(moment.x, box.x + _INSET), box.x + box.width - _INSET)
            found.append(Arrow(_bent((moment.x, LINE + 6), (port, box.y))))
    return found


def _bent(start: tuple[float, float], end: tuple[float, float]) -> tuple[tuple[float, float], ...]:
    """Straight where it can be, else down, across and down."""
    if abs(start[0] - end[0]) < 1:
        return (start, end)
    middle = (start[1] + end[1]) / 2
    return (start, (start[0], middle), (end[0], middle), end)


def _above(above: list[Box], bar: Box, known: Mapping[tuple[str, str], str]) -> list[Arrow]:
    found, by_name, taken = [], {box.name: box for box in above}, list[float]()
    for (start, to), label in known.items():
        if start == to or start not in by_name or to not in by_name:
            continue
        upper, lower = by_name[start], by_name[to]
        shared = (max(upper.x, lower.x) + min(upper.x + upper.width, lower.x + lower.width)) / 2
        x = min(max(shared, upper.x + _INSET), upper.x + upper.width - _INSET)
        end = min(max(x, lower.x + _INSET), lower.x + lower.width - _INSET)
        foot = upper.y + upper.height
        found.append(Arrow(_bent((x, foot), (end, lower.y)), label, (x + 6, foot + 16)))
    for (start, to), label in known.items():
        if start in by_name and to == bar.name:
            found.append(_down(by_name[start], bar, above, taken, label))
    for (start, to), label in known.items():
        if start == bar.name and to in by_name:
            box = by_name[to]
            x = _free(box, bar, above, taken, reverse=True)
            found.append(Arrow(((x, bar.y), (x, box.y + box.height)), label, (x + 6, bar.y - 10)))
    return found


def _down(box: Box, bar: Box, others: list[Box], taken: list[float], label: str) -> Arrow:
    """From a box to the bar below, past the boxes in between."""
    foot = box.y + box.height
    x = _free(box, bar, others, taken)
    if x >= 0:
        return Arrow(((x, foot), (x, bar.y)), label, (x + 6, foot + 16))
    start = box.x + _INSET
    blocked = [other for other in others if other.y > box.y and other.x - _CLEAR < start < other.x + other.width]
    x = min((other.x - _CLEAR for other in blocked), default=start)
    turn = foot + 10
    return Arrow(((start, foot), (start, turn), (x, turn), (x, bar.y)), label, (x + 6, foot + 26))


def _free(box: Box, bar: Box, others: list[Box], taken: list[float], *, reverse: bool = False) -> float:
    """An x on this box with nothing between it and the bar; -1 if there is none. What is found is taken."""
    between = [other for other in others if box.y < other.y < bar.y and other is not box]
    shares = [1 - share for share in _SHARES] if reverse else _SHARES
    for share in shares:
        x = box.x + box.width * share
        hidden = any(other.x - _CLEAR < x < other.x + other.width + _CLEAR for other in between)
        if not hidden and all(abs(x - other) > 30 for other in taken):
            taken.append(x)
            return x
    return -1.0


def _below(below: list[Box], bar: Box, known: Mapping[tuple[str, str], str]) -> list[Arrow]:
    found, foot = [], bar.y + bar.height
    for box in below:
        enter, back = box.x + box.width * 0.2, box.x + box.width * 0.8
        if (bar.name, box.name) in known:  # its words stand to the left, unless nothing leads back on the right
            before = (box.name, bar.name) in known
            at = (enter - 6 if before else enter + 6, foot + (20 if before else 40))
            found.append(Arrow(((enter, foot), (enter, box.y)), known[bar.name, box.name], at, before))
        if (box.name, bar.name) in known:
            found.append(Arrow(((back, box.y), (back, foot)), known[box.name, bar.name], (back + 6, box.y - 9)))
    return found
