"""Twilio, on its official SDK: send, list, and the class of every failure.

The SDK's client is built once, with its base address and time-outs set, before any thread can use it; so no request can
slip to the real host while a test or the demo points elsewhere. Its HTTP is ours: a plain urllib3 pool with keep-alive,
connect and read time-outs and no retries at all, because a create has no idempotency key.
"""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import urllib3
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from flows.limits import CLOCK_SLACK
from service.carrier.port import Carrier, Listed, Message, NumberSetup, Received
from service.errors import Busy, Refused, Unknown
from service.settings import Settings

TIMEOUT = urllib3.Timeout(connect=3.0, read=10.0)
BUSY_CODES = frozenset({429, 20429})
PAGE = 50  # one small page is what a listing usually costs
MOST_LISTED = 5_000  # texts looked through for one that we sent


class PlainHttp(HttpClient):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's transport on one urllib3 pool. Keeps no last request or response, which would hold patients' words."""

    def __init__(self, base_url: str, connections: int) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._base_url = base_url.rstrip("/")
        self._pool = urllib3.PoolManager(maxsize=connections, timeout=TIMEOUT, retries=False)

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request, as the SDK asks for it. Raises urllib3's errors."""
        if not url.startswith(self._base_url):
            raise Unknown(None, "a request was about to go to another host than the configured carrier")
        sent = {**(headers or {}), **urllib3.make_headers(basic_auth=":".join(auth))} if auth else dict(headers or {})
        body = None
        if data is not None:
            body = urlencode(data, doseq=True)
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        address = f"{url}?{urlencode(params, doseq=True)}" if params else url
        reply = self._pool.request(method, address, body=body, headers=sent, redirect=False)
        return Response(reply.status, reply.data.decode("utf-8", "replace"), reply.headers)


class TwilioCarrier:
    """The port, spoken to Twilio."""

    def __init__(self, client: Client) -> None:
        self._messages = client.api.v2010.account.messages
        self._numbers = client.api.v2010.account.incoming_phone_numbers

    def send(self, message: Message) -> str:
        """Create one message. Raises Refused with Twilio's code, Busy for 429, Unknown for anything unproved."""
        source = (
            {"messaging_service_sid": message.messaging_service_sid}
            if message.messaging_service_sid
            else {"from_": message.sender}
        )
        try:
            created = self._messages.create(
                to=message.to,
                body=message.body,
                status_callback=message.callback_url,
                validity_period=message.validity_seconds,
                **source,
            )
        except TwilioRestException as error:
            raise _failure(error) from error
        except urllib3.exceptions.NewConnectionError as error:
            raise Busy(None, "the connection was refused: nothing was processed") from error
        except (TwilioException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unknown(None, f"no usable answer ({type(error).__name__})") from error
        return str(created.sid or "")

    def sent_to(self, phone: str, since: datetime) -> list[Listed]:
        """List by number only: a date filter misses what is accepted but not yet sent."""
        listed, earliest = list[Listed](), since - CLOCK_SLACK
        try:
            for number, m in enumerate(self._newest(phone, earliest), start=1):
                if number == MOST_LISTED:  # what may lie behind must not pass for absent: it would be sent twice
                    raise Unknown(None, "the listing is too long to reach back to that moment")
                at = _utc(m.date_created)
                if str(m.direction).startswith("outbound") and (at is None or at >= earliest):
                    item = Listed(
                        sid=m.sid,
                        status=str(m.status),
                        body=m.body or "",
                        to=m.to,
                        sender=m.from_ or "",
                        messaging_service_sid=m.messaging_service_sid,
                        created_at=at,
                        error_code=m.error_code,
                    )
                    listed.append(item)
        except (TwilioException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unknown(None, f"the listing failed ({type(error).__name__})") from error
        return listed

    def received(self, number: str, since: datetime) -> list[Received]:
        """List by number only, for the reason above, and however far: behind what is left out there may be a STOP."""
        found, earliest = list[Received](), since - CLOCK_SLACK
        try:
            for m in self._newest(number, earliest):
                at = _utc(m.date_created)
                if str(m.direction) == "inbound" and (at is None or at >= earliest):
                    found.append(Received(m.sid, m.from_ or "", m.body or "", int(m.num_media or 0), at))
        except (TwilioException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unknown(None, f"the listing failed ({type(error).__name__})") from error
        return sorted(found, key=lambda text: text.received_at or earliest)

    def _newest(self, to: str, earliest: datetime) -> Iterator[MessageInstance]:
        """Texts to one number, newest first, page by page, until as many as a page are in a row older than `earliest`."""
        older = 0
        for m in self._messages.stream(to=to, page_size=PAGE):
            yield m
            at = _utc(m.date_created)
            older = older + 1 if at is not None and at < earliest else 0
            if older >= PAGE:
                return

    def numbers(self) -> dict[str, NumberSetup]:
        """Every number of the account, with its webhooks for texts."""
        try:
            return {
                n.phone_number: NumberSetup(
                    n.sms_url or "", n.sms_method or "POST", n.sms_fallback_url or "", n.sms_fallback_method or "POST"
                )
                for n in self._numbers.list(limit=5_000, page_size=1_000)
            }
        except (TwilioException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise Unknown(None, f"the numbers cannot be listed ({type(error).__name__})") from error


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at else None


def _failure(error: TwilioRestException) -> Refused | Busy | Unknown:
    """A 429 was never processed; a 5xx may have been; any other answer is a refusal with its code."""
    if error.status == 429 or error.code in BUSY_CODES:
        return Busy(error.code, "busy")
    if error.status >= 500:
        return Unknown(error.code, "the carrier failed")
    return Refused(error.code, "refused")


def twilio_carrier(settings: Settings, connections: int = 32) -> Carrier:
    """The carrier of `settings`, its client fully set up."""
    http = PlainHttp(settings.twilio_api_url, connections)
    client = Client(
        settings.twilio_account_sid or "AC" + "0" * 32, settings.twilio_auth_token or "unset", http_client=http
    )
    client.api.base_url = settings.twilio_api_url.rstrip("/")
    client.api.v2010  # noqa: B018 - built now, so that no thread finds a half-built domain
    return TwilioCarrier(client)
