"""Stories shared among processes, each with a database server of its own; a story is the same wherever it is played."""

import logging
import queue
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from service.embedded import postgres
from service.settings import Settings
from tests.simulation.bench import Bench, bench
from tests.simulation.breaks import BREAKS
from tests.simulation.shrink import shrink
from tests.simulation.story import Story, tell
from tests.simulation.world import Played, play

OUTPUT = Path("test-output")
LOOK_SECONDS = 5.0  # how often a silent player is looked after


@dataclass(frozen=True)
class Told:
    """What became of one story: what it counted, and the report of the rule that it broke, if it did."""

    counts: Counter[str]
    report: str = ""


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


def tell_one(opened: Bench, story: Story, budget: int) -> Told:
    """Play one story, and explain it if it breaks a rule."""
    played = play(opened, story)
    counts = Counter(stories=1, journeys=len(story.journeys), steps=played.steps)
    counts += Counter({"texts out": played.texts_out, "texts in": played.texts_in}) + played.counts
    return Told(counts, explain(opened, story, played, budget) if played.violation else "")


def player(broken: str, budget: int, stories: Any, told: Any) -> None:
    """One process: plays the stories of a queue until it holds None, and puts what became of each into the other."""
    logging.disable(logging.CRITICAL)
    with pytest.MonkeyPatch.context() as patch, own_bench() as opened:
        if broken:
            BREAKS[broken](patch)
        while (story := stories.get()) is not None:
            told.put(tell_one(opened, tell(story) if isinstance(story, int) else story, budget))


@contextmanager
def own_bench() -> Iterator[Bench]:
    """A bench on a server that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # as root the server runs as another user, who must get into the folder
        with postgres(Path(folder) / "postgres") as url:
            own = Settings(environment="development", database_url=url, migrate_database_url=url,
                           secret_key="a key of the simulation, long enough", data_dir=Path(folder))  # fmt: skip
            with bench(own, "simulation") as opened:
                yield opened


def play_all(stories: Sequence[int | Story], jobs: int, broken: str, budget: int) -> Iterator[Told]:
    """Every story, in `jobs` processes, in the order in which they end.

    Raises RuntimeError if a process ends before its stories do.
    """
    context = get_context("spawn")
    waiting, told = context.Queue(), context.Queue()
    for story in stories:
        waiting.put(story)
    players = [context.Process(target=player, args=(broken, budget, waiting, told)) for _ in range(jobs)]
    try:
        for each in players:
            each.start()
        for _ in stories:
            yield _next(told, players)
    finally:  # also where no more is asked for: what waits is taken away, and each process ends after its story
        while not waiting.empty():
            waiting.get()
        for _ in players:
            waiting.put(None)
        for each in players:
            each.join()


def _next(told: Any, players: Iterable[Any]) -> Told:
    while True:
        try:
            found: Told = told.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            if any(each.exitcode for each in players):
                raise RuntimeError("a process of the simulation ended by itself; its words are above") from None
        else:
            return found
