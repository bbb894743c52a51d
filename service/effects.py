"""Carry out what the engine wished for: every effect becomes rows in the turn's own transaction."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flows.limits import SURE_FOR
from flows.model import (
    ChooseVisit,
    Consent,
    Effect,
    Freeze,
    LayJourney,
    Note,
    OpenTask,
    Resubscribe,
    Say,
    SetLanguage,
    Step,
    StopPlans,
    Suppress,
)
from flows.script import Script
from service import planning, tasks
from service.store import audit
from service.store.about import talk_about
from service.store.facts import Focus
from service.store.focus import focus_on_scan, keep_talk
from service.store.journeys import Scan
from service.store.people import ContactPoint, Patient
from service.store.texts import Outbound

# The question for leave to name the scan, in its three wordings.
ASKING = ("detail_ask", "detail_retry", "offer_detail")


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
            focus.clinic_id,
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
            self.focus.clinic_id,
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
    keep_talk(turn.session, turn.focus, step.conversation)
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
            _consent(turn, kind, given, f"his reply ({text_key})")
        case SetLanguage(language):
            _set_language(turn, language)
        case ChooseVisit(ref):
            _choose_visit(turn, int(ref))
        case LayJourney():
            _lay_his_visits(turn, "he opted in")
        case StopPlans(reason):
            _stop_plans(turn, reason)
        case OpenTask(kind):
            turn.open_task(kind)
        case Note(action):
            _note(turn, action)


def _stop_plans(turn: Turn, reason: str) -> None:
    focus = turn.focus
    if focus.patient is not None:
        focus.patient.stopped = True
        turn.session.execute(
            update(Patient)
            .where(Patient.clinic_id == focus.clinic_id, Patient.id == focus.patient.id)
            .values(stopped_at=turn.now)
        )
    for scan_id in planning.scans_of(turn.session, focus):
        planning.void(turn.session, focus.clinic_id, scan_id, reason, turn.now)
    # No text goes to a phone in mourning; another patient who shares it, and has a visit ahead, is phoned.
    for scan in planning.visits_ahead(turn.session, turn.focus.clinic_id, turn.focus.contact.id, turn.now):
        _phone_about(
            turn, scan, "no texts go to this number, since we were told of a death there; he is another patient"
        )
    turn.audit("plans_stopped", reason=reason)


def _phone_about(turn: Turn, scan: Scan, why: str) -> None:
    """The preparation for one visit is to be said by phone."""
    tasks.open_task(
        turn.session,
        turn.focus.clinic_id,
        "phone_preparation",
        now=turn.now,
        why=why,
        contact_point_id=scan.contact_point_id,
        patient_id=scan.patient_id,
        scan_id=scan.id,
        site_id=scan.site_id,
        inbound_id=turn.inbound_id,
    )


def _set_language(turn: Turn, language: str) -> None:
    patient = turn.focus.patient
    if patient is not None:
        changed, patient.language = patient.language != language, language
        turn.session.execute(
            update(Patient)
            .where(Patient.clinic_id == turn.focus.clinic_id, Patient.id == patient.id)
            .values(language=language, language_chosen=True)
        )
        if changed:
            planning.word_anew(turn.session, turn.focus.clinic_id, patient.id, "his language changed", turn.now)
    turn.audit("language", language=language)


def _choose_visit(turn: Turn, scan_id: int) -> None:
    """What is said next is about that visit, and what he asks in the next day too."""
    focus = turn.focus
    other = focus_on_scan(turn.session, focus.clinic_id, scan_id)
    focus.scan, focus.patient, focus.site = other.scan, other.patient, other.site
    focus.opted_in, focus.detail = other.opted_in, other.detail
    talk_about(turn.session, focus, turn.now + SURE_FOR)


def _note(turn: Turn, action: str) -> None:
    if action == "confirmed" and turn.focus.scan is not None:
        turn.session.execute(
            update(Scan)
            .where(Scan.clinic_id == turn.focus.clinic_id, Scan.id == turn.focus.scan.id)
            .values(confirmed_at=turn.now)
        )
    turn.audit(action)


def _consent(turn: Turn, kind: str, given: bool, how: str, obtained_by: str = "patient") -> None:
    """A line in the ledger; where he answered himself, with the hash of the very text that was on his phone then."""
    focus = turn.focus
    audit.consent(
        turn.session,
        focus.clinic_id,
        contact_point_id=focus.contact.id,
        patient_id=focus.patient.id if focus.patient else None,
        kind=kind,
        given=given,
        obtained_by=obtained_by,
        how=how,
        at=turn.now,
        text_hash=_on_his_phone(turn) if obtained_by == "patient" else None,
    )
    if kind == "texts":
        focus.opted_in = given
    elif kind == "detail":
        focus.detail = given


def _on_his_phone(turn: Turn) -> str | None:
    """The hash of the last text that he was sent."""
    return turn.session.scalar(
        select(Outbound.body_hash)
        .where(Outbound.clinic_id == turn.focus.clinic_id, Outbound.contact_point_id == turn.focus.contact.id)
        .where(Outbound.status != "refused")
        .order_by(Outbound.id.desc())
        .limit(1)
    )


def was_asked(turn: Turn) -> bool:
    """Whether the question for leave to name the scan came to his phone: "1" twice may be twice the answer to the one before.

    An answer to a webhook that the carrier gave up on was never said.
    """
    focus = turn.focus
    status = turn.session.scalar(
        select(Outbound.status)
        .where(Outbound.clinic_id == focus.clinic_id, Outbound.contact_point_id == focus.contact.id)
        .where(Outbound.key.in_(ASKING))
        .order_by(Outbound.id.desc())
        .limit(1)
    )
    return status in planning.ARRIVED


def suppress(turn: Turn, how: str, obtained_by: str = "patient") -> None:
    """No more texts to this number. Repeating it keeps the first moment; each wish is still a line in the ledger."""
    if turn.focus.contact.opted_out_at is None:
        turn.focus.contact.opted_out_at = turn.now
        _set_contact(turn, opted_out_at=turn.now, opted_out_how=how)
        _phone_instead(turn, "he opted out of texts")
    _consent(turn, "opt_out", True, how, obtained_by)


def _resubscribe(turn: Turn) -> None:
    turn.focus.contact.opted_out_at = None
    _set_contact(turn, opted_out_at=None, opted_out_how=None)
    _consent(turn, "opt_in", True, "START")
    if turn.focus.opted_in:
        _lay_his_visits(turn, "he texted START: only what is still to come")
    elif turn.focus.scan is not None:
        planning.lay(
            turn.session, turn.focus, turn.now, why="he texted START: ask him whether it is his", ask_anew=True
        )


def _lay_his_visits(turn: Turn, why: str) -> None:
    """One yes is for every visit at this number of a patient who agreed."""
    focus = turn.focus
    if focus.scan is not None:
        planning.lay(turn.session, focus, turn.now, why=why)
    for scan_id in planning.scans_of(turn.session, focus):
        if focus.scan is None or scan_id != focus.scan.id:
            other = focus_on_scan(turn.session, focus.clinic_id, scan_id)
            if other.opted_in:
                planning.lay(turn.session, other, turn.now, why=why)


def _freeze(turn: Turn) -> None:
    if turn.focus.contact.frozen_at is None:
        turn.focus.contact.frozen_at = turn.now
        _set_contact(turn, frozen_at=turn.now, frozen_why="he said that the number is wrong")
        _phone_instead(turn, "the number is wrong: find the right one")
    turn.audit("frozen", possible_disclosure=True)


def _set_contact(turn: Turn, **values: object) -> None:
    focus = turn.focus
    turn.session.execute(
        update(ContactPoint)
        .where(ContactPoint.clinic_id == focus.clinic_id, ContactPoint.id == focus.contact.id)
        .values(**values)
    )


def _phone_instead(turn: Turn, why: str) -> None:
    """Whoever will not be texted is never silent: someone phones about each visit ahead that is not yet prepared."""
    for scan in planning.visits_ahead(turn.session, turn.focus.clinic_id, turn.focus.contact.id, turn.now):
        if not planning.preparation_arrived(turn.session, turn.focus.clinic_id, scan):
            _phone_about(turn, scan, why)
