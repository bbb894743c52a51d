"""From a decision to words: the values a text may use, as the clinic gave them, rendered strictly and kept as a row."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from flows import limits
from flows.gate import REASONS, Priority
from flows.model import Say
from flows.script import Script
from flows.which import MOST
from messages.render import Text, join, render
from messages.speech import spoken_day, spoken_phone, spoken_short, spoken_time
from service.store.facts import Focus, SiteWords
from service.store.people import Sender
from service.store.texts import Outbound, Task

_OUTBOUND = insert(Outbound)
PLANNED_TEXTS = 12  # what the invitation promises: every touchpoint, the welcome and its question

_SAFETY = frozenset({"crisis", "urgent", "caution_crisis", "caution_urgent", "fallback", "on_call"})
_KEYWORD = frozenset({"stopped", "stopped_cancel", "help", "declined", "condolence"})


# What a site may leave unsaid, or has not said in this language: an approved text stands in and points to the phone.
MAY_BE_UNSET = ("prep", "food_drink", "radiation", "results_timing", "arrival_note")


def values(focus: Focus, script: Script, language: str) -> dict[str, str]:
    """Everything a text may say about this site and visit, in `language`."""
    site, scan = focus.site, focus.scan
    known = {
        "site": site.name,
        "phone": spoken_phone(site.phone),
        "after_hours_phone": spoken_phone(site.after_hours_phone),
        "address": site.address,
        "terms_url": site.terms_url,
        "count": str(PLANNED_TEXTS),
    }
    if scan is not None:
        zone = ZoneInfo(scan.zone)
        arrival, later = scan.arrival_at.astimezone(zone), (scan.arrival_at + timedelta(hours=1)).astimezone(zone)
        known |= {
            "visit_day": spoken_day(arrival, language),
            "arrival_time": spoken_time(arrival, language),
            "later_time": spoken_time(later, language),
        }
    if focus.visits:
        lines = [spoken_short(v.arrival_at.astimezone(ZoneInfo(v.zone)), language) for v in focus.visits[:MOST]]
        known["visits"] = "\n".join(f"{n} {line}" for n, line in enumerate(lines, 1))
    said = site_words(site, scan.tracer if scan else "", language)
    for name in MAY_BE_UNSET:
        known[name] = said.get(name) or _unset(script, name, language, known["phone"])
    return known


def site_words(site: SiteWords, tracer: str, language: str) -> dict[str, str]:
    """What the site itself says in `language`, by field; absent where it has said nothing."""
    if language == "en":
        said = {name: getattr(site, name) for name in MAY_BE_UNSET}
    else:
        said = dict(site.translations.get(language, {}))
    prep = said.get("prep") or {}
    return {**said, "prep": prep.get(tracer, "")}


def _unset(script: Script, name: str, language: str, phone: str) -> str:
    entry = script.texts.entry(f"unset_{name}", language)
    return entry.bodies["general"].format_map({"phone": phone})


def word(script: Script, say: Say, language: str, known: Mapping[str, str], **more: str) -> Text:
    """Render one `say` from what is known; raises RenderError if the text needs a value that is not."""
    have = {**known, **more}
    if say.options:
        names = [script.texts.entry(f"name_{topic}", language).bodies["general"] for topic in say.options]
        have["options"] = "\n".join(f"{n} {name}" for n, name in enumerate(names, 1))
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


def useful_for(key: str) -> timedelta:
    """How long a reply that did not arrive is worth sending again."""
    return limits.CONFIRM_STOP_WITHIN if key in ("stopped", "stopped_cancel") else limits.REPLY_USEFUL


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
        # Without a recorded permission no plan was laid, and what is said is of the visit as it is all the same.
        plan_version=max(focus.scan.plan_version, focus.scan.arrival_version) if focus.scan else None,
        due_at=due_at,
        valid_until=valid_until,
        status=status,
        reason=reason,
    )


def keep_for_staff(
    session: Session, sender: Sender, phone: str, text: Text, script: Script, task: Task, *, now: datetime
) -> str:
    """Store one text to a site's on-call contact: first in line, bound by no window, about nobody by name.

    It is of use until the task is announced again: hours of a busy carrier must not end in a heap of the same words.
    """
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
        task_id=task.id,
        due_at=now,
        valid_until=task.announce_at,
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
        "task_id": None,
        "plan_version": None,
        "valid_until": None,
    }
    session.connection().execute(_OUTBOUND, {**values, **columns})
    return ref


def why_refused(focus: Focus, reason: str) -> str:
    """Why a reply is not sent, as staff read it: "paused" is what the gate calls a take-over as well."""
    if reason == "paused" and not focus.paused:
        return "a member of staff was writing with him"
    return REASONS.get(reason, "")
