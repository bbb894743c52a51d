"""Make a failing story short: drop journeys, then steps, then habits, while the same rule still breaks."""

from collections.abc import Callable
from dataclasses import replace

from tests.simulation.story import Story


def shrink(story: Story, breaks: Callable[[Story], bool], budget: int = 200) -> Story:
    """The shortest story found with at most `budget` plays."""
    left = [budget]

    def still(candidate: Story) -> bool:
        left[0] -= 1
        return left[0] >= 0 and breaks(candidate)

    for journey in story.journeys:
        candidate = story.without_journey(journey.name)
        if candidate.journeys and still(candidate):
            story = candidate
    size = max(len(story.steps) // 2, 1)
    while size and left[0] > 0:
        start = 0
        while start < len(story.steps):
            candidate = replace(story, steps=story.steps[:start] + story.steps[start + size :])
            if candidate.steps and still(candidate):
                story = candidate
            else:
                start += size
        size //= 2
    for journey in story.journeys:
        for key in list(journey.habits):
            fewer = {name: said for name, said in journey.habits.items() if name != key}
            shorter = replace(journey, habits=fewer)
            candidate = replace(story, journeys=tuple(shorter if j.name == journey.name else j for j in story.journeys))
            if journey.habits[key] and still(candidate):
                story, journey = candidate, shorter  # noqa: PLW2901 - the next candidate starts from this one
    return story
