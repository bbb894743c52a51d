"""Telling a man that his visit moved or is off: one text where it comes in time, else a person phones."""

from collections.abc import Sequence
from datetime import datetime

from flows.journey import Planned, notice
from service import planning
from service.effects import Turn
from service.store.database import ring_after


def tell(turn: Turn, touchpoint: str, old_arrival: datetime, new_arrival: datetime | None) -> None:
    """One text that the visit moved or is off, if he takes our texts; a person phones where no text comes in time."""
    focus, scan = turn.focus, turn.focus.scan
    assert scan is not None
    if focus.patient is not None and focus.patient.stopped:
        return  # we were told that he has died; that task is open, and no text goes to those he left
    if not _takes_texts(turn):
        return
    planned, phone = notice(touchpoint, planning.visit_of(focus), old_arrival, new_arrival, turn.now)
    if planned is not None:
        planning.keep(turn.session, focus.clinic_id, scan, [planned], turn.now)
        ring_after(turn.session, "fire", focus.clinic_id)
    if phone:
        turn.open_task("phone_change", "the visit is too soon for a text in time")


def tell_it_is_off(turn: Turn, *, moved_untold: bool) -> None:
    """One text; but to name a day that he has not heard of would not call off the one he knows: then somebody phones."""
    scan, patient = turn.focus.scan, turn.focus.patient
    assert scan is not None
    if not moved_untold:
        tell(turn, "cancelled", scan.arrival_at, None)
    elif patient is None or not patient.stopped:
        turn.open_task(
            "phone_change", "cancelled before he had heard that it had moved: he may come on the day he knows"
        )


def _takes_texts(turn: Turn) -> bool:
    """Whether a change can be told by text; otherwise somebody phones."""
    focus = turn.focus
    if focus.opted_in and not focus.contact.opted_out_at and not focus.contact.frozen_at:
        return True
    turn.open_task("phone_change", "he does not take our texts")
    return False


def still_to_tell(turn: Turn, untold: Sequence[Planned]) -> None:
    """A notice that a later change of the booking took back before it was said: it is said all the same.

    One that went to a number which has turned out to be another's, or is his no more, has told him nothing: by phone.
    """
    focus, scan = turn.focus, turn.focus.scan
    assert scan is not None
    if focus.patient is not None and focus.patient.stopped:
        return
    if untold and _takes_texts(turn):
        planning.keep(turn.session, focus.clinic_id, scan, [untold[-1]], turn.now)
    elif not untold and planning.moved_elsewhere(turn.session, focus.clinic_id, scan, turn.now):
        turn.open_task("phone_change", "that it moved was texted to the number he had before")
