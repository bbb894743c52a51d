"""`python -m tests.simulation -n 2000 --seed 1`: many stories, a table, each broken rule replayable.

With `--break` the service is broken on purpose, to see which seed finds it.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.breaks import BREAKS
from tests.simulation.players import play_all
from tests.simulation.story import Story, loads


def main() -> int:
    """Play, print, and return how many stories broke a rule."""
    ask = argparse.ArgumentParser(prog="python -m tests.simulation")
    ask.add_argument("-n", type=int, default=100, help="how many stories")
    ask.add_argument("--seed", type=int, default=1, help="the first seed")
    ask.add_argument("--story", type=Path, help="play one story from its file")
    ask.add_argument("--break", dest="broken", default="", choices=["", *BREAKS], help="break the service on purpose")
    ask.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    ask.add_argument("--shrink", type=int, default=200, help="plays to spend on shortening each failing story")
    ask.add_argument("--stop-after", type=int, default=5, help="give up after so many broken rules")
    asked = ask.parse_args()
    stories: Sequence[int | Story] = (
        [loads(asked.story.read_text())] if asked.story else range(asked.seed, asked.seed + asked.n)
    )
    total: Counter[str] = Counter()
    broken = 0
    started = time.perf_counter()
    for told in play_all(stories, min(asked.jobs, len(stories)), asked.broken, asked.shrink):
        total += told.counts
        if told.report:
            broken += 1
            print(told.report, flush=True)
        if broken >= asked.stop_after:
            break
        if total["stories"] % 100 == 0:
            print(f"{total['stories']} of {len(stories)} stories, {broken} broken", file=sys.stderr)
    for name in ("stories", "journeys", "steps", "texts out", "texts in"):
        print(f"{name:<28}{total.pop(name, 0):>9}")
    for name, count in sorted(total.items()):
        print(f"  {name:<26}{count:>9}")
    print(f"{'violations':<28}{broken:>9}\n{'seconds':<28}{time.perf_counter() - started:>9.0f}")
    return broken


if __name__ == "__main__":
    sys.exit(main())
