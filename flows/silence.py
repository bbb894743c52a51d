"""When nothing may be said, and what of a step holds then: a pause, a member of staff who writes with him, a machine."""

from dataclasses import replace

from flows import limits
from flows.model import ChooseVisit, Consent, Conversation, LayJourney, Say, Step

URGENT_WORDS = frozenset({"crisis", "urgent", "caution_crisis", "caution_urgent"})  # never too late to be said


def unheard(before: Conversation, taken: Step) -> Step:
    """What of a step holds where its words cannot be said: what he asks or refuses, never what he grants.

    The next question would be open without having been asked, and his next "1" would answer it. So the old question stays
    open, tasks are opened, safety and suppression hold, and a person reads the text.
    """
    refuses = any(isinstance(e, Consent) and not e.given for e in taken.effects)
    after = taken.conversation
    kept = after if refuses else replace(before, standing=after.standing, care_pause=after.care_pause)
    effects = tuple(
        e
        for e in taken.effects
        if not isinstance(e, LayJourney | ChooseVisit) and not (isinstance(e, Consent) and e.given)
    )
    return Step(kept, effects)


def in_a_loop(recent_texts: int, identical_texts: int, *, exact: bool = False) -> bool:
    """Whether so many texts came before this one that a machine may be answering ours; an `exact` answer may come often."""
    many = recent_texts >= limits.REPLIES_PER_BURST and not exact
    return many or identical_texts >= limits.IDENTICAL_TEXTS


def to_a_machine(safe: Step, identical_texts: int) -> Step:
    """The same cry, again and again, comes from a machine that answers ours: people are told, and it is not answered."""
    if identical_texts < limits.IDENTICAL_CRIES:
        return safe
    return Step(safe.conversation, tuple(e for e in safe.effects if not (isinstance(e, Say) and e.key in URGENT_WORDS)))
