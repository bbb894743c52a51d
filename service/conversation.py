"""One inbound text, from the verified form to the TwiML that answers it, in one transaction (DESIGN 2.4).

The text is stored first, unique on its MessageSid; a retried webhook gets the stored answer again. The turn itself runs
in a savepoint: if our own code raises, the text stays, the exact stop and safety rules alone are applied, the approved
fallback is answered and a task is raised. A STOP or a cry for help is never lost to a bug.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from flows.engine import safety_step, step
from flows.gate import Action, Attempt, Priority, gate
from flows.model import Decision, Safety, Say, Standing, Step, TextReceived
from flows.router import Context, route
from flows.safety import safety
from service import keys, wording
from service.effects import Turn, apply
from service.store.focus import Focus, contact_point, focus_on_contact, focus_on_text
from service.store.people import Clinic
from service.store.texts import Inbound
from service.wiring import Parts

log = logging.getLogger(__name__)

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
REPLY_USEFUL = timedelta(minutes=15)  # an ordinary reply that did not arrive is stale after this
Router = Callable[[str, Context], Decision]


@dataclass(frozen=True)
class Arrived:
    """One text as the carrier handed it over, already proved to be the carrier's."""

    message_sid: str
    phone: str
    body: str
    media: int = 0
    opt_out_type: str = ""


def receive(
    parts: Parts, clinic_id: int, sender_id: int, arrived: Arrived, now: datetime, *, router: Router = route
) -> str:
    """Store the text, decide, and return the TwiML to answer with. The same MessageSid gets the same answer."""
    with parts.database.clinic(clinic_id) as session:
        inbound = _insert(session, clinic_id, sender_id, arrived, now)
        if inbound is None:
            return _stored_answer(session, clinic_id, arrived.message_sid)
        phone_hash = keys.phone_hash(parts.phone_key, arrived.phone)
        focus = _focus(parts, session, inbound, phone_hash, now)
        inbound.contact_point_id = focus.contact.id
        turn = Turn(session, focus, parts.script, now, inbound.id)
        try:
            with session.begin_nested():
                answer, status = _turn(parts, turn, inbound, router), "answered"
        except Exception:
            log.exception("a turn failed; exact rules and the fallback answer instead (inbound %s)", inbound.id)
            answer, status = _fallback(parts, session, inbound, phone_hash, now), "unhandled"
        inbound.answer, inbound.status = answer, status
        return answer


def _insert(session: Session, clinic_id: int, sender_id: int, arrived: Arrived, now: datetime) -> Inbound | None:
    """The new row, or None where this MessageSid is already stored (waiting for the twin that is storing it now)."""
    # PostgreSQL's text cannot hold NUL; everything else is kept as it came.
    body = arrived.body.replace("\x00", "\ufffd")[:1600]
    return session.execute(
        insert(Inbound)
        .values(
            clinic_id=clinic_id,
            message_sid=arrived.message_sid,
            sender_id=sender_id,
            phone=arrived.phone,
            body=body,
            media=arrived.media,
            opt_out_type=arrived.opt_out_type,
            received_at=now,
            status="received",
        )
        .on_conflict_do_nothing(index_elements=["clinic_id", "message_sid"])
        .returning(Inbound)
    ).scalar_one_or_none()


def _stored_answer(session: Session, clinic_id: int, message_sid: str) -> str:
    answer = session.scalars(
        select(Inbound.answer).where(Inbound.clinic_id == clinic_id, Inbound.message_sid == message_sid)
    ).one()
    return answer or EMPTY


def _focus(parts: Parts, session: Session, inbound: Inbound, phone_hash: str, now: datetime) -> Focus:
    focus = focus_on_text(session, inbound, phone_hash, now)
    if focus is None:
        script = parts.script
        contact_point(
            session, inbound.clinic_id, inbound.phone, phone_hash, script=script.digest, start=script.start, now=now
        )
        focus = focus_on_text(session, inbound, phone_hash, now)
        assert focus is not None, "the contact point was just made"
    return focus


