"""Everything that one decision about one phone depends on, loaded in one query and locked for the turn.

Plain values rather than mapped rows: a conversation turn reads fifty columns and writes three, and composing and tracking
mapped rows cost more than the query itself (DECISIONS, D-12). Whoever changes a fact says so in a statement of its own.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import TextualSelect, column, text
from sqlalchemy.orm import Session

from flows.limits import BURST
from flows.model import Conversation as Talk
from flows.model import Keywords, Reason, Standing

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
    paused: bool


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
    paused: bool  # by the clinic's staff, or by operators for everyone
    recent_texts: int
    identical_texts: int

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
        if scan is None or scan.state in ("cancelled", "no_show") or now > scan.arrival_at + AFTERWARDS:
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
        )

    @property
    def language(self) -> str:
        """The patient's language."""
        return self.patient.language if self.patient else "en"


_COLUMNS = """
    select cp.clinic_id, cv.id, cv.state, cv.attempts, cv.reasked, cv.options, cv.pending, cv.care_pause,
           cv.more, cv.back, cv.language_offered, cv.script, {heard},
           cp.id, cp.phone, cp.opted_out_at, cp.frozen_at, cp.frozen_why,
           s.id, s.keyword_handling, s.live, s.paused_reason is not null,
           st.id, st.name, st.zone, st.address, st.phone, st.after_hours_phone, st.prep, st.radiation, st.results_timing,
           st.food_drink, st.arrival_note, st.results_days, st.translations, st.terms_url, st.window_start, st.window_end,
           p.id, p.language, p.zone, p.paused_at is not null, p.stopped_at is not null, p.taken_over_until,
           sc.id, sc.arrival_at, sc.starts_at, sc.zone, sc.tracer, sc.reason, sc.state, sc.plan_version, sc.arrival_version,
           coalesce((select k.given from consents k where k.clinic_id = cp.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'texts' order by k.id desc limit 1), false),
           coalesce((select k.given from consents k where k.clinic_id = cp.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'detail' order by k.id desc limit 1), false),
           c.paused_at is not null or exists (select from switches w where w.name = 'pause' and w.value = 'on'),
           {lately}
    from contact_points cp
    join clinics c on c.id = cp.clinic_id
    join conversations cv on cv.clinic_id = cp.clinic_id and cv.contact_point_id = cp.id
    left join scans sc on sc.clinic_id = cp.clinic_id and sc.id = {scan}
    left join patients p on p.clinic_id = cp.clinic_id and p.id = coalesce(sc.patient_id, cv.patient_id)
    join senders s on s.clinic_id = cp.clinic_id and s.id = {sender}
    join sites st on st.clinic_id = cp.clinic_id
      and st.id = coalesce(sc.site_id, (select min(x.id) from sites x where x.clinic_id = :clinic))
    {busy}
    where cp.clinic_id = :clinic and {where}
    for update of cv, cp
"""
_FIRST_SENDER = "(select min(x.id) from senders x where x.clinic_id = :clinic)"
_HEARD = "(select max(i.received_at) from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id)"
_BUSY = """
    left join lateral (
        select count(*) as all_of_them, count(*) filter (where i.body = :body) as the_same
        from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id
          and i.received_at > :since and i.id <> :inbound) lately on true
"""
WIDTH = 58  # columns of the query


def _statement(sql: str) -> TextualSelect:
    """With its columns declared, what a row looks like is worked out once and not at each execution."""
    return text(sql).columns(*(column(f"c{n}") for n in range(WIDTH)))


_BY_TEXT = _statement(
    _COLUMNS.format(
        busy=_BUSY,
        lately="lately.all_of_them, lately.the_same",
        heard="null::timestamptz",  # only automated texts ask how long ago he wrote
        scan="cv.scan_id",
        sender=":sender",
        where="cp.phone_hash = :phone_hash",
    )
)
_BY_CONTACT = _statement(
    _COLUMNS.format(
        busy="", lately="0, 0", heard=_HEARD, scan="cv.scan_id", sender=_FIRST_SENDER, where="cp.id = :contact"
    )
)
_BY_SCAN = _statement(
    _COLUMNS.format(
        busy="",
        lately="0, 0",
        heard=_HEARD,
        scan=":scan",
        sender=_FIRST_SENDER,
        where="cp.id = (select x.contact_point_id from scans x where x.clinic_id = :clinic and x.id = :scan)",
    )
)


def _focus(row: Sequence[Any]) -> Focus:
    return Focus(
        clinic_id=row[0],
        conversation_id=row[1],
        talk_row=(row[2], row[3], row[4], row[5], row[6], row[7], row[8], row[9], row[10]),
        script=row[11],
        last_inbound_at=row[12],
        contact=ContactFacts(*row[13:18]),
        sender=SenderFacts(*row[18:22]),
        site=SiteWords(*row[22:38]),
        patient=PatientFacts(*row[38:44]) if row[38] is not None else None,
        scan=ScanFacts(*row[44:53]) if row[44] is not None else None,
        opted_in=row[53],
        detail=row[54],
        paused=row[55],
        recent_texts=row[56],
        identical_texts=row[57],
    )


def focus_on_contact(session: Session, clinic_id: int, contact_point_id: int) -> Focus:
    """Load and lock one contact point's focus, on the clinic's first number."""
    return _focus(session.connection().execute(_BY_CONTACT, {"clinic": clinic_id, "contact": contact_point_id}).one())


def focus_on_scan(session: Session, clinic_id: int, scan_id: int) -> Focus:
    """The same for one scan's own phone and patient, even where the conversation is about another booking now."""
    return _focus(session.connection().execute(_BY_SCAN, {"clinic": clinic_id, "scan": scan_id}).one())


def focus_on_text(
    session: Session, clinic_id: int, *, sender_id: int, inbound_id: int, body: str, phone_hash: str, now: datetime
) -> Focus | None:
    """The same for the phone that wrote a text, with how busy it has been; None for a number never met."""
    values = {"clinic": clinic_id, "sender": sender_id, "phone_hash": phone_hash, "since": now - BURST,
              "inbound": inbound_id, "body": body}  # fmt: skip
    row = session.connection().execute(_BY_TEXT, values).one_or_none()
    return None if row is None else _focus(row)


_KEEP = text("""
    update conversations set state = :state, attempts = :attempts, reasked = :reasked, options = cast(:options as jsonb),
           pending = :pending, care_pause = :care_pause, more = :more, back = :back, language_offered = :language_offered
    where clinic_id = :clinic and id = :id
""")


def keep_talk(session: Session, focus: Focus, talk: Talk) -> None:
    """Write the engine's next conversation back, if anything in it changed."""
    row = (talk.state, talk.attempts, talk.reasked, list(talk.options), talk.pending, talk.care_pause, talk.more,
           talk.back, talk.language_offered)  # fmt: skip
    if row == focus.talk_row:
        return
    focus.talk_row = row
    names = ("state", "attempts", "reasked", "options", "pending", "care_pause", "more", "back", "language_offered")
    values = dict(zip(names, row, strict=True)) | {
        "options": json.dumps(row[3]),
        "clinic": focus.clinic_id,
        "id": focus.conversation_id,
    }
    session.connection().execute(_KEEP, values)
