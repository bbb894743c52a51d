"""Do what is due in this very process, without a queue: for runs that replay time, and for tests.

The same functions as the workers' jobs, told the moment instead of reading it.
"""

from datetime import datetime

from service import delivery, oncall, recovery, reminders, settlement, tidying
from service.store.work import beat, waiting
from service.wiring import Parts

MOST_ROUNDS = 200  # a round that leaves work behind is followed by another; this many would be a fault of ours


def run_due(parts: Parts, now: datetime) -> int:
    """Work off everything due at `now`, round after round until nothing is left; returns how many rings it took."""
    done = 0
    for _ in range(MOST_ROUNDS):
        with parts.database.cross() as connection:
            rings = waiting(connection, now)
            beat(connection, "ticker", now)
        if not rings:
            return done
        done += sum(_run(parts, bell, now) for bell in rings)
        if all(bell[0] == "settle" for bell in rings):  # they have moments of their own: nothing more to do at this one
            return done
    raise AssertionError(f"work at one moment did not end within {MOST_ROUNDS} rounds")


def _run(parts: Parts, bell: tuple[str, *tuple[int, ...]], now: datetime) -> int:
    match bell:
        case ("fire", clinic_id):
            reminders.fire_due(parts, clinic_id, now)
        case ("send" | "send_now", *ids):
            for clinic_id, sender_id in zip(ids[::2], ids[1::2], strict=True):
                delivery.send_due(parts, clinic_id, sender_id, now)
        case ("settle", clinic_id):
            settlement.settle(parts, clinic_id, now)
        case ("announce", clinic_id):
            oncall.announce_due(parts, clinic_id, now)
        case ("recover", clinic_id, sender_id, _):
            recovery.recover(parts, clinic_id, sender_id, now)
        case ("tidy", clinic_id):
            tidying.tidy(parts, clinic_id, now)
        case _:
            raise AssertionError(f"nobody knows how to do {bell[0]}")
    return 1
