"""A short run of the simulation, the stories that once broke a rule, and proof that the rules can fail."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests.simulation.bench import Bench, bench
from tests.simulation.players import explain
from tests.simulation.story import Story, loads, tell
from tests.simulation.world import play

STORIES = sorted((Path(__file__).parent / "stories").glob("*.json"))
SEEDS = range(1, 9)


@pytest.fixture(scope="module")
def own_bench(servers: Settings) -> Iterator[Bench]:
    """A database of the simulation's own."""
    with bench(servers, f"simulation_{os.getpid()}") as opened:
        yield opened


@pytest.mark.slow
@pytest.mark.xdist_group("simulation")
@pytest.mark.parametrize("seed", SEEDS)
def test_no_rule_breaks_in_the_story_of_a_seed(own_bench: Bench, seed: int) -> None:
    played = play(own_bench, tell(seed))
    assert played.violation is None, explain(own_bench, tell(seed), played, budget=40)


@pytest.mark.xdist_group("simulation")
@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_story_that_once_broke_a_rule_breaks_none_any_more(own_bench: Bench, path: Path) -> None:
    played = play(own_bench, loads(path.read_text()))
    assert played.violation is None, str(played.violation)


def test_a_story_is_the_same_for_the_same_seed_and_survives_being_written_down() -> None:
    story = tell(7)
    assert story == tell(7)
    again: Story = loads(story.dumps())
    assert again == story
