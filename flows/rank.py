"""In which order a number's planned texts leave: what changes a visit first, then its days, then the rest, imports last."""

from datetime import timedelta

from flows.gate import Priority
from flows.journey import NOTICES

INVITES = frozenset({"invite", "invite_again"})
SOON = timedelta(days=2)  # an invitation this close to the visit is still to be followed by its preparation


def planned_priority(touchpoint: str, ahead: timedelta, *, exempt: bool) -> Priority:
    """How pressing a planned text is, the visit being `ahead`; to be `exempt` from the caps is not to be pressing."""
    if touchpoint in NOTICES:
        return Priority.NOTICE
    if touchpoint in INVITES:
        return Priority.DAY_OF if ahead <= SOON else Priority.BULK
    return Priority.DAY_OF if exempt else Priority.REMINDER
