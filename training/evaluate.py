"""Score the router on texts it has never seen: `python -m training.evaluate` (or `make eval`) prints the table.

`tests/blind` is frozen: written before any phrasing by people who had seen only the list of topics, named by its hash, and
scored and reported, never used to tune. `--tuning` scores the split that is there for tuning.
"""

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flows import router
from flows.encoder import read_heads
from flows.model import Decision
from flows.router import Context, ranked, route

TESTS = Path(__file__).parent.parent / "tests"
FROZEN = {
    "plain": "21a17b6e4e31b323553892b7f55354343a6a23da39ea2c9e33c67caa1578915f",
    "oblique": "dff57df43f36969808d7516dcc41dc1b2db02582efd53f3c0bd3897f648d1db9",
}
SAFETY = ("crisis", "urgent", "results_personal", "opt_out")
OUTSIDE = ("near", "far")
# What must never be sent to someone who asks about his own result.
CLINICAL = frozenset({"positive_meaning", "negative_meaning", "report_terms", "false_positive", "accuracy", "psa_level",
                      "recurrence", "staging", "small_spread", "theranostics", "next_steps"})  # fmt: skip
HELD_IN = {"running_late": "location_arrival"}  # ours beside the list of topics
# Goals by set: (measure, goal, whether more is better).
GOALS = {
    "plain": {"top-1": 86, "top-3": 96, "resolved": 92, "coverage": 60, "precision": 97, "wrong": 2, "near": 4, "far": 2,
              "crisis hard": 92, "crisis hard or soft": 98, "urgent hard": 92, "urgent hard or soft": 98, "results": 90,
              "opt-out": 95, "confirm": 95, "alarm hard": 2, "alarm soft": 8, "unsafe": 0, "clinical": 0},
    "oblique": {"top-1": 80, "top-3": 94, "resolved": 86, "coverage": 48, "precision": 93, "wrong": 4, "near": 5, "far": 2,
                "crisis hard": 82, "crisis hard or soft": 96, "urgent hard": 82, "urgent hard or soft": 97, "results": 80,
                "opt-out": 90, "confirm": 90, "alarm hard": 2, "alarm soft": 8, "unsafe": 0, "clinical": 0},
}  # fmt: skip
LESS_IS_BETTER = frozenset({"wrong", "near", "far", "alarm hard", "alarm soft", "unsafe", "clinical"})


