"""The carrier of the simulation, in this very process: it does what its faults say and writes down what phones got.

A port like any other to the service. Faults are armed for a phone beforehand and used up in order; nothing here is
random. At most one answer is used for each MessageSid, and none that comes after its time-out.
"""

import heapq
import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from service.carrier.port import Listed, Message, NumberSetup, Received
from service.errors import Busy, Refused, Unknown

SECOND = timedelta(seconds=1)
SEND_KINDS = {"timeout_before", "timeout_after", "500_before", "500_after", "429", "refused_connection", "code",
              "crash_before", "crash_after", "meanwhile"}  # fmt: skip
NOT_TAKEN = {"timeout_before", "500_before", "429", "refused_connection", "crash_before"}
FATE_KINDS = {"lost_receipts", "double_receipts", "reordered_receipts", "late_receipts", "early_receipt", "slow",
              "undelivered"}  # fmt: skip
STOP_WORDS = {"stop", "stopall", "unsubscribe", "end", "quit", "cancel", "revoke", "optout"}
START_WORDS = {"start", "unstop", "yes"}
MAY_ARRIVE_ALL_THE_SAME = {30008}


class Crash(BaseException):
    """This process of ours dies here."""


@dataclass
class Carried:
    """One text that the carrier took."""

    sid: str
    sender: str
    to: str
    body: str
    ref: str
    clinic_id: int
    taken_at: datetime
    validity: float | None
    status: str = "queued"
    code: int | None = None
    arrived_at: datetime | None = None
    reply_to: str = ""


Event = tuple[datetime, int, str, dict[str, Any]]


