"""What staff do between the texts, as forms: take over, hold, stop, let go on, and undo what was misunderstood."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from service import care
from service.errors import Invalid
from service.web.access import StaffMember, TheParts

router = APIRouter(prefix="/clinic", include_in_schema=False)
Field = Annotated[str, Form(max_length=500)]


def _held(hold: str) -> bool:
    if hold not in ("yes", "no"):
        raise Invalid("hold", "yes or no")
    return hold == "yes"


@router.post("/hold")
def hold_clinic(request: Request, who: StaffMember, parts: TheParts, hold: Field) -> Response:
    """Hold all texts of the clinic, or let them go on. Safety, STOP and HELP are never held."""
    care.pause_clinic(parts, who.clinic_id, _held(hold), actor=who.actor, now=parts.now())
    return RedirectResponse("/clinic", 303)


@router.post("/scans/{external_id}/hold")
def hold_patient(request: Request, external_id: str, who: StaffMember, parts: TheParts, hold: Field) -> Response:
    """Hold what is planned for him, or let it go on."""
    care.pause(parts, who.clinic_id, external_id, _held(hold), actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/number-is-right")
def number_is_right(request: Request, external_id: str, who: StaffMember, parts: TheParts) -> Response:
    """The number is right after all."""
    care.number_is_right(parts, who.clinic_id, external_id, actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/is-alive")
def is_alive(request: Request, external_id: str, who: StaffMember, parts: TheParts) -> Response:
    """He has not died: texts may go on."""
    care.is_alive(parts, who.clinic_id, external_id, actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/release")
def release(request: Request, external_id: str, who: StaffMember, parts: TheParts) -> Response:
    """After a safety reply: someone has spoken to him, and the ordinary texts may go on."""
    care.release(parts, who.clinic_id, external_id, actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/takeover")
def take_over(request: Request, external_id: str, who: StaffMember, parts: TheParts, hold: Field = "yes") -> Response:
    """A member of staff writes with him: the bot is silent for two hours, safety and STOP excepted, or hands back now."""
    care.take_over(parts, who.clinic_id, external_id, hold == "yes", actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)


@router.post("/scans/{external_id}/stop-texts")
def stop_texts(request: Request, external_id: str, who: StaffMember, parts: TheParts, how: Field = "") -> Response:
    """He told the clinic that he wants no more texts."""
    if not how.strip():
        raise Invalid("how", "say how he asked for it, such as: by phone")
    care.stop_texts(parts, who.clinic_id, external_id, how.strip(), actor=who.actor, now=parts.now())
    return RedirectResponse(f"/clinic/scans/{external_id}", 303)
