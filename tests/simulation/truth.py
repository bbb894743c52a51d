"""What is so, as the story knows it: who stopped, whose number is wrong, where each scan stands. Kept beside the service."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class PhoneTruth:
    """One phone at one clinic."""

    stopped_at: datetime | None = None
    confirmed: bool = False  # this opt-out has had its one confirmation
    confirmed_by: tuple[int, int] = (0, 0)  # clinic and row of it
    wrong_at: datetime | None = None
    died_at: datetime | None = None
    condolences: int = 0
    starts: int = 0  # how often he asked for texts again
    started_at: datetime | None = None  # when he did last
    heard_at: datetime | None = None

    def mourns(self, booked_at: datetime | None) -> bool:
        """Whether we were told of a death here since a visit was booked, and nobody has asked for texts again since."""
        if self.died_at is None or booked_at is None or booked_at > self.died_at:
            return False
        return self.started_at is None or self.started_at <= self.died_at


@dataclass
class ScanTruth:
    """One scan. `epoch` counts the arrivals (and tracers) it had; `arrivals` are (moment, site) of all of them."""

    external_id: str
    patient: str
    phone: str
    state: str
    arrival_at: datetime
    site: str
    site_zone: str
    tracer: str
    epoch: int = 0
    booked_at: datetime | None = None
    settled_at: datetime | None = None  # when it got its present hour and place, or was called off
    permission: bool = True
    arrivals: list[tuple[datetime, str]] = field(default_factory=list)

    def stands(self) -> tuple[str, datetime, str]:
        """What a man has to know of it: whether it takes place, when and where."""
        return "cancelled" if self.state == "cancelled" else "on", self.arrival_at, self.site


@dataclass
class Truth:
    """All of it, by clinic."""

    phones: dict[tuple[int, str], PhoneTruth] = field(default_factory=dict)
    scans: dict[tuple[int, str], ScanTruth] = field(default_factory=dict)
    zones: dict[tuple[int, str], str | None] = field(default_factory=dict)
    paused: set[tuple[int, str]] = field(default_factory=set)  # clinic and patient; 0 and "" stand for all of them

    def phone(self, clinic_id: int, number: str) -> PhoneTruth:
        """What is so of a phone."""
        return self.phones.setdefault((clinic_id, number), PhoneTruth())

    def holds(self, clinic_id: int, patient: str) -> bool:
        """Whether somebody has held this patient's planned texts."""
        return bool({(0, ""), (clinic_id, ""), (clinic_id, patient)} & self.paused)

    def pause(self, clinic_id: int, patient: str, value: bool) -> None:
        """Somebody holds planned texts, or lets them go."""
        (self.paused.add if value else self.paused.discard)((clinic_id, patient))

    def hear(self, clinic_id: int, number: str, means: frozenset[str], now: datetime) -> None:
        """A text has been taken in: what it means holds from here."""
        phone = self.phone(clinic_id, number)
        phone.heard_at = now
        if "stop" in means and phone.stopped_at is None:
            phone.stopped_at, phone.confirmed = now, False
        if "start" in means:
            phone.stopped_at = None
            phone.starts += 1
            phone.started_at = now
        if "wrong" in means and phone.wrong_at is None:
            phone.wrong_at = now
        if "died" in means and phone.died_at is None:
            phone.died_at = now
