"""In which order a number's planned texts leave: what changes a visit first, then its days, then the rest."""

from flows.gate import Priority
from flows.journey import NOTICES


def planned_priority(touchpoint: str, *, exempt: bool) -> Priority:
    """How pressing a planned text is; what is `exempt` from the caps is about the visit's own days."""
    if touchpoint in NOTICES:
        return Priority.NOTICE
    return Priority.DAY_OF if exempt else Priority.REMINDER
