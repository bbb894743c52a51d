"""`python -m tests.simulation -n 2000 --seed 1`: many stories, a table, each broken rule replayable."""

import argparse
import logging
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from service.embedded import postgres
from service.settings import Settings
from tests.simulation.bench import Bench, bench
from tests.simulation.shrink import shrink
from tests.simulation.story import Story, loads, tell
from tests.simulation.world import Played, play

OUTPUT = Path("test-output")


def explain(opened: Bench, story: Story, played: Played, budget: int = 200) -> str:
    """A broken rule: the seed, the command, and the shortest story that breaks it, which is also written to a file."""
    assert played.violation is not None
    rule = played.violation.rule

    def breaks(candidate: Story) -> bool:
        again = play(opened, candidate).violation
        return again is not None and again.rule == rule

    shortest = shrink(story, breaks, budget)
    last = play(opened, shortest)
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"simulation-{story.seed}.json"
    path.write_text(shortest.dumps())
    return (
        f"seed {story.seed}, step {played.steps}: {played.violation}\n"
        f"  replay the seed:  make simulate N=1 SEED={story.seed}\n"
        f"  the short story ({len(shortest.journeys)} journeys, {len(shortest.steps)} steps: {last.violation}):  "
        f"python -m tests.simulation --story {path}\n{shortest.dumps()}"
    )


def main() -> int:
    """Play, print, and return how many stories broke a rule."""
    ask = argparse.ArgumentParser(prog="python -m tests.simulation")
    ask.add_argument("-n", type=int, default=100, help="how many stories")
    ask.add_argument("--seed", type=int, default=1, help="the first seed")
    ask.add_argument("--story", type=Path, help="play one story from its file")
    ask.add_argument("--shrink", type=int, default=200, help="plays to spend on shortening each failing story")
    ask.add_argument("--stop-after", type=int, default=5, help="give up after so many broken rules")
    asked = ask.parse_args()
    logging.disable(logging.CRITICAL)
    total: Counter[str] = Counter()
    broken: list[str] = []
    with tempfile.TemporaryDirectory() as folder, postgres(_open(Path(folder))) as url:
        own = Settings(environment="development", database_url=url, migrate_database_url=url,
                       secret_key="a key of the simulation, long enough", data_dir=Path(folder))  # fmt: skip
        with bench(own, "simulation") as opened:
            stories = (
                [loads(asked.story.read_text())] if asked.story else map(tell, range(asked.seed, asked.seed + asked.n))
            )
            started = time.perf_counter()
            for story in stories:
                played = play(opened, story)
                total += Counter(stories=1, journeys=len(story.journeys), steps=played.steps)
                total += Counter({"texts out": played.texts_out, "texts in": played.texts_in}) + played.counts
                if played.violation is not None:
                    broken.append(explain(opened, story, played, asked.shrink))
                    print(broken[-1], flush=True)
                if len(broken) >= asked.stop_after:
                    break
            seconds = time.perf_counter() - started
    for name in ("stories", "journeys", "steps", "texts out", "texts in"):
        print(f"{name:<28}{total.pop(name, 0):>9}")
    for name, count in sorted(total.items()):
        print(f"  {name:<26}{count:>9}")
    print(f"{'violations':<28}{len(broken):>9}\n{'seconds':<28}{seconds:>9.0f}")
    return len(broken)


def _open(folder: Path) -> Path:
    """As root the server runs as another user, who must get into the folder."""
    folder.chmod(0o755)
    return folder / "postgres"


if __name__ == "__main__":
    sys.exit(main())
