"""What of a step holds while nothing may be said: a pause, or a member of staff who writes with him."""

from dataclasses import replace

from flows.model import ChooseVisit, Consent, Conversation, LayJourney, Step


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