def _turn(parts: Parts, turn: Turn, inbound: Inbound, router: Router) -> str:
    """Route, step, write; returns the TwiML."""
    focus, now = turn.focus, turn.now
    talk = focus.talk(now)
    decision = router(inbound.body, Context(talk.language))
    inbound.decision = {
        "tier": decision.tier,
        "topics": list(decision.topics),
        "safety": sorted(kind.value for kind in decision.safety),
    }
    event = TextReceived(
        body=inbound.body,
        decision=decision,
        opt_out_type=inbound.opt_out_type,
        media=inbound.media > 0,
        recent_texts=focus.recent_texts,
        identical_texts=focus.identical_texts,
    )
    says = apply(turn, step(parts.script, talk, event))
    focus.conversation.last_inbound_at = now
    return _answer(parts, turn, says)


def _answer(parts: Parts, turn: Turn, says: list[Say]) -> str:
    """Word each reply, pass it through the gate, keep it as `offered`, and put it into the TwiML."""
    focus, messages = turn.focus, []
    known = wording.values(focus)
    paused = any(wording.priority(say.key) is Priority.REPLY for say in says) and is_paused(turn.session, focus.clinic)
    for say in says:
        priority = wording.priority(say.key)
        text = wording.word(parts.script, say, focus.talk(turn.now).language, known)
        verdict = gate(Attempt(priority=priority, sender_live=focus.sender.live, paused=paused), turn.now)
        sent = verdict.action is Action.SEND
        ref = wording.keep(
            turn.session,
            focus,
            text,
            parts.script,
            now=turn.now,
            status="offered" if sent else "refused",
            reason=verdict.reason,
            priority=priority,
            due_at=turn.now,
            valid_until=None if priority is Priority.SAFETY else turn.now + REPLY_USEFUL,
            inbound_id=turn.inbound_id,
        )
        if sent:
            messages.append((text.body, status_url(parts, focus.clinic.id, ref)))
        else:
            turn.open_task("paused_text", "sending is paused")
    return twiml(messages)


def is_paused(session: Session, clinic: Clinic) -> bool:
    """Whether staff of this clinic, or operators for everyone, hold ordinary texts."""
    if clinic.paused_at is not None:
        return True
    return session.execute(sql("select value from switches where name = 'pause'")).scalar() == "on"


def status_url(parts: Parts, clinic_id: int, ref: str) -> str:
    """Where the carrier reports on one text, and how often it tries again when we are away."""
    return f"{parts.settings.public_url.rstrip('/')}/twilio/status/{clinic_id}/{ref}#rc=5&rp=all"


def twiml(messages: list[tuple[str, str]]) -> str:
    """The answer to a webhook: one `<Message>` a text, each with the absolute address of its receipts."""
    if not messages:
        return EMPTY
    body = "".join(
        f"<Message statusCallback={quoteattr(url)}><Body>{escape(words)}</Body></Message>" for words, url in messages
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'


def _fallback(parts: Parts, session: Session, inbound: Inbound, phone_hash: str, now: datetime) -> str:
    """After a failed turn: exact rules only, on rows loaded afresh; every part of it as simple as can be."""
    session.expire_all()
    found = focus_on_text(session, inbound, phone_hash, now)
    assert found is not None, "the contact point was stored before the savepoint"
    focus = focus_on_contact(session, inbound.clinic_id, found.contact.id, inbound.sender_id)
    turn = Turn(session, focus, parts.script, now, inbound.id)
    talk = replace(focus.talk(now), detail=False)
    exact = safety(inbound.body) - {Safety.RESULTS}
    says = []
    safe = safety_step(talk, inbound.body, exact, inbound.opt_out_type)
    if safe:
        says = apply(turn, Step(replace(safe.conversation, detail=focus.detail), safe.effects))
    elif focus.standing(now) in (Standing.PATIENT, Standing.STRANGER):
        says = [Say("fallback", "general")]
    turn.open_task("unhandled", "our own code failed on this text")
    focus.conversation.last_inbound_at = now
    return _answer(parts, turn, says)
