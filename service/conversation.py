"""One inbound text, from the verified form to the TwiML that answers it, in one transaction (DESIGN 2.4).

The text is stored first, unique on its MessageSid; a retried webhook gets the stored answer again. If our own code
raises, the transaction is undone and a second one stores the text, applies the exact stop and safety rules alone, answers
the approved fallback and raises a task. A STOP or a cry for help is never lost to a bug (DECISIONS, D-13: why not a
savepoint).
"""

import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from flows.engine import is_exact, late_step, step
from flows.first import safety_step
from flows.gate import Action, Attempt, Priority, gate
from flows.model import Consent, Decision, Safety, Say, Standing, Step, TextReceived
from flows.router import Context, route
from flows.safety import safety
from flows.silence import in_a_loop, to_a_machine, unheard
from flows.words import plain
from messages.render import Text
from service import guide_links, keys, wording
from service.effects import Turn, apply, was_asked
from service.errors import NotFound
from service.invitations import heed_the_invitation
from service.late import why_late
from service.store.contacts import contact_point
from service.store.database import ring_after
from service.store.facts import Focus
from service.store.focus import focus_on_text
from service.store.people import ContactPoint
from service.store.texts import Inbound, Outbound
from service.twiml import EMPTY, status_url, twiml
from service.wiring import Parts

log = logging.getLogger(__name__)

DEADLOCK = "40P01"
UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
Router = Callable[[str, Context], Decision]


@dataclass(frozen=True)
class Arrived:
    """One text as the carrier handed it over, already proved to be the carrier's."""

    message_sid: str
    phone: str
    to: str  # our number
    body: str
    media: int = 0
    opt_out_type: str = ""
    sent_at: datetime | None = None  # when the carrier took it, where that is known
    listed: bool = False  # found in the carrier's list: nobody waits for TwiML, what is said goes through the outbox


def receive(
    parts: Parts, clinic_id: int, sender_id: int, arrived: Arrived, now: datetime, *, router: Router = route
) -> str:
    """Store the text, decide, and return the TwiML to answer with. The same MessageSid gets the same answer.

    Raises NotFound if `arrived.to` is not this clinic's number (any more).
    """
    # PostgreSQL's text can hold neither NUL nor half an emoji; everything else is kept as it came.
    arrived = replace(arrived, body=UNSTORABLE.sub("\ufffd", arrived.body)[:1600])
    try:
        return _transaction(parts, clinic_id, sender_id, arrived, now, router)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == DEADLOCK:  # undone for another's sake: once more
            return _transaction(parts, clinic_id, sender_id, arrived, now, router)
        if error.connection_invalidated or isinstance(error, OperationalError):
            raise  # the database is away: nothing can be kept, and the carrier is told to try again
        log.exception("a turn failed on a statement; exact rules and the fallback answer instead")
    except (PoolTimeout, NotFound):
        raise
    except Exception:
        log.exception("a turn failed; exact rules and the fallback answer instead")
    return _transaction(parts, clinic_id, sender_id, arrived, now, None)


def _transaction(
    parts: Parts, clinic_id: int, sender_id: int, arrived: Arrived, now: datetime, router: Router | None
) -> str:
    """One whole turn, all or nothing; without a router, the exact rules and the fallback only."""
    with parts.database.clinic(clinic_id) as session:
        phone_hash = keys.phone_hash(parts.phone_key, arrived.phone)
        inbound_id = _insert(session, clinic_id, sender_id, phone_hash, arrived, now)
        if inbound_id is None:
            return _stored_answer(parts, session, clinic_id, arrived.message_sid)
        focus = _focus(parts, session, clinic_id, sender_id, inbound_id, phone_hash, arrived, now)
        heed_the_invitation(session, focus, now)
        turn = Turn(session, focus, parts.scripts.of(focus.script), now, inbound_id)
        decision = _decide(turn, arrived.body, router) if router else None
        if why := why_late(turn, arrived.sent_at):
            status, answer = "late", _late(parts, turn, arrived, decision, why)
        elif decision is None:
            status, answer = "unhandled", _fallback(parts, turn, arrived)
        else:
            status, answer = "answered", _turn(parts, turn, arrived, decision)
        _finish(session, turn, status, decision, answer)
        return answer


