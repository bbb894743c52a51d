"""The flow as a picture: a time line of planned texts, the questions they open, and what each reply leads to. Inline SVG."""

from html import escape

from flows.script import Script
from service.proof.arrows import picture
from service.proof.layout import LEAD, LINE, MARGIN, WIDTH, Arrow, Box, Moment


def svg(script: Script) -> str:
    """One self-contained drawing; its colours come from the page's own style, and print in black and white too."""
    drawn = picture(script)
    planned = [moment.x for moment in drawn.moments if moment.planned]
    parts = [
        f'<svg class="flow-picture" viewBox="0 0 {WIDTH:.0f} {drawn.height:.0f}" role="img" '
        'aria-label="The flow: planned texts on a time line, the questions they open, and where each answer leads">',
        '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
        'orient="auto-start-reverse"><path d="M0 1 L9 5 L0 9 z" class="head"/></marker></defs>',
        f'<line class="time" x1="{MARGIN:.0f}" y1="{LINE:.0f}" x2="{max(planned) + 34:.0f}" y2="{LINE:.0f}"/>',
        *(_moment(moment) for moment in drawn.moments),
        *(_line(arrow) for arrow in drawn.arrows),
        *(_box(box, hub=box.name == drawn.hub) for box in drawn.boxes),
        *(_label(arrow) for arrow in drawn.arrows if arrow.label),
        "</svg>",
    ]
    return "\n".join(parts)


def _words(x: float, y: float, words: str, kind: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(words)}</text>'


def _moment(moment: Moment) -> str:
    top = LINE - 18 - LEAD * len(moment.when)
    lines = [_words(moment.x, top, moment.name, "moment")]
    lines += [_words(moment.x, top + LEAD * (n + 1), words, "when") for n, words in enumerate(moment.when)]
    kind = "dot" if moment.planned else "dot unplanned"
    return "".join(lines) + f'<circle class="{kind}" cx="{moment.x:.1f}" cy="{LINE:.1f}" r="5.5"/>'


def _box(box: Box, *, hub: bool) -> str:
    frame = (
        f'<rect class="{"hub" if hub else "state"}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="7"/>'
    )
    lines = [_words(box.middle, box.y + 18, box.name, "name")]
    lines += [_words(box.middle, box.y + 19 + LEAD * n, words, "about") for n, words in enumerate(box.lines, 1)]
    return frame + "".join(lines)


def _line(arrow: Arrow) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in arrow.points)
    return f'<polyline class="arrow" points="{points}" marker-end="url(#head)"/>'


def _label(arrow: Arrow) -> str:
    return _words(*arrow.at, arrow.label, "label before" if arrow.before else "label")
