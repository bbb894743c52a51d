"""Carry out what the engine wished for: every effect becomes rows in the turn's own transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from flows.model import (
    Consent,
    Effect,
    Freeze,
    LayJourney,
    Note,
    OpenTask,
    Resubscribe,
    Say,
    Step,
    StopPlans,
    Suppress,
)
from flows.script import Script
from service import planning, tasks
from service.store import audit
from service.store.focus import Focus


@dataclass(frozen=True)
class Turn:
    """Whose turn it is and when; `inbound_id` is the text that caused it, if one did."""

    session: Session
    focus: Focus
    script: Script
    now: datetime
    inbound_id: int | None = None

    def open_task(self, kind: str, why: str = "") -> None:
        """Open a task about the person in focus."""
        focus = self.focus
        tasks.open_task(
            self.session,
            focus.clinic.id,
            kind,
            now=self.now,
            why=why,
            contact_point_id=focus.contact.id,
            patient_id=focus.patient.id if focus.patient else None,
            scan_id=focus.scan.id if focus.scan else None,
            site_id=focus.site.id,
            inbound_id=self.inbound_id,
        )

    def audit(self, action: str, **detail: object) -> None:
        """Append a line about the contact point in focus."""
        audit.record(
            self.session,
            self.focus.clinic.id,
            at=self.now,
            actor="patient" if self.inbound_id else "system",
            action=action,
            subject="contact_point",
            subject_id=self.focus.contact.id,
            **detail,
        )


def apply(turn: Turn, step: Step) -> list[Say]:
    """Store the step: the conversation, then each effect in order. Returns what is to be said."""
    says: list[Say] = []
    for effect in step.effects:
        if isinstance(effect, Say):
            says.append(effect)
        else:
            _apply(turn, effect)
    turn.focus.keep(step.conversation)
    return says


def _apply(turn: Turn, effect: Effect) -> None:
    match effect:
        case Suppress(how):
            suppress(turn, how)
        case Resubscribe():
            _resubscribe(turn)
        case Freeze():
            _freeze(turn)
        case Consent(kind, given, text_key):
            _consent(turn, kind, given, f"replied to {text_key}")
        case LayJourney():
            planning.lay(turn.session, turn.focus, turn.now, why="he opted in")
        case StopPlans(reason):
            for scan_id in planning.scans_of(turn.session, turn.focus):
                planning.void(turn.session, turn.focus.clinic.id, scan_id, reason, turn.now)
            turn.audit("plans_stopped", reason=reason)
        case OpenTask(kind):
            turn.open_task(kind)
        case Note(action):
            _note(turn, action)


def _note(turn: Turn, action: str) -> None:
    if action == "confirmed" and turn.focus.scan is not None:
        turn.focus.scan.confirmed_at = turn.now
    turn.audit(action)


def _consent(turn: Turn, kind: str, given: bool, how: str) -> None:
    focus = turn.focus
    audit.consent(
        turn.session,
        focus.clinic.id,
        contact_point_id=focus.contact.id,
        patient_id=focus.patient.id if focus.patient else None,
        kind=kind,
        given=given,
        obtained_by="patient",
        how=how,
        at=turn.now,
        text_hash=turn.script.digest,
    )
    if kind == "texts":
        focus.opted_in = given
    elif kind == "detail":
        focus.detail = given


def suppress(turn: Turn, how: str) -> None:
    """No more texts to this number. Repeating it keeps the first moment; each wish is still a line in the ledger."""
    contact = turn.focus.contact
    if contact.opted_out_at is None:
        contact.opted_out_at, contact.opted_out_how = turn.now, how
        _phone_instead(turn, "he opted out of texts")
    _consent(turn, "opt_out", True, how)


def _resubscribe(turn: Turn) -> None:
    contact = turn.focus.contact
    contact.opted_out_at, contact.opted_out_how = None, None
    _consent(turn, "opt_in", True, "START")
    if turn.focus.opted_in:
        planning.lay(turn.session, turn.focus, turn.now, why="he texted START: only what is still to come")


def _freeze(turn: Turn) -> None:
    contact = turn.focus.contact
    if contact.frozen_at is None:
        contact.frozen_at, contact.frozen_why = turn.now, "he said that the number is wrong"
        _phone_instead(turn, "the number is wrong: find the right one")
    turn.audit("frozen", possible_disclosure=True)


def _phone_instead(turn: Turn, why: str) -> None:
    """The man who will not be texted is never silent: someone phones him, if a visit is still ahead."""
    scan = turn.focus.scan
    if scan is not None and scan.state == "booked" and scan.arrival_at > turn.now:
        turn.open_task("phone_preparation", why)