# Stored only if the number texted is this clinic's still: callers may remember which clinic a number belongs to. His phone
# is locked first: who waits for the turn before must read everything as it is after that.
_INSERT = text("""
    with held as (select id from contact_points where clinic_id = :clinic and phone_hash = :phone_hash for update)
    insert into inbound
      (clinic_id, message_sid, sender_id, phone, body, media, opt_out_type, received_at, status, contact_point_id)
    select :clinic, :sid, s.id, :phone, :body, :media, :opt_out_type, :now, 'received', (select id from held)
    from senders s where s.clinic_id = :clinic and s.id = :sender and s.phone = :to
    on conflict (clinic_id, message_sid) do nothing returning id
""")
_FINISH = text("""
    update inbound set status = :status, decision = cast(:decision as jsonb), answer = :answer, contact_point_id = :contact
    where clinic_id = :clinic and id = :id
""")


def _insert(
    session: Session, clinic_id: int, sender_id: int, phone_hash: str, arrived: Arrived, now: datetime
) -> int | None:
    """The new row's id, or None where this MessageSid is already stored (after waiting for the twin that stores it now)."""
    values = {"clinic": clinic_id, "sid": arrived.message_sid, "sender": sender_id, "phone": arrived.phone,
              "phone_hash": phone_hash, "to": arrived.to, "body": arrived.body, "media": arrived.media,
              "opt_out_type": arrived.opt_out_type, "now": min(arrived.sent_at or now, now)}  # fmt: skip
    found: int | None = session.connection().execute(_INSERT, values).scalar_one_or_none()
    return found


def _finish(session: Session, turn: Turn, status: str, decision: Decision | None, answer: str) -> None:
    made = decision and {
        "tier": decision.tier,
        "topics": list(decision.topics),
        "safety": sorted(kind.value for kind in decision.safety),
        "caution": list(decision.caution),
    }
    values = {"clinic": turn.focus.clinic_id, "id": turn.inbound_id, "contact": turn.focus.contact.id,
              "status": status, "answer": answer, "decision": json.dumps(made) if made else None}  # fmt: skip
    session.connection().execute(_FINISH, values)


def _stored_answer(parts: Parts, session: Session, clinic_id: int, message_sid: str) -> str:
    """The same answer again; of one that he has stopped since, or whose number is wrong, only what the gate lets pass."""
    row = session.execute(
        select(Inbound.id, Inbound.answer, ContactPoint.opted_out_at, ContactPoint.frozen_at)
        .outerjoin(
            ContactPoint,
            (ContactPoint.clinic_id == Inbound.clinic_id) & (ContactPoint.id == Inbound.contact_point_id),
        )
        .where(Inbound.clinic_id == clinic_id, Inbound.message_sid == message_sid)
    ).one_or_none()
    if row is None:
        raise NotFound("this number is not the clinic's any more")
    if row.opted_out_at is None and row.frozen_at is None:
        return row.answer or EMPTY
    said = session.execute(
        select(Outbound.body, Outbound.ref)
        .where(Outbound.clinic_id == clinic_id, Outbound.inbound_id == row.id, Outbound.status != "refused")
        .where(Outbound.priority <= Priority.KEYWORD)
        .order_by(Outbound.id)
    )
    return twiml([(words, status_url(parts.settings, clinic_id, ref)) for words, ref in said])


def _focus(
    parts: Parts, session: Session, clinic_id: int, sender_id: int, inbound_id: int, phone_hash: str, arrived: Arrived,
    now: datetime,
) -> Focus:  # fmt: skip
    """The focus of the phone that wrote; a number never met gets its contact point now."""

    def load() -> Focus | None:
        return focus_on_text(
            session, clinic_id, sender_id=sender_id, inbound_id=inbound_id, body=arrived.body, phone_hash=phone_hash,
            now=now,
        )  # fmt: skip

    focus = load()
    if focus is None:
        script = parts.script
        contact_point(session, clinic_id, arrived.phone, phone_hash, script=script.digest, start=script.start, now=now)
        focus = load()
        assert focus is not None, "the contact point was just made"
    return focus


def _decide(turn: Turn, body: str, router: Router) -> Decision:
    """What the router makes of it; to the letter an answer or a command needs no router, the rules on safety aside."""
    talk = turn.focus.talk(turn.now)
    if is_exact(turn.script, talk, plain(body)):
        found = safety(body)
        return Decision("safety" if found else "exact", safety=found)
    return router(body, Context(talk.language))


