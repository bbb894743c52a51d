"""The kinds of task: what a person must look at, how soon, and in which words staff read it."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class TaskKind:
    """`urgent` tasks notify the on-call contact and repeat until acknowledged; `within` is when it is due."""

    title: str
    within: timedelta
    urgent: bool = False
    operators: bool = False  # for those who run the service rather than the clinic


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

TASKS = {
    "crisis": TaskKind("May be in crisis: call the patient now", timedelta(0), urgent=True),
    "urgent": TaskKind("Wrote of an urgent symptom: call the patient now", timedelta(0), urgent=True),
    "cannot_reach": TaskKind("Safety reply may not have reached him: phone now", timedelta(0), urgent=True),
    "running_late": TaskKind("Says he is running late", timedelta(0), urgent=True),
    "phone_change": TaskKind("The visit changed and no text can tell him: phone now", timedelta(0), urgent=True),
    "unhandled": TaskKind("A text we could not process: read it and answer", timedelta(0), urgent=True),
    "phone_preparation": TaskKind("Phone him the preparation", 4 * _HOUR),
    "ended_early": TaskKind(
        "Marked as over more than a day ahead: if by a slip, book it under a new number", 4 * _HOUR
    ),
    "cancel_or_stop": TaskKind("Texted CANCEL: phone him, he may mean the visit", 4 * _HOUR),
    "reschedule": TaskKind("Wants to change or cancel the visit", 4 * _HOUR),
    "contact_human": TaskKind("Wants to talk to a person", 4 * _HOUR),
    "not_understood": TaskKind("Could not be understood twice: please help", 4 * _HOUR),
    "worry": TaskKind("A text that may be a cry for help: read it, call if in doubt", 4 * _HOUR),
    "question": TaskKind("A question without an approved answer", _DAY),
    "results_due": TaskKind("His results were promised by now: does he have them?", _DAY),
    "check_missed": TaskKind("Not sure of the arrival time: phone him", 4 * _HOUR),
    "wrong_number": TaskKind("Wrong number: find the right one; possible disclosure", _DAY),
    "two_numbers": TaskKind("His visits have different numbers: ask him which is right", 4 * _HOUR),
    "died": TaskKind("Told us that the patient has died: make sure of it", 4 * _HOUR),
    "stranger": TaskKind("A text from a number without a current visit", _DAY),
    "after_stop": TaskKind("Wrote again after opting out", _DAY),
    "loop": TaskKind("Many or identical texts: automatic answers are paused", _DAY),
    "late_text": TaskKind("A text that reached us late: nothing was answered", 4 * _HOUR),
    "paused_text": TaskKind("Wrote while automatic answers were silent: read it and answer", 4 * _HOUR),
    "no_permission": TaskKind("No recorded permission to text: ask and record it", _DAY),
    "not_delivered": TaskKind("A text that matters did not reach him", 4 * _HOUR),
    "uncertain": TaskKind("Cannot tell whether a text was sent", _DAY),
    "cannot_word": TaskKind("A planned text could not be written", _DAY, operators=True),
    "on_call_unreachable": TaskKind(
        "The on-call contact could not be texted: phone them", timedelta(0), operators=True
    ),
    "sender_stopped": TaskKind("The carrier refused a sender: sending from it is paused", timedelta(0), operators=True),
    "unrouted": TaskKind("Texts to a number that belongs to no clinic", _DAY, operators=True),
}
