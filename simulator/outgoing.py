"""The life of a text to a phone: accepted, sent, delivered or not, each change told to its status callback."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from simulator.background import Background
from simulator.faults import Faults
from simulator.ledger import Ledger
from simulator.records import FINAL, Delays, Message
from simulator.segments import count_segments
from simulator.webhooks import Form, Webhooks

EXPIRED, BLOCKED = 30036, 21610
Steps = tuple[tuple[str, float], ...]


@dataclass(slots=True)
class Fate:
    """What is to go wrong with one message, drawn when it is accepted."""

    error: int | None = None
    silent: bool = False
    doubled: bool = False
    reordered: bool = False
    delay: float = 0.0
    held: list[Form] = field(default_factory=list)

    @classmethod
    def draw(cls, faults: Faults) -> "Fate":
        """Use up the faults armed for the next message."""
        fate = cls()
        for code in ("30003", "30007"):
            if fate.error is None and faults.take(code) is not None:
                fate.error = int(code)
        if fate.error is None and (failing := faults.take("fails")) is not None:
            fate.error = int(failing.get("code", 30008))
        fate.silent = faults.take("no_callbacks") is not None
        fate.doubled = faults.take("duplicate_callback") is not None
        fate.reordered = faults.take("reordered_callbacks") is not None
        if (delayed := faults.take("delayed_callbacks")) is not None:
            fate.delay = delayed.get("seconds", 1.0)
        return fate


@dataclass(frozen=True, slots=True)
class Text:
    """A text handed to the carrier to send."""

    from_: str
    to: str
    body: str
    status_callback: str | None = None
    validity_period: int | None = None
    reply_to: str | None = None
    messaging_service_sid: str | None = None
    num_media: int = 0

    @property
    def direction(self) -> str:
        """Name the direction as the REST API does."""
        return "outbound-reply" if self.reply_to else "outbound-api"


class Outgoing:
    """Accepts texts and walks each through its statuses in the background."""

    def __init__(
        self,
        *,
        account_sid: str,
        ledger: Ledger,
        background: Background,
        webhooks: Webhooks,
        faults: Faults,
        delays: Delays,
        now: Callable[[], datetime],
        new_sid: Callable[[], str],
    ) -> None:
        """Work on the carrier's shared parts."""
        self._account_sid = account_sid
        self._ledger = ledger
        self._background = background
        self._webhooks = webhooks
        self._faults = faults
        self._delays = delays
        self._now = now
        self._new_sid = new_sid

    def accept(self, text: Text, *, blocked: bool = False, plain: bool = False) -> Message:
        """Take a text on; `blocked` lets it fail at once, `plain` spares the carrier's own texts all faults."""
        fate = Fate() if plain or blocked else Fate.draw(self._faults)
        now = self._now()
        first = "accepted" if text.messaging_service_sid and not text.reply_to else "queued"
        message = self._ledger.add(
            Message(
                sid=self._new_sid(),
                direction=text.direction,
                from_=text.from_,
                to=text.to,
                body=text.body,
                shown=text.body,
                status=first,
                created_at=now,
                updated_at=now,
                num_segments=count_segments(text.body),
                status_callback=text.status_callback,
                validity_period=text.validity_period,
                history=((first, now),),
                reply_to=text.reply_to,
                messaging_service_sid=text.messaging_service_sid,
                num_media=text.num_media,
            )
        )
        if blocked:
            fate.error = BLOCKED
        self._schedule(message, fate)
        return message

    def resume(self) -> None:
        """Go on with texts an earlier run left on their way."""
        for message in self._ledger.all():
            if message.status not in FINAL:
                self._schedule(message, Fate())

    def cancelled(self, message: Message) -> None:
        """Tell the status callback that a text was cancelled."""
        self._background.soon(partial(self._announce, message, Fate()))

    def _schedule(self, message: Message, fate: Fate) -> None:
        now = time.monotonic()
        sent, delivered = now + self._delays.sent, now + max(self._delays.sent, self._delays.delivered)
        steps: Steps = (("queued", now), ("sent", sent), ("undelivered" if fate.error else "delivered", delivered))
        if fate.error == BLOCKED:
            steps = (("failed", now),)
        begin = {"accepted": 0, "queued": 1}.get(message.status, 2) if len(steps) > 1 else 0
        self._background.at(steps[begin][1], partial(self._step, message.sid, fate, steps[begin:]))

    def _step(self, sid: str, fate: Fate, steps: Steps) -> None:
        (status, _), rest = steps[0], steps[1:]
        with self._ledger.lock:
            message = self._ledger.get(sid)
            if message is None or message.status in FINAL:
                return
            now, error = self._now(), fate.error if not rest else None
            if status == "sent" and _expired(message, now):
                status, error, rest = "failed", EXPIRED, ()
            reached = status == "sent" and fate.error is None
            message = self._ledger.change(
                sid,
                status=status,
                error_code=error,
                updated_at=now,
                sent_at=now if status == "sent" else message.sent_at,
                arrived=self._ledger.version + 1 if reached else message.arrived,
                history=(*message.history, (status, now)),
            )
        # One job walks the whole chain, so the callbacks of one message keep their order unless a fault breaks it.
        self._announce(message, fate)
        if rest:
            self._background.at(rest[0][1], partial(self._step, sid, fate, rest))

    def _announce(self, message: Message, fate: Fate) -> None:
        if message.status_callback is None or fate.silent:
            return
        form = self._form(message)
        if fate.reordered and message.status not in FINAL:
            fate.held.append(form)
            return
        forms = [form, *fate.held] * (2 if fate.doubled else 1)
        post = partial(self._post, message.status_callback, forms)
        if fate.delay:
            self._background.soon(post, fate.delay)
        else:
            post()

    def _post(self, url: str, forms: list[Form]) -> None:
        for form in forms:
            self._webhooks.post(url, form)

    def _form(self, message: Message) -> Form:
        form = [
            ("ApiVersion", "2010-04-01"),
            ("AccountSid", self._account_sid),
            ("From", message.from_),
            ("To", message.to),
            ("MessageSid", message.sid),
            ("MessageStatus", message.status),
            ("SmsSid", message.sid),
            ("SmsStatus", message.status),
        ]
        if message.messaging_service_sid:
            form.append(("MessagingServiceSid", message.messaging_service_sid))
        if message.error_code:
            form.append(("ErrorCode", str(message.error_code)))
        if message.status in {"delivered", "undelivered"}:
            form.append(("RawDlrDoneDate", self._now().strftime("%y%m%d%H%M")))
        return form


def _expired(message: Message, now: datetime) -> bool:
    return message.validity_period is not None and now > message.created_at + timedelta(seconds=message.validity_period)
