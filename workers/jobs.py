"""What a ring does. A job carries row ids only, builds its parts once a process, and reads the clock once a turn.

Unknown arguments are taken and ignored, so that a worker of the last version survives a newer caller.
"""

import logging
from functools import lru_cache

from service import delivery, oncall, recovery, reminders, settlement, tidying
from service.settings import settings
from service.wiring import Parts, open_parts

log = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def parts() -> Parts:
    """This process's parts, opened at its first job."""
    return open_parts(settings())


def send(*ids: int) -> None:
    """Send one batch for each (clinic, sender) named; one that fails spoils none of the others, and is rung again."""
    failed: list[Exception] = []
    for clinic_id, sender_id in zip(ids[::2], ids[1::2], strict=False):
        try:
            delivery.send_due(parts(), clinic_id, sender_id, parts().now())
        except Exception as error:
            log.exception("sending failed (clinic %s, sender %s)", clinic_id, sender_id)
            failed.append(error)
    if failed:
        raise failed[0]


def fire(clinic_id: int, *_: object) -> None:
    """Word one clinic's due reminders."""
    reminders.fire_due(parts(), clinic_id, parts().now())


def settle(clinic_id: int, *_: object) -> None:
    """Look up one clinic's texts whose outcome nobody told us."""
    settlement.settle(parts(), clinic_id, parts().now())


def announce(clinic_id: int, *_: object) -> None:
    """Tell one clinic's on-call contacts of urgent tasks nobody has seen."""
    oncall.announce_due(parts(), clinic_id, parts().now())


def recover(clinic_id: int, sender_id: int, at_start: int = 0, *_: object) -> None:
    """Look for one number's texts that never reached us."""
    recovery.recover(parts(), clinic_id, sender_id, parts().now(), anyway=bool(at_start))


def tidy(clinic_id: int, *_: object) -> None:
    """Remove the words of one clinic's old texts."""
    tidying.tidy(parts(), clinic_id, parts().now())
