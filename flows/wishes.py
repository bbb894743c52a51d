"""What a man says about the texts themselves: in which language he wants them, and that he wants them again."""

from dataclasses import replace

from flows.model import Conversation, Note, OpenTask, Resubscribe, Say, SetLanguage, Standing, Step, TextReceived
from flows.script import Script
from flows.which import listed_anew


def in_his_language(before: Conversation, event: TextReceived, taken: Step) -> Step:
    """Answer in the language he wrote in, and say once how to have every text in it."""
    language, after = event.decision.language, taken.conversation
    if language in ("", before.language) or taken.of(SetLanguage) or not taken.of(Say):
        return taken
    effects = tuple(replace(e, language=language) if isinstance(e, Say) else e for e in taken.effects)
    if before.language_offered or event.decision.safety or before.standing is not Standing.PATIENT:
        return Step(after, effects)
    offer = Say("language_offer", "general", language=language)
    return Step(replace(after, language_offered=True), (*effects, offer))


def start(before: Conversation, *, carrier_answers: bool) -> Step:
    """START brings back the texts that are still to come, of a number that is his."""
    if before.standing is Standing.FROZEN:
        return Step(before, (Note("START from a frozen number"), OpenTask("stranger")))
    said = [] if carrier_answers else [Say("started", "general")]
    if before.standing is Standing.STOPPED:
        return Step(replace(before, standing=Standing.PATIENT, attempts=0), (Resubscribe(), *said))
    return Step(before, (Note("START while subscribed"), *said))


def speak(script: Script, before: Conversation, language: str) -> Step:
    """Change the language, and ask the open question again in it."""
    asks = script.states[before.state].asks
    again = [Say(asks, before.form)] if asks else []
    after = listed_anew(replace(before, language=language, language_offered=True))
    return Step(after, (SetLanguage(language), Say("language_set", "general"), *again))
