"""Routing one text, warm: the whole router against a bare loop over keywords, and what it costs to keep in memory."""

import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench.common import SPAWN, Line
from flows.words import plain

TEXTS = Path(__file__).parent.parent / "tests" / "tuning" / "plain.jsonl"
P95_MS, RESIDENT_MB = 5.0, 300.0
KEYWORDS = (
    "eat",
    "drink",
    "park",
    "hurt",
    "pain",
    "where",
    "when",
    "result",
    "radiation",
    "medicine",
    "comer",
    "duele",
)


def _times(route: Callable[[str], object], texts: list[str]) -> list[float]:
    """Milliseconds for each text."""
    taken = []
    for text in texts:
        start = time.perf_counter()
        route(text)
        taken.append(1000 * (time.perf_counter() - start))
    return taken


def _measure(pipe) -> None:  # type: ignore[no-untyped-def]  # multiprocessing's own connection type
    """In a process of its own, so that the memory is the router's."""
    from flows.router import Context, route

    texts = [json.loads(line)["text"] for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    start = time.perf_counter()
    route("hello", Context())
    cold = time.perf_counter() - start
    for text in texts[:50]:
        route(text, Context())
    ours = _times(lambda text: route(text, Context()), texts)
    base = _times(lambda text: [word for word in KEYWORDS if word in plain(text)], texts)
    pipe.send((cold, ours, base, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def run() -> list[Line]:
    """The router's p50, p95 and p99, its first text, and its memory."""
    here, there = SPAWN.Pipe()
    child = SPAWN.Process(target=_measure, args=(there,), daemon=True)
    child.start()
    cold, ours, base, megabytes = here.recv()
    child.join(10)
    cuts = statistics.quantiles(ours, n=100)
    ratio = statistics.median(ours) / statistics.median(base)
    return [
        Line(
            f"one text, warm: p50 {cuts[49]:.2f} ms, p95 {cuts[94]:.2f} ms, p99 {cuts[98]:.2f} ms over {len(ours)} texts"
        ),
        Line(f"p95 against {P95_MS} ms: {'met' if cuts[94] < P95_MS else 'MISSED'}", cuts[94] < P95_MS),
        Line(f"{ratio:.0f} times a bare loop over {len(KEYWORDS)} keywords; the first text after {cold:.1f} s"),
        Line(f"resident {megabytes:.0f} MB (target {RESIDENT_MB:.0f})", megabytes < RESIDENT_MB),
    ]