def _turn(parts: Parts, turn: Turn, arrived: Arrived, decision: Decision) -> str:
    """Step, write; returns the TwiML."""
    talk = turn.focus.talk(turn.now)
    stepped = step(turn.script, talk, _event(turn.focus, arrived, decision))
    if _silent(turn):
        stepped = unheard(talk, stepped)
    elif _grants_detail(stepped) and not was_asked(turn):
        stepped = Step(talk, (Say(turn.script.states[talk.state].asks, talk.form),))
    return _answer(parts, turn, apply(turn, stepped), by_outbox=arrived.listed)


def _grants_detail(stepped: Step) -> bool:
    return any(isinstance(e, Consent) and e.kind == "detail" and e.given for e in stepped.effects)


def _silent(turn: Turn) -> bool:
    """Whether only safety, STOP and HELP are answered now."""
    return turn.focus.paused or turn.focus.taken_over(turn.now)


def _event(focus: Focus, arrived: Arrived, decision: Decision) -> TextReceived:
    return TextReceived(
        body=arrived.body,
        decision=decision,
        opt_out_type=arrived.opt_out_type,
        media=arrived.media > 0,
        recent_texts=focus.recent_texts,
        identical_texts=focus.identical_texts,
    )


def _late(parts: Parts, turn: Turn, arrived: Arrived, decision: Decision | None, why: str) -> str:
    """Safety and suppression take effect, staff get the text; without a decision, by the exact rules alone."""
    made = decision or Decision("unknown", (), safety(arrived.body) - {Safety.RESULTS})
    talk = turn.focus.talk(turn.now)
    stepped = late_step(
        turn.script, talk if decision else replace(talk, detail=False), _event(turn.focus, arrived, made)
    )
    turn.open_task("late_text", why)
    return _answer(parts, turn, apply(turn, stepped), by_outbox=True)


def _answer(parts: Parts, turn: Turn, says: list[Say], *, by_outbox: bool) -> str:
    """Word each reply, pass it through the gate, keep it as `offered`, and put it into the TwiML; or put it in the outbox."""
    focus, messages = turn.focus, list[tuple[str, str]]()
    paused = _silent(turn)
    for say in says:
        priority = wording.priority(say.key)
        worded = _word(parts, turn, say)
        verdict = gate(Attempt(priority=priority, sender_live=focus.sender.live, paused=paused), turn.now)
        sent = verdict.action is Action.SEND
        ref = wording.keep(
            turn.session,
            focus,
            worded,
            turn.script,
            now=turn.now,
            status=("queued" if by_outbox else "offered") if sent else "refused",
            reason=wording.why_refused(focus, verdict.reason),
            priority=priority,
            due_at=turn.now,
            valid_until=None if priority is Priority.SAFETY else turn.now + wording.useful_for(say.key),
            inbound_id=turn.inbound_id,
        )
        if sent and by_outbox:
            job = "send_now" if priority is Priority.SAFETY else "send"
            ring_after(turn.session, job, focus.clinic_id, focus.sender.id)
        elif sent:
            messages.append((worded.body, status_url(parts.settings, focus.clinic_id, ref)))
        else:
            turn.open_task("paused_text", wording.why_refused(focus, verdict.reason))
    return twiml(messages)


def _word(parts: Parts, turn: Turn, say: Say) -> Text:
    focus, script = turn.focus, turn.script
    language = say.language or focus.language
    known = wording.values(focus, script, language)
    if "guide_url" in script.texts.entry(say.key, language).fields(say.form):
        known["guide_url"] = guide_links.mint(turn.session, focus, parts.settings.public_url, turn.now)
    return wording.word(script, say, language, known)


def _fallback(parts: Parts, turn: Turn, arrived: Arrived) -> str:
    """After a failed turn: exact rules only, on facts loaded afresh; every part of it as simple as can be."""
    focus, now = turn.focus, turn.now
    talk = replace(focus.talk(now), detail=False)
    safe = safety_step(talk, arrived.body, safety(arrived.body) - {Safety.RESULTS}, arrived.opt_out_type)
    says = apply(turn, to_a_machine(safe, focus.identical_texts)) if safe else []
    speak = focus.standing(now) in (Standing.PATIENT, Standing.STRANGER)
    if speak and not safe and not in_a_loop(focus.recent_texts, focus.identical_texts):
        says = [Say("fallback", "general")]
    turn.open_task("unhandled", "our own code failed on this text")
    return _answer(parts, turn, says, by_outbox=arrived.listed)
