"""A planned moment of the journey that has come: which texts it says, and the question that it opens."""

from dataclasses import replace

from flows.model import Conversation, Note, Say, Step, TouchpointDue
from flows.script import Script


def on_touchpoint(script: Script, before: Conversation, event: TouchpointDue) -> Step:
    """Say a touchpoint and what is folded into it, as one text; open its question unless he needs care first."""
    lead = script.touchpoints[event.touchpoint]
    keys = [key.format(reason=before.reason) for key in (lead.done if event.done else lead.say)]
    for name in event.merged:
        keys += [key.format(reason=before.reason) for key in script.touchpoints[name].folded]
    sayable = [key for key in keys if script.texts.sayable(key, before.language, before.form)]
    if not sayable:
        return Step(before, (Note("not said: he chose general texts, and this cannot be told discreetly"),))
    if lead.ask and not before.care_pause:
        sayable.append(lead.ask)
    after = before
    if before.state == "choose":  # a list of some other day: what he answers now is not about it
        after = replace(before, state="ready", options=(), back="")
    if lead.opens and not before.care_pause:
        after = replace(before, state=lead.opens, attempts=0, reasked=False, options=(), pending="")
    return Step(after, tuple(Say(key, before.form) for key in sayable))
