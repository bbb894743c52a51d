"""A patient's text: announced to the clinic's webhook, and the answer turned into replies, at most once."""

import mimetypes
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from simulator.background import Background
from simulator.faults import Faults
from simulator.keywords import CANNED, keyword
from simulator.ledger import Ledger
from simulator.outgoing import Outgoing, Text
from simulator.records import Message, Number
from simulator.segments import count_segments
from simulator.twiml import UnusableError, replies
from simulator.webhooks import Answer, Form, Webhooks

UNREACHABLE = 11200


class Incoming:
    """Takes texts from phones and calls the webhooks of the numbers they were sent to."""

    def __init__(
        self,
        *,
        account_sid: str,
        ledger: Ledger,
        background: Background,
        webhooks: Webhooks,
        faults: Faults,
        outgoing: Outgoing,
        now: Callable[[], datetime],
        new_sid: Callable[[], str],
    ) -> None:
        """Work on the carrier's shared parts."""
        self._account_sid = account_sid
        self._ledger = ledger
        self._background = background
        self._webhooks = webhooks
        self._faults = faults
        self._outgoing = outgoing
        self._now = now
        self._new_sid = new_sid

    def take(self, number: Number, phone: str, body: str, media: Sequence[str]) -> str:
        """Record a text and announce it in the background."""
        now = self._now()
        message = self._ledger.add(
            Message(
                sid=self._new_sid(),
                direction="inbound",
                from_=phone,
                to=number.phone,
                body=body,
                shown=body,
                status="received",
                created_at=now,
                sent_at=now,
                updated_at=now,
                num_segments=count_segments(body),
                num_media=len(media),
                history=(("received", now),),
                messaging_service_sid=number.messaging_service_sid,
            )
        )
        if number.keyword_handling == "default":
            self._handle_keyword(number, message)
        if number.inbound_url:
            twice = self._faults.take("duplicate_inbound") is not None
            self._background.soon(partial(self._call, number, message, self._form(message, media), twice))
        return message.sid

    def _handle_keyword(self, number: Number, message: Message) -> None:
        word = keyword(message.body)
        if word == "stop":
            self._ledger.block(number.phone, message.from_)
        elif word == "start" and not self._ledger.unblock(number.phone, message.from_):
            return
        if word:
            text = Text(number.phone, message.from_, CANNED[word], reply_to=message.sid)
            self._outgoing.accept(text, plain=True)

    def _call(self, number: Number, message: Message, form: Form, twice: bool) -> None:
        """Call the webhook, or, for the fault, call it from two threads at the same instant."""
        if not twice:
            self._announce(number, message, form)
            return
        together = threading.Barrier(2)

        def announce() -> None:
            together.wait()
            self._announce(number, message, form)

        other = threading.Thread(target=announce, name="carrier-twin", daemon=True)
        other.start()
        announce()
        other.join()

    def _announce(self, number: Number, message: Message, form: Form) -> None:
        url = number.inbound_url
        answer = self._webhooks.post(url, form)
        if answer is None and number.fallback_url:
            blame = [("ErrorCode", str(UNREACHABLE)), ("ErrorUrl", url)]
            url = number.fallback_url
            answer = self._webhooks.post(url, [*form, *blame])
        if answer is None:
            with self._ledger.lock:
                if not self._answered(message.sid):
                    self._ledger.change(message.sid, error_code=UNREACHABLE)
            return
        with self._ledger.lock:
            if self._answered(message.sid):
                return
            self._ledger.change(message.sid, answered_at=self._now(), error_code=None)
        self._reply(number, message, answer, url)

    def _answered(self, sid: str) -> bool:
        message = self._ledger.get(sid)
        return message is None or message.answered_at is not None

    def _reply(self, number: Number, message: Message, answer: Answer, url: str) -> None:
        try:
            found = replies(answer, url)
        except UnusableError as error:
            self._ledger.change(message.sid, error_code=error.code)
            return
        for reply in found:
            to = reply.to or message.from_
            text = Text(
                from_=reply.from_ or number.phone,
                to=to,
                body=reply.body,
                status_callback=reply.status_callback,
                reply_to=message.sid,
                messaging_service_sid=number.messaging_service_sid,
                num_media=reply.num_media,
            )
            blocked = (text.from_, to) in self._ledger.blocked or self._faults.take("21610") is not None
            self._outgoing.accept(text, blocked=blocked)

    def _form(self, message: Message, media: Sequence[str]) -> Form:
        form = [
            ("ToCountry", "US"),
            ("ToState", ""),
            ("SmsMessageSid", message.sid),
            ("NumMedia", str(len(media))),
            ("ToCity", ""),
            ("FromZip", ""),
            ("SmsSid", message.sid),
            ("FromState", ""),
            ("SmsStatus", "received"),
            ("FromCity", ""),
            ("Body", message.body),
            ("FromCountry", "US"),
            ("To", message.to),
            ("ToZip", ""),
            ("NumSegments", str(message.num_segments)),
            ("MessageSid", message.sid),
            ("AccountSid", self._account_sid),
            ("From", message.from_),
            ("ApiVersion", "2010-04-01"),
        ]
        if message.messaging_service_sid:
            form.insert(15, ("MessagingServiceSid", message.messaging_service_sid))
        for rank, url in enumerate(media):
            form.append((f"MediaContentType{rank}", mimetypes.guess_type(url)[0] or "application/octet-stream"))
            form.append((f"MediaUrl{rank}", url))
        return form
