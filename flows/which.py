"""Several visits on one phone, of one patient or of two: ask which is meant, by day and hour, never by name.

Asked once, and only where the answer depends on the visit and nothing has made it plain: not for a day after he chose one
or was texted about one, when a question is about that.
"""

from dataclasses import replace

from flows.model import Conversation, Say, Step
from flows.script import Script

STATE, TEXT = "which", "which_visit"
MOST = 3  # visits listed in one text
VISIT_FIELDS = frozenset({"visit_day", "arrival_time", "later_time", "prep", "guide_url"})
AHEAD_FIELDS = frozenset(
    {"visit_day", "arrival_time", "later_time", "prep"}
)  # nobody asks them of a visit that is over
SITE_FIELDS = frozenset({"address", "arrival_note", "food_drink", "radiation", "results_timing"})
OF_A_VISIT = frozenset(
    {"check", "confirm", STATE}
)  # questions about a day and hour: a move or the visit itself ends them
ABOUT_THE_VISIT = frozenset({"reschedule", "confirm"})  # answered with a deed, which must be done for the right one


def ask_which(script: Script, before: Conversation, topic: str) -> Step | None:
    """The question which visit a topic is asked about, or None where that is plain or makes no difference."""
    if len(before.visits) < 2 or before.state == STATE or STATE not in script.states:
        return None
    if before.over:
        plain = not _of_one_ahead(script, before, topic)
    else:
        plain = before.sure or not (topic in ABOUT_THE_VISIT or _depends(script, before, topic))
    if plain:
        return None
    after = listed_anew(replace(before, state=STATE, pending=topic, attempts=0, reasked=False))
    return Step(after, (Say(TEXT, before.form),))


def listed_anew(before: Conversation) -> Conversation:
    """Whenever the list is said, its numbers stand for what it says now: visits may have come, gone or moved."""
    if before.state != STATE:
        return before
    return replace(before, options=tuple(visit.ref for visit in before.visits[:MOST]))


def turned_to(script: Script, before: Conversation, topic: str) -> tuple[Conversation, str] | None:
    """After one visit, with just one other ahead: what only a visit ahead has is asked about that one."""
    if not before.over or len(before.visits) != 1 or not _of_one_ahead(script, before, topic):
        return None
    (visit,) = before.visits
    return replace(before, detail=visit.detail, reason=visit.reason, over=False, sure=True), visit.ref


def _of_one_ahead(script: Script, before: Conversation, topic: str) -> bool:
    return topic in ABOUT_THE_VISIT or bool(AHEAD_FIELDS & _fields(script, before, topic))


def _depends(script: Script, before: Conversation, topic: str) -> bool:
    differs = VISIT_FIELDS | SITE_FIELDS if len({visit.site for visit in before.visits}) > 1 else VISIT_FIELDS
    return bool(differs & _fields(script, before, topic))


def _fields(script: Script, before: Conversation, topic: str) -> set[str]:
    entry = script.texts.entries[before.language].get(topic)
    return {name for form in entry.bodies for name in entry.fields(form)} if entry else set()


def chosen(before: Conversation, after: Conversation, number: int) -> Conversation | None:
    """The conversation about the visit of that number; None where it was not offered or is not there any more."""
    ref = before.options[number - 1] if number <= len(before.options) else ""
    visit = next((visit for visit in before.visits if visit.ref == ref), None)
    if visit is None:
        return None
    return replace(after, detail=visit.detail, reason=visit.reason, over=False, sure=True, pending="", options=())