class Carrier:
    """Takes texts, delivers them, reports on them. `taking` is told of each text just before it is taken."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.log: list[Carried] = []
        self.armed: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.blocked: set[tuple[str, str]] = set()
        self.events: list[Event] = []
        self.counts: Counter[str] = Counter()
        self.listing_down_until: datetime | None = None
        self.keywords: dict[str, str] = {}
        self.answered: dict[str, str] = {}
        self.taking: Callable[[Carried], None] = lambda carried: None
        self.meanwhile: Callable[[str, str], None] = lambda phone, what: None
        self.report: Callable[[dict[str, Any]], None] = lambda form: None
        self._count = 0

    def arm(self, phone: str, fault: dict[str, Any]) -> None:
        """Something will go wrong with this phone's next text."""
        self.armed[phone] += [fault] * int(fault.get("times", 1))

    def take_fault(self, phone: str, kinds: set[str]) -> dict[str, Any] | None:
        """Use up the first armed fault of one of `kinds`."""
        for fault in self.armed[phone]:
            if fault["fault"] in kinds:
                self.armed[phone].remove(fault)
                name = fault["fault"]
                self.counts[f"{name} {fault['code']}" if fault.get("code") else name] += 1
                return fault
        return None

    def later(self, wait: timedelta, kind: str, **what: Any) -> None:
        """Let something happen after `wait`."""
        self._count += 1
        heapq.heappush(self.events, (self.now() + wait, self._count, kind, what))

    # The port -------------------------------------------------------------------------------------------------------

    def send(self, message: Message) -> str:
        """Take a text, or not."""
        fault = self.take_fault(message.to, SEND_KINDS) or {"fault": ""}
        then = fault.get("then", "")  # what happens to him in the meantime
        if then and fault["fault"] in NOT_TAKEN:
            self.meanwhile(message.to, then)
        match fault["fault"]:
            case "crash_before":
                raise Crash
            case "timeout_before" | "500_before":
                raise Unknown(None, "no answer")
            case "429":
                raise Busy(20429, "busy")
            case "refused_connection":
                raise Busy(None, "refused")
            case "code":
                raise Refused(fault["code"], "refused")
        if (message.sender, message.to) in self.blocked:
            raise Refused(21610, "blocked")
        carried = self._take(message.sender, message.to, message.body, message.callback_url, message.validity_seconds)
        if then:
            self.meanwhile(message.to, then)
        match fault["fault"]:
            case "crash_after":
                raise Crash
            case "timeout_after" | "500_after":
                raise Unknown(None, "no answer")
        return carried.sid

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """What it took for this phone, newest first."""
        if self.listing_down_until is not None and self.now() < self.listing_down_until:
            self.counts["listing failed"] += 1
            raise Unknown(None, "away")
        return [
            Listed(c.sid, c.status, c.body, c.to, c.sender, None, c.taken_at, c.code)
            for c in reversed(self.log)
            if c.to == phone and c.taken_at >= since
        ]

    def received(self, number: str, since: datetime) -> list[Received]:
        """Nothing that we were not told of: each webhook of a story comes through, if not at once."""
        del number, since
        return []

    def numbers(self) -> dict[str, NumberSetup]:
        """Nobody looks at the set-up in a story."""
        return {}

    # Answers to webhooks --------------------------------------------------------------------------------------------

    def use_answer(self, sid: str, sender: str, phone: str, twiml: str) -> None:
        """Use an answer that came in time, once for each MessageSid."""
        if sid in self.answered:
            return
        self.answered[sid] = twiml
        for message in ET.fromstring(twiml):
            self._take(sender, phone, message.findtext("Body", ""), message.attrib["statusCallback"], None, sid)

    def keyword(self, sender: str, phone: str, body: str) -> str:
        """What the carrier itself does with a keyword; returns its OptOutType."""
        word = body.strip().lower()
        if self.keywords[sender] == "ours":
            return ""
        kind = "STOP" if word in STOP_WORDS else "START" if word in START_WORDS else "HELP" if word == "help" else ""
        if kind == "STOP":
            self.blocked.add((sender, phone))
        elif kind == "START":
            self.blocked.discard((sender, phone))
        return kind if self.keywords[sender] == "advanced" else ""

    # The life of a text ---------------------------------------------------------------------------------------------

    def _take(self, sender: str, to: str, body: str, url: str, validity: float | None, reply_to: str = "") -> Carried:
        found = re.search(r"/status/(\d+)/([0-9a-f]{32})", url)
        assert found, url
        self._count += 1
        carried = Carried(f"SM{self._count:032x}", sender, to, body, found[2], int(found[1]), self.now(), validity,
                          reply_to=reply_to)  # fmt: skip
        if (sender, to) in self.blocked:
            carried.status, carried.code = "failed", 21610
            self.log.append(carried)
            self._receipt(carried, "failed", SECOND, 21610)
            return carried
        self.taking(carried)
        self.log.append(carried)
        fate = self.take_fault(to, FATE_KINDS) or {"fault": ""}
        self._travel(carried, fate)
        return carried

    def _travel(self, carried: Carried, fate: dict[str, Any]) -> None:
        wait = timedelta(seconds=fate.get("wait", 0)) if fate["fault"] == "slow" else 3 * SECOND
        expired = carried.validity is not None and wait.total_seconds() > carried.validity
        code = 30036 if expired else int(fate.get("code") or 0)
        carried.status = "sent" if not code else carried.status
        self.later(wait, "arrive", carried=carried, code=code)
        sent, final = ("undelivered" if code else "delivered"), SECOND
        late = timedelta(seconds=fate.get("wait", 0)) if fate["fault"] == "late_receipts" else 0 * SECOND
        match fate["fault"]:
            case "lost_receipts":
                return
            case "early_receipt":
                self.report(self._form(carried, "sent", 0))
                self._receipt(carried, sent, wait + final, code)
            case "reordered_receipts":
                self._receipt(carried, sent, wait + final, code)
                self._receipt(carried, "sent", wait + 9 * SECOND, 0)
                self._receipt(carried, "queued", wait + 10 * SECOND, 0)
            case "double_receipts":
                for again in (0, 0, 4):
                    self._receipt(carried, "sent", SECOND, 0)
                    self._receipt(carried, sent, wait + final + again * SECOND, code)
            case _:
                self._receipt(carried, "sent", late + SECOND, 0)
                self._receipt(carried, sent, late + wait + final, code)

    def _form(self, carried: Carried, status: str, code: int) -> dict[str, Any]:
        fields = {"MessageSid": carried.sid, "MessageStatus": status}
        return {"clinic_id": carried.clinic_id, "ref": carried.ref,
                "form": fields | ({"ErrorCode": str(code)} if code else {})}  # fmt: skip

    def _receipt(self, carried: Carried, status: str, wait: timedelta, code: int) -> None:
        self.later(wait, "receipt", **self._form(carried, status, code))

    def arrive(self, carried: Carried, code: int) -> bool:
        """The end of its way; returns whether the phone got it."""
        carried.status, carried.code = ("undelivered", code) if code else ("delivered", None)
        if code and code not in MAY_ARRIVE_ALL_THE_SAME:
            return False
        carried.arrived_at = self.now()
        return True
