"""What one decision about one phone depends on, as plain values (loaded by store/focus.py)."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flows.model import Conversation as Talk
from flows.model import Keywords, Reason, Standing, Visit

AFTERWARDS = timedelta(days=30)  # how long after the visit he may still ask


@dataclass(slots=True)
class ContactFacts:
    """The phone number."""

    id: int
    phone: str
    opted_out_at: datetime | None
    frozen_at: datetime | None
    frozen_why: str | None


@dataclass(slots=True)
class SenderFacts:
    """The clinic's number."""

    id: int
    keywords: str
    live: bool


@dataclass(slots=True)
class SiteWords:
    """What only the clinic can say."""

    id: int
    name: str
    zone: str
    address: str
    phone: str
    after_hours_phone: str
    prep: dict[str, str]
    radiation: str
    results_timing: str
    food_drink: str
    arrival_note: str
    results_days: int | None
    translations: dict[str, Any]
    terms_url: str
    window_start: time
    window_end: time


@dataclass(slots=True)
class PatientFacts:
    """The patient in focus."""

    id: int
    language: str
    zone: str | None
    paused: bool
    stopped: bool  # we were told that he has died
    taken_over_until: datetime | None  # a member of staff writes with him


@dataclass(slots=True)
class ScanFacts:
    """The scan in focus."""

    id: int
    arrival_at: datetime
    starts_at: datetime
    zone: str
    tracer: str
    reason: str
    state: str
    plan_version: int
    arrival_version: int


@dataclass(slots=True)
class VisitFacts:
    """One of several visits that are texted about at this number."""

    scan_id: int
    arrival_at: datetime
    zone: str
    reason: str
    detail: bool  # its patient agreed that texts may name the scan
    site_id: int


@dataclass(slots=True)
class Focus:
    """One contact point with the patient and scan in focus; both may be unknown."""

    clinic_id: int
    conversation_id: int
    # state, attempts, reasked, options, pending, care_pause, more, back, language_offered
    talk_row: tuple[str, int, bool, list[str], str, bool, str, str, bool]
    script: str  # the hash of the flow and texts that this conversation runs on
    last_inbound_at: datetime | None
    contact: ContactFacts
    sender: SenderFacts
    site: SiteWords
    patient: PatientFacts | None
    scan: ScanFacts | None
    opted_in: bool
    detail: bool
    paused: bool  # by the clinic's staff, by operators for everyone, or its number by the carrier
    recent_texts: int
    identical_texts: int
    visits: tuple[
        VisitFacts, ...
    ]  # those ahead whose patients agreed to texts, by arrival, where one is ahead beside the one in focus
    sure_until: datetime | None  # until then a question is about the scan in focus: he chose it, or was texted about it
    unasked: bool = False  # no invitation of his has left us: whoever holds this phone is told nothing

    @property
    def zone(self) -> ZoneInfo:
        """The patient's own zone; the site's unless the clinic said otherwise."""
        return ZoneInfo((self.patient and self.patient.zone) or self.site.zone)

    @property
    def care_pause(self) -> bool:
        """Whether a safety reply holds back everything but logistics."""
        return self.talk_row[5]

    def taken_over(self, now: datetime) -> bool:
        """Whether a member of staff writes with him, so that the bot is silent; it comes back by itself."""
        until = self.patient.taken_over_until if self.patient else None
        return until is not None and now < until

    def standing(self, now: datetime) -> Standing:
        """What we are to the person at this number at `now`."""
        if self.contact.frozen_at is not None:
            return Standing.FROZEN
        if self.contact.opted_out_at is not None:
            return Standing.STOPPED
        scan = self.scan
        over = scan is None or scan.state in ("cancelled", "no_show") or now > scan.arrival_at + AFTERWARDS
        if over or self.unasked:
            return Standing.STRANGER
        return Standing.PATIENT

    def talk(self, now: datetime) -> Talk:
        """The conversation as the engine sees it."""
        state, attempts, reasked, options, pending, care_pause, more, back, language_offered = self.talk_row
        return Talk(
            state=state,
            standing=self.standing(now),
            detail=self.detail,
            reason=Reason(self.scan.reason) if self.scan else Reason.UNKNOWN,
            attempts=attempts,
            reasked=reasked,
            options=tuple(options),
            pending=pending,
            care_pause=care_pause,
            keywords=Keywords(self.sender.keywords),
            died=self.patient is not None and self.patient.stopped,
            language=self.language,
            more=more,
            back=back,
            language_offered=language_offered,
            opted_out=self.contact.opted_out_at is not None,
            visits=tuple(Visit(str(v.scan_id), Reason(v.reason), v.detail, str(v.site_id)) for v in self.visits),
            over=self.scan is not None and self.scan.arrival_at <= now,
            sure=self.sure_until is not None and now < self.sure_until,
        )

    @property
    def language(self) -> str:
        """The patient's language."""
        return self.patient.language if self.patient else "en"
