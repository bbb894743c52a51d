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
SITE_FIELDS = frozenset({"address", "arrival_note", "food_drink", "radiation", "results_timing"})
ABOUT_THE_VISIT = frozenset({"reschedule", "confirm"})  # answered with a deed, which must be done for the right one


def ask_which(script: Script, before: Conversation, topic: str) -> Step | None:
    """The question which visit a topic is asked about, or None where that is plain or makes no difference."""
    if len(before.visits) < 2 or before.sure or before.state == STATE or STATE not in script.states:
        return None
    if topic not in ABOUT_THE_VISIT and not _depends(script, before, topic):
        return None
    offered = tuple(visit.ref for visit in before.visits[:MOST])
    after = replace(before, state=STATE, pending=topic, options=offered, attempts=0, reasked=False)
    return Step(after, (Say(TEXT, before.form),))


def _depends(script: Script, before: Conversation, topic: str) -> bool:
    entry = script.texts.entries[before.language].get(topic)
    differs = VISIT_FIELDS | SITE_FIELDS if len({visit.site for visit in before.visits}) > 1 else VISIT_FIELDS
    return entry is not None and any(differs & set(entry.fields(form)) for form in entry.bodies)


def chosen(before: Conversation, after: Conversation, number: int) -> Conversation | None:
    """The conversation about the visit of that number; None where it was not offered or is not there any more."""
    ref = before.options[number - 1] if number <= len(before.options) else ""
    visit = next((visit for visit in before.visits if visit.ref == ref), None)
    if visit is None:
        return None
    return replace(after, detail=visit.detail, reason=visit.reason, sure=True, pending="", options=())
