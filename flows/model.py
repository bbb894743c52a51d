"""The values a conversation is made of: what it knows, what can happen to it, and what it may ask to be done.

`Conversation` is what the next decision depends on; the service loads it from rows and stores it back. Events come in,
effects go out; an effect is a wish, carried out by the service in the same transaction that stores the new conversation.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from messages.catalog import Form


class Reason(StrEnum):
    """Why the scan was ordered, as the clinic told us."""

    STAGING = "staging"
    RECURRENCE = "recurrence"
    ADVANCED = "advanced"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """What we are to the person at this number."""

    STRANGER = "stranger"  # no patient of ours, or a journey that ended
    PATIENT = "patient"
    STOPPED = "stopped"  # opted out; only START brings the texts back
    FROZEN = "frozen"  # told us that the number is not the patient's


class Safety(StrEnum):
    """What a text can mean beside anything else it says; all that match take effect."""

    CRISIS = "crisis"
    URGENT = "urgent"
    OPT_OUT = "opt_out"
    WRONG_NUMBER = "wrong_number"
    DIED = "died"
    RESULTS = "results_personal"


class Keywords(StrEnum):
    """Who answers STOP, START and HELP at this sender."""

    DEFAULT = "default"  # the carrier answers and blocks
    ADVANCED = "advanced"  # the carrier answers, and tells us with OptOutType
    TOLL_FREE = "toll_free"  # the network answers STOP
    OURS = "ours"  # the carrier's own handling was switched off: we answer


@dataclass(frozen=True)
class Visit:
    """One of several visits that are texted about at one number."""

    ref: str
    reason: Reason
    detail: bool  # its patient agreed that texts may name the scan
    site: str = ""  # where it is, by an id that tells sites apart


@dataclass(frozen=True)
class Conversation:
    """All that decides the next reply. `state` is the question that is open, by its name in the flow."""

    state: str
    standing: Standing = Standing.PATIENT
    detail: bool = False  # he agreed that texts may name the scan
    reason: Reason = Reason.UNKNOWN
    attempts: int = 0  # failed answers to the open question
    reasked: bool = False  # the open question was asked again after a digression
    options: tuple[str, ...] = ()  # topics, or visits, offered as 1, 2, 3
    pending: str = ""  # the topic to answer once naming the scan is allowed
    care_pause: bool = False  # a safety reply was given; only logistics until staff release the patient
    keywords: Keywords = Keywords.OURS
    died: bool = False  # we were told before that he has died
    language: str = "en"
    more: str = ""  # the next page of the answer given last
    back: str = ""  # the question to return to once he has chosen among topics
    language_offered: bool = False  # he wrote in another language and was told how to switch
    opted_out: bool = False  # also of a frozen number: an opt-out is confirmed once
    visits: tuple[Visit, ...] = ()  # where one is ahead beside the one in focus: all that are ahead, by arrival
    over: bool = False  # the hour of the visit in focus has come: what is asked of a visit ahead is not about it
    sure: bool = False  # which of them he means is plain: he chose it, or has just been texted about it

    @property
    def form(self) -> Form:
        """Which form of a text he may be sent."""
        return "detailed" if self.detail else "general"


@dataclass(frozen=True)
class Decision:
    """What the router made of one free text."""

    tier: str  # answer | choose | unknown | safety; exact where the open question or a command takes the very words
    topics: tuple[str, ...] = ()
    safety: frozenset[Safety] = frozenset()
    caution: tuple[str, ...] = ()  # safety routes it might take: a line goes before the answer
    language: str = ""  # what it is plainly written in, where that can be told
    sensed: frozenset[Safety] = frozenset()  # of `safety`, what only a trained detector found, no rule


@dataclass(frozen=True)
class TextReceived:
    """A text from the phone. `opt_out_type` is the carrier's own tag and can only ever add suppression."""

    body: str
    decision: Decision
    opt_out_type: str = ""
    media: bool = False
    recent_texts: int = 0  # texts from this phone in the last burst window, this one not counted
    identical_texts: int = 0  # of those, the ones with these very words


@dataclass(frozen=True)
class TouchpointDue:
    """A planned moment of the journey has come; `merged` are the others folded into the same text."""

    touchpoint: str
    merged: tuple[str, ...] = ()
    done: bool = False  # the clinic has said that the visit took place


Event = TextReceived | TouchpointDue


@dataclass(frozen=True)
class Say:
    """Send the approved text `key`, in the form that the conversation has after this step."""

    key: str
    form: Form
    options: tuple[str, ...] = ()  # topics to list, for the text that offers a choice
    language: str = ""  # where it is not the conversation's: he wrote in another one


@dataclass(frozen=True)
class Suppress:
    """No more texts to this number; `how` goes into the consent ledger."""

    how: str


@dataclass(frozen=True)
class Resubscribe:
    """Texts may go out again, future ones only."""


@dataclass(frozen=True)
class Freeze:
    """The number is not the patient's: nothing goes to it any more."""


@dataclass(frozen=True)
class Consent:
    """An answer to a question of consent, kept with the text it answered."""

    kind: str  # texts | detail
    given: bool
    text_key: str


@dataclass(frozen=True)
class SetLanguage:
    """From now on every text to this patient is in `language`."""

    language: str


@dataclass(frozen=True)
class ChooseVisit:
    """From now on the conversation is about this one of the visits at his number."""

    ref: str


@dataclass(frozen=True)
class LayJourney:
    """Lay out (again) what is still to come, now that he has opted in."""


@dataclass(frozen=True)
class StopPlans:
    """Void every planned text of the people on this phone, keeping the rows with this reason."""

    reason: str


@dataclass(frozen=True)
class OpenTask:
    """A person must look at this."""

    kind: str


@dataclass(frozen=True)
class Note:
    """Worth a line in the audit trail: an action of the patient's, or why nothing was said."""

    action: str


Effect = (
    Say
    | Suppress
    | Resubscribe
    | Freeze
    | Consent
    | SetLanguage
    | ChooseVisit
    | LayJourney
    | StopPlans
    | OpenTask
    | Note
)


@dataclass(frozen=True)
class Step:
    """The conversation after the event, and what is to be done, in order."""

    conversation: Conversation
    effects: tuple[Effect, ...] = field(default=())

    def of(self, kind: type[Effect]) -> tuple[Effect, ...]:
        """The effects of one kind."""
        return tuple(effect for effect in self.effects if isinstance(effect, kind))
