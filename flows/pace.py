"""How fast a sender may hand over texts: so many segments a second, replies counted, and a little saved up while idle.

The carrier takes texts faster than it delivers them and queues the rest for hours; what waits there can no longer be
stopped, moved or overtaken by a reply. So it waits with us. What answers a person never waits: it is counted, and what is
planned goes a little later.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flows.gate import Priority
from flows.limits import CLOCK_JITTER, PACE_REPLIES, PACE_SAVED


@dataclass(frozen=True)
class Pace:
    """One sender's pace at a moment: it is busy until `busy_until`, at `per_second` segments."""

    per_second: float
    busy_until: datetime

    def may_go(self, priority: Priority, now: datetime) -> bool:
        """Whether a text of this priority may be handed over now."""
        return priority <= Priority.REPLY or self.busy_until <= now

    def after(self, segments: int) -> "Pace":
        """The pace once a text of so many segments was handed over."""
        return replace(self, busy_until=self.busy_until + timedelta(seconds=segments / self.per_second))

    def rested(self, now: datetime) -> "Pace":
        """The pace at `now`: what was idle before is saved up for a moment only."""
        return replace(self, busy_until=max(self.busy_until, now - PACE_SAVED))

    def room(self, now: datetime) -> int:
        """How many texts could go now at the very most, each of one segment; 0 while busy."""
        if self.busy_until > now:
            return 0
        return int((now - self.busy_until).total_seconds() * self.per_second) + 1


def pace(
    per_second: int,
    busy_until: datetime | None,
    replies: Iterable[tuple[datetime, int]],
    now: datetime,
    paced_at: datetime | None = None,
) -> Pace:
    """A sender's pace at `now`, after the `replies` (moment, segments; oldest first) that it was not yet charged for.

    No call was made in the future: a sender `paced_at` a later moment met a clock that was wrong, and is not busy for it.
    Each is charged at its own moment, so what was answered long ago has long been carried, and delays nothing.
    """
    wrong = paced_at is not None and paced_at > now + CLOCK_JITTER
    at = Pace(per_second, now - PACE_REPLIES if wrong or busy_until is None else busy_until)
    for moment, segments in replies:
        at = at.rested(moment).after(segments)
    return at.rested(now)