@dataclass(frozen=True)
class Row:
    """One labelled text and what the router made of it."""

    language: str
    kind: str
    accept: frozenset[str]
    text: str
    decision: Decision
    best: tuple[str, ...]  # topics best first, no rejection

    @property
    def in_scope(self) -> bool:
        """Whether an approved answer exists for it."""
        return self.kind not in (*SAFETY, *OUTSIDE)

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics decided on, as the list of topics names them."""
        return _listed(self.decision.topics)

    @property
    def right(self) -> bool:
        """A direct answer with nothing wrong in it."""
        return self.decision.tier == "answer" and set(self.topics) <= self.accept

    @property
    def hard(self) -> frozenset[str]:
        """The hard routes, by the names of the contract."""
        names = {kind.value for kind in self.decision.safety}
        return frozenset("opt_out" if name in ("wrong_number", "died") else name for name in names)


def _listed(topics: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(HELD_IN.get(topic, topic) for topic in topics))


def read(path: Path) -> list[Row]:
    """Route every text of a labelled file."""
    rows = []
    for line in path.read_text(encoding="utf-8").splitlines():
        given = json.loads(line)
        kind = {"contact": "contact_human"}.get(given["kind"], given["kind"])
        text = given["text"]
        decision = route(text, Context())
        rows.append(Row(given["lang"], kind, frozenset(given["accept"]), text, decision, _listed(ranked(text))))
    return rows


Measure = tuple[Callable[[Row], bool], Callable[[Row], bool]]  # which rows count, and which of them succeed


def measures() -> dict[str, Measure]:
    """Each measure as (counts over, counts as)."""
    ordinary = lambda r: r.kind not in ("crisis", "urgent")  # noqa: E731
    found: dict[str, Measure] = {
        "top-1": (lambda r: r.in_scope, lambda r: bool(set(r.best[:1]) & r.accept)),
        "top-3": (lambda r: r.in_scope, lambda r: bool(set(r.best[:3]) & r.accept)),
        "resolved": (lambda r: r.in_scope, _resolved),
        "coverage": (lambda r: r.in_scope, lambda r: r.decision.tier == "answer"),
        "precision": (lambda r: r.in_scope and r.decision.tier == "answer", lambda r: r.right),
        "wrong": (lambda r: r.in_scope, lambda r: r.decision.tier == "answer" and not r.right),
        "near": (lambda r: r.kind == "near", lambda r: r.decision.tier == "answer"),
        "far": (lambda r: r.kind == "far", lambda r: r.decision.tier == "answer"),
    }
    for kind in ("crisis", "urgent"):
        found[f"{kind} hard"] = (_is(kind), lambda r, kind=kind: kind in r.hard)  # type: ignore[misc]
        found[f"{kind} hard or soft"] = (
            _is(kind),
            lambda r: bool(r.hard & {"crisis", "urgent"} or set(r.decision.caution) & {"crisis", "urgent"}),
        )
    found |= {
        "results": (_is("results_personal"), lambda r: "results_personal" in r.hard),
        "clinical": (
            _is("results_personal"),
            lambda r: r.decision.tier == "answer" and bool(set(r.topics) & CLINICAL),
        ),
        "opt-out": (_is("opt_out"), lambda r: "opt_out" in r.hard),
        "confirm": (
            lambda r: r.kind in ("confirm", "reschedule"),
            lambda r: r.decision.tier == "answer" and bool(set(r.topics) & r.accept),
        ),
        "alarm hard": (ordinary, lambda r: bool(r.hard & {"crisis", "urgent"})),
        "alarm soft": (ordinary, lambda r: bool(r.decision.caution)),
        "unsafe": (
            lambda r: r.kind in ("crisis", "urgent"),
            lambda r: r.decision.tier == "answer" and not r.decision.caution,
        ),
    }
    return found


def _is(kind: str) -> Callable[[Row], bool]:
    return lambda r: r.kind == kind


def _resolved(row: Row) -> bool:
    if row.decision.tier == "choose":
        return bool(set(row.topics) & row.accept)
    return row.right


def score(rows: Sequence[Row]) -> dict[str, tuple[int, int]]:
    """(successes, counted) of each measure."""
    found = {}
    for name, (over, succeeds) in measures().items():
        counted = [row for row in rows if over(row)]
        found[name] = (sum(map(succeeds, counted)), len(counted))
    return found


def table(sets: dict[str, list[Row]]) -> str:
    """The report as Markdown: each measure by set and language, with counts, against its goal."""
    lines = ["| set | measure | all | en | es | goal | |", "|---|---|---|---|---|---|---|"]
    for name, rows in sets.items():
        by = {"all": score(rows)} | {lang: score([r for r in rows if r.language == lang]) for lang in ("en", "es")}
        for measure in measures():
            goal = GOALS[name][measure]
            hits, total = by["all"][measure]
            percent = 100 * hits / total if total else 0.0
            met = percent <= goal if measure in LESS_IS_BETTER else percent >= goal
            cells = [_cell(*by[part][measure]) for part in ("all", "en", "es")]
            sign = "<=" if measure in LESS_IS_BETTER else ">="
            lines.append(f"| {name} | {measure} | {' | '.join(cells)} | {sign} {goal} | {'' if met else 'short'} |")
    return "\n".join(lines)


def _cell(hits: int, total: int) -> str:
    return f"{100 * hits / total:.1f} % ({hits}/{total})" if total else "-"


def frozen(folder: Path = TESTS / "blind") -> dict[str, Path]:
    """The blind sets; raises ValueError if one is not what was frozen."""
    found = {}
    for name, digest in FROZEN.items():
        path = folder / f"{name}.jsonl"
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ValueError(f"{path} is not the frozen set: restore it; a blind set is never edited")
        found[name] = path
    return found


def main() -> None:
    """Print the table; with --wrong also each text that went wrong (tuning split only)."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tuning", action="store_true", help="score the tuning split, not the blind sets")
    arguments.add_argument("--wrong", action="store_true", help="list what went wrong; for the tuning split only")
    arguments.add_argument("--alone", action="store_true", help="as where the encoder's package is missing")
    chosen = arguments.parse_args()
    if chosen.alone:
        alone = read_heads(None)
        router.heads = lambda: alone  # type: ignore[assignment, attr-defined]  # the same router, another model
    paths = {n: TESTS / "tuning" / f"{n}.jsonl" for n in FROZEN} if chosen.tuning else frozen()
    sets = {name: read(path) for name, path in paths.items()}
    print(table(sets))
    if chosen.wrong and chosen.tuning:
        for name, rows in sets.items():
            for row in rows:
                _explain(name, row)


def _explain(name: str, row: Row) -> None:
    safe = row.kind in SAFETY and row.kind in row.hard
    outside = row.kind in OUTSIDE and row.decision.tier in ("unknown", "choose")
    if not (safe or outside or (row.in_scope and _resolved(row))):
        made = f"{row.decision.tier} {','.join(row.topics)} {','.join(row.hard)} {','.join(row.decision.caution)}"
        print(f"{name} {row.language} {row.kind}:{','.join(sorted(row.accept))} -> {made} | {row.text}")


if __name__ == "__main__":
    main()
