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

from sqlalchemy import text
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
    """The clinic's number that he writes to, or that writes to him."""

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
    talk_row: tuple[str, int, bool, list[str], str, bool]  # state, attempts, reasked, options, pending, care_pause
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
        state, attempts, reasked, options, pending, care_pause = self.talk_row
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
            language=self.language,
        )

    @property
    def language(self) -> str:
        """The patient's language."""
        return self.patient.language if self.patient else "en"


_COLUMNS = """
    select cp.clinic_id, cv.id, cv.state, cv.attempts, cv.reasked, cv.options, cv.pending, cv.care_pause,
           (select max(i.received_at) from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id),
           cp.id, cp.phone, cp.opted_out_at, cp.frozen_at, cp.frozen_why,
           s.id, s.keyword_handling, s.live, s.paused_reason is not null,
           st.id, st.name, st.zone, st.address, st.phone, st.after_hours_phone, st.prep, st.radiation, st.results_timing,
           st.terms_url, st.window_start, st.window_end,
           p.id, p.language, p.zone, p.paused_at is not null, p.stopped_at is not null,
           sc.id, sc.arrival_at, sc.starts_at, sc.zone, sc.tracer, sc.reason, sc.state, sc.plan_version, sc.arrival_version,
           coalesce((select k.given from consents k where k.clinic_id = cp.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'texts' order by k.id desc limit 1), false),
           coalesce((select k.given from consents k where k.clinic_id = cp.clinic_id and k.patient_id = p.id
                     and k.contact_point_id = cp.id and k.kind = 'detail' order by k.id desc limit 1), false),
           c.paused_at is not null or exists (select from switches w where w.name = 'pause' and w.value = 'on'),
           {busy}
    from contact_points cp
    join clinics c on c.id = cp.clinic_id
    join conversations cv on cv.clinic_id = cp.clinic_id and cv.contact_point_id = cp.id
    left join scans sc on sc.clinic_id = cp.clinic_id and sc.id = {scan}
    left join patients p on p.clinic_id = cp.clinic_id and p.id = coalesce(sc.patient_id, cv.patient_id)
    join senders s on s.clinic_id = cp.clinic_id and s.id = {sender}
    join sites st on st.clinic_id = cp.clinic_id
      and st.id = coalesce(sc.site_id, (select min(x.id) from sites x where x.clinic_id = :clinic))
    where cp.clinic_id = :clinic and {where}
    for update of cv, cp
"""
_FIRST_SENDER = "(select min(x.id) from senders x where x.clinic_id = :clinic)"
_BUSY = """
    (select count(*) from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id
       and i.received_at > :since and i.id <> :inbound),
    (select count(*) from inbound i where i.clinic_id = cp.clinic_id and i.contact_point_id = cp.id
       and i.received_at > :since and i.id <> :inbound and i.body = :body)
"""
_BY_TEXT = text(_COLUMNS.format(busy=_BUSY, scan="cv.scan_id", sender=":sender", where="cp.phone_hash = :phone_hash"))
_BY_CONTACT = text(_COLUMNS.format(busy="0, 0", scan="cv.scan_id", sender=_FIRST_SENDER, where="cp.id = :contact"))
_BY_SCAN = text(
    _COLUMNS.format(
        busy="0, 0",
        scan=":scan",
        sender=_FIRST_SENDER,
        where="cp.id = (select x.contact_point_id from scans x where x.clinic_id = :clinic and x.id = :scan)",
    )
)


def _focus(row: Sequence[Any]) -> Focus:
    return Focus(
        clinic_id=row[0],
        conversation_id=row[1],
        talk_row=(row[2], row[3], row[4], row[5], row[6], row[7]),
        last_inbound_at=row[8],
        contact=ContactFacts(*row[9:14]),
        sender=SenderFacts(*row[14:18]),
        site=SiteWords(*row[18:30]),
        patient=PatientFacts(*row[30:35]) if row[30] is not None else None,
        scan=ScanFacts(*row[35:44]) if row[35] is not None else None,
        opted_in=row[44],
        detail=row[45],
        paused=row[46],
        recent_texts=row[47],
        identical_texts=row[48],
    )


def focus_on_contact(session: Session, clinic_id: int, contact_point_id: int) -> Focus:
    """Load and lock one contact point's focus, on the clinic's first number."""
    values = {"clinic": clinic_id, "contact": contact_point_id}
    return _focus(session.connection().execute(_BY_CONTACT, values).one())


def focus_on_scan(session: Session, clinic_id: int, scan_id: int) -> Focus:
    """The same for one scan's own phone and patient, even where the conversation is about another booking now."""
    return _focus(session.connection().execute(_BY_SCAN, {"clinic": clinic_id, "scan": scan_id}).one())


def focus_on_text(
    session: Session, clinic_id: int, *, sender_id: int, inbound_id: int, body: str, phone_hash: str, now: datetime
) -> Focus | None:
    """The same for the phone that wrote a text, with how busy it has been; None for a number never met."""
    values = {
        "clinic": clinic_id,
        "sender": sender_id,
        "phone_hash": phone_hash,
        "since": now - BURST,
        "inbound": inbound_id,
        "body": body,
    }
    row = session.connection().execute(_BY_TEXT, values).one_or_none()
    return None if row is None else _focus(row)


_KEEP = text("""
    update conversations set state = :state, attempts = :attempts, reasked = :reasked, options = cast(:options as jsonb),
           pending = :pending, care_pause = :care_pause
    where clinic_id = :clinic and id = :id
""")


def keep_talk(session: Session, focus: Focus, talk: Talk) -> None:
    """Write the engine's next conversation back, if anything in it changed."""
    row = (talk.state, talk.attempts, talk.reasked, list(talk.options), talk.pending, talk.care_pause)
    if row == focus.talk_row:
        return
    focus.talk_row = row
    names = ("state", "attempts", "reasked", "options", "pending", "care_pause")
    values = dict(zip(names, row, strict=True)) | {
        "options": json.dumps(row[3]),
        "clinic": focus.clinic_id,
        "id": focus.conversation_id,
    }
    session.connection().execute(_KEEP, values)


_NEW_CONTACT = text("""
    insert into contact_points (clinic_id, phone, phone_hash, created_at) values (:clinic, :phone, :hash, :now)
    on conflict (clinic_id, phone_hash) do nothing
""")
_FIND_CONTACT = text("select id from contact_points where clinic_id = :clinic and phone_hash = :hash")
_NEW_CONVERSATION = text("""
    insert into conversations (clinic_id, contact_point_id, script, state, attempts, reasked, options, pending, care_pause)
    values (:clinic, :contact, :script, :start, 0, false, '[]', '', false)
    on conflict (clinic_id, contact_point_id) do nothing
""")


def contact_point(
    session: Session, clinic_id: int, phone: str, phone_hash: str, *, script: str, start: str, now: datetime
) -> int:
    """The id of this phone's contact point, made with its conversation if it is new; safe against a twin at once."""
    connection = session.connection()
    values = {"clinic": clinic_id, "phone": phone, "hash": phone_hash, "now": now, "script": script, "start": start}
    connection.execute(_NEW_CONTACT, values)
    found = int(connection.execute(_FIND_CONTACT, values).scalar_one())
    connection.execute(_NEW_CONVERSATION, {**values, "contact": found})
    return found
