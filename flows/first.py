"""What comes before anything else, on every text and in every state: safety, a wish to stop, a wrong number, a death.

All that match take effect. Also used alone when the rest of a turn failed: a STOP or a cry for help must survive any bug.
"""

from dataclasses import replace

from flows.model import (
    Conversation,
    Effect,
    Freeze,
    Keywords,
    OpenTask,
    Safety,
    Say,
    Standing,
    Step,
    StopPlans,
    Suppress,
)
from flows.safety import CANCEL_WORDS, CARRIER_STOP_WORDS
from flows.words import plain


def safety_step(conversation: Conversation, body: str, found: frozenset[Safety], opt_out_type: str = "") -> Step | None:
    """The effects of every safety route that a text takes, or None if it takes none."""
    words = plain(body)
    by_carrier = opt_out_type.upper() == "STOP"
    wants_stop = by_carrier or Safety.OPT_OUT in found
    effects: list[Effect] = []
    after = conversation
    for kind in (Safety.CRISIS, Safety.URGENT):
        if kind in found:
            effects += [Say(kind.value, conversation.form), OpenTask(kind.value)]
            after = replace(after, care_pause=True)
    spoke = bool(effects)
    if spoke and _carrier_blocks(conversation, wants_stop):
        effects.append(OpenTask("cannot_reach"))
    if wants_stop:
        stop_effects, after = _stop(after, words, by_carrier=by_carrier, spoke=spoke)
        effects += stop_effects
        spoke = True
    # After an opt-out or a wrong number he gets no more courtesies: only safety speaks.
    spoke = spoke or conversation.standing in (Standing.STOPPED, Standing.FROZEN)
    if Safety.WRONG_NUMBER in found:
        effects += [Freeze(), OpenTask("wrong_number"), *([] if spoke else [Say("declined", "general")])]
        after, spoke = replace(after, standing=Standing.FROZEN, state="ready"), True
    if Safety.DIED in found:
        effects += [
            StopPlans("died"),
            OpenTask("died"),
            *([] if spoke or conversation.died else [Say("condolence", "general")]),
        ]
    return Step(after, tuple(effects)) if effects else None


def _carrier_blocks(conversation: Conversation, stopping: bool) -> bool:
    """Whether the carrier will refuse to carry our reply, because it honours a STOP itself."""
    return conversation.keywords is not Keywords.OURS and (stopping or conversation.standing is Standing.STOPPED)


def _stop(before: Conversation, words: str, *, by_carrier: bool, spoke: bool) -> tuple[list[Effect], Conversation]:
    effects: list[Effect] = [Suppress("carrier keyword" if words in CARRIER_STOP_WORDS or by_carrier else "own words")]
    if words in CANCEL_WORDS:
        effects.append(OpenTask("cancel_or_stop"))
    answered = by_carrier or (words in CARRIER_STOP_WORDS and before.keywords is not Keywords.OURS)
    if not (answered or spoke or before.opted_out or before.standing is Standing.STOPPED):
        may_mean_visit = words in CANCEL_WORDS and before.standing is Standing.PATIENT
        effects.append(Say("stopped_cancel" if may_mean_visit else "stopped", "general"))
    standing = Standing.FROZEN if before.standing is Standing.FROZEN else Standing.STOPPED
    return effects, replace(before, standing=standing, attempts=0)
