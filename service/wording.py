"""From a decision to words: the values a text may use, as the clinic gave them, rendered strictly and kept as a row."""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from sqlalchemy import insert
from sqlalchemy.orm import Session

from flows.gate import Priority
from flows.model import Say
from flows.script import Script
from messages.render import Text, join, render
from service.store.focus import Focus
from service.store.people import Sender
from service.store.texts import Outbound

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_OUTBOUND = insert(Outbound)
PLANNED_TEXTS = 10  # what the invitation promises: every touchpoint, the welcome and its question

_SAFETY = frozenset({"crisis", "urgent", "fallback", "on_call"})
_KEYWORD = frozenset({"stopped", "stopped_cancel", "help", "started", "declined", "condolence"})


def spoken_day(at: datetime, zone: ZoneInfo) -> str:
    """`Thursday, March 18`, as the clinic's clock shows it."""
    local = at.astimezone(zone)
    return f"{_DAYS[local.weekday()]}, {_MONTHS[local.month - 1]} {local.day}"


def spoken_time(at: datetime, zone: ZoneInfo) -> str:
    """`9:15 am`, as the clinic's clock shows it."""
    local = at.astimezone(zone)
    return f"{local.hour % 12 or 12}:{local.minute:02} {'am' if local.hour < 12 else 'pm'}"


@lru_cache(maxsize=1024)
def spoken_phone(phone: str) -> str:
    """A number as it is written in its own country; whatever is not a number stays as it is."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def values(focus: Focus) -> dict[str, str]:
    """Everything a text may say about this site and visit. What is unknown is absent, so that rendering refuses it."""
    site, scan = focus.site, focus.scan
    known = {
        "site": site.name,
        "phone": spoken_phone(site.phone),
        "after_hours_phone": spoken_phone(site.after_hours_phone),
        "address": site.address,
        "radiation": site.radiation,
        "results_timing": site.results_timing,
        "terms_url": site.terms_url,
        "count": str(PLANNED_TEXTS),
    }
    if scan is not None:
        zone = ZoneInfo(scan.zone)
        known |= {
            "visit_day": spoken_day(scan.arrival_at, zone),
            "arrival_time": spoken_time(scan.arrival_at, zone),
            "later_time": spoken_time(scan.arrival_at + timedelta(hours=1), zone),
        }
        if scan.tracer in site.prep:
            known["prep"] = site.prep[scan.tracer]
    return known


def word(script: Script, say: Say, language: str, known: dict[str, str], **more: str) -> Text:
    """Render one `say` from what is known; raises RenderError if the text needs a value that is not."""
    have = {**known, **more}
    if say.options:
        have["options"] = "\n".join(f"{n} {TOPIC_NAMES[topic]}" for n, topic in enumerate(say.options, 1))
    wanted = script.texts.entry(say.key, language).fields(say.form)
    return render(script.texts, say.key, language, say.form, {name: have[name] for name in wanted if name in have})


def as_one(texts: list[Text]) -> Text:
    """One text from one or several."""
    return texts[0] if len(texts) == 1 else join(texts)


def priority(key: str) -> Priority:
    """How urgent a reply is, by what it says."""
    if key in _SAFETY:
        return Priority.SAFETY
    return Priority.KEYWORD if key in _KEYWORD else Priority.REPLY


def keep(
    session: Session,
    focus: Focus,
    text: Text,
    script: Script,
    *,
    now: datetime,
    status: str,
    priority: Priority,
    due_at: datetime,
    valid_until: datetime | None = None,
    automated: bool = False,
    logistics: bool = False,
    exempt: bool = False,
    reminder_id: int | None = None,
    inbound_id: int | None = None,
    reason: str = "",
) -> str:
    """Store one text to the person in focus; returns its random ref (128 bits, for the callback URL)."""
    return _insert(
        session,
        text,
        script,
        now,
        clinic_id=focus.clinic_id,
        sender_id=focus.sender.id,
        contact_point_id=focus.contact.id,
        phone=focus.contact.phone,
        scan_id=focus.scan.id if focus.scan else None,
        reminder_id=reminder_id,
        inbound_id=inbound_id,
        priority=int(priority),
        automated=automated,
        logistics=logistics,
        exempt=exempt,
        plan_version=focus.scan.plan_version if focus.scan and automated else None,
        due_at=due_at,
        valid_until=valid_until,
        status=status,
        reason=reason,
    )


def keep_for_staff(session: Session, sender: Sender, phone: str, text: Text, script: Script, *, now: datetime) -> str:
    """Store one text to a site's on-call contact: first in line, bound by no window, about nobody by name."""
    return _insert(
        session,
        text,
        script,
        now,
        clinic_id=sender.clinic_id,
        sender_id=sender.id,
        phone=phone,
        priority=int(Priority.SAFETY),
        automated=False,
        logistics=False,
        exempt=True,
        due_at=now,
        status="queued",
        reason="",
    )


def _insert(session: Session, text: Text, script: Script, now: datetime, **columns: object) -> str:
    ref = secrets.token_hex(16)
    offered = columns["status"] == "offered"
    values = {
        "ref": ref,
        "key": text.key,
        "language": text.language,
        "form": text.form,
        "script": script.digest,
        "body": text.body,
        "body_hash": hashlib.sha256(text.body.encode()).hexdigest(),
        "segments": text.segments,
        "attempts": int(offered),
        "listings": 0,
        "tried_at": now if offered else None,
        "created_at": now,
        "changed_at": now,
        "contact_point_id": None,
        "scan_id": None,
        "reminder_id": None,
        "inbound_id": None,
        "plan_version": None,
        "valid_until": None,
    }
    session.connection().execute(_OUTBOUND, {**values, **columns})
    return ref


# What a topic is called in a choice: said in a general text too, so none of these names may tell what the visit is.
TOPIC_NAMES = {
    "what_is": "What the scan is",
    "vs_ct_bone": "Compared with other scans",
    "accuracy": "How exact it is",
    "when_ordered": "Why it is done",
    "psa_level": "Which blood level it needs",
    "radiation_safety": "Is it safe",
    "prep": "How to get ready",
    "food_drink": "Eating and drinking",
    "medications": "Your medicines",
    "scan_day": "What happens on the day",
    "duration": "How long it takes",
    "hurt": "Does it hurt",
    "around_others": "Being near other people",
    "after_scan": "Afterwards",
    "results_timing": "When you will hear",
    "positive_meaning": "What a finding can mean",
    "negative_meaning": "What a clear scan can mean",
    "false_positive": "Can it be wrong",
    "theranostics": "Does it guide treatment",
    "questions_to_ask": "Questions to ask",
    "location_arrival": "Where and when",
    "reschedule": "Change the visit",
    "running_late": "Running late",
    "contact_human": "A person",
    "about_service": "Who is texting",
    "confirm": "Say that you will come",
    "smalltalk": "Just saying hello",
}
