"""Twilio's REST contract for messages, down to its error JSON, so that the official SDK works against it."""

import asyncio
import base64
import binascii
import hashlib
import hmac
from collections.abc import Awaitable, Callable
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from simulator.carrier import Carrier, Message, Number, RefusedError
from simulator.listing import page_of

_TICK = 0.05
_ONE_PAGE = {"page": 0, "page_size": 1000, "start": 0, "next_page_uri": None, "previous_page_uri": None}


def twilio_routes(carrier: Carrier) -> APIRouter:
    """Build the routes below `/2010-04-01/Accounts/{AC}`."""
    routes = APIRouter(prefix="/2010-04-01/Accounts/{account}", dependencies=[Depends(_authentic(carrier))])

    @routes.post("/Messages.json")
    async def create(request: Request) -> Response:
        if (early := await _fault_before(carrier)) is not None:
            return early
        pairs = await _form(request)
        media = sum(name == "MediaUrl" for name, _ in pairs)
        message = await run_in_threadpool(carrier.create, dict(pairs), media)
        if (late := await _fault_after(carrier)) is not None:
            return late
        return JSONResponse(resource(message, carrier.account_sid), 201)

    @routes.get("/Messages.json")
    def listed(request: Request) -> dict[str, Any]:
        items, meta = page_of(carrier, request.query_params)
        return {"messages": [resource(message, carrier.account_sid) for message in items], **meta}

    @routes.get("/IncomingPhoneNumbers.json")
    def numbers() -> dict[str, Any]:
        return {
            "incoming_phone_numbers": [number_resource(n, carrier.account_sid) for n in carrier.numbers],
            **_ONE_PAGE,
        }

    @routes.get("/Messages/{sid}.json")
    def fetch(sid: str) -> dict[str, Any]:
        return resource(carrier.fetch(sid), carrier.account_sid)

    @routes.post("/Messages/{sid}.json")
    async def update(sid: str, request: Request) -> dict[str, Any]:
        values = dict(await _form(request))
        if values.get("Status") == "canceled":
            return resource(await run_in_threadpool(carrier.cancel, sid), carrier.account_sid)
        if values.get("Body") == "":
            return resource(await run_in_threadpool(carrier.redact, sid), carrier.account_sid)
        raise RefusedError(20001, "A message can only be redacted (empty Body) or canceled.")

    @routes.delete("/Messages/{sid}.json", status_code=204)
    def delete(sid: str) -> None:
        carrier.delete(sid)

    return routes


def install_errors(app: FastAPI) -> None:
    """Answer every refusal with the carrier's error JSON."""

    def refuse(_: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        return _error(error.status, error.code, error.message)

    app.add_exception_handler(RefusedError, refuse)


def resource(message: Message, account_sid: str) -> dict[str, Any]:
    """Write a message as the REST API does."""
    uri = f"/2010-04-01/Accounts/{account_sid}/Messages/{message.sid}"
    # A Messaging Service picks the sender only after it has accepted the message.
    unsent = message.status == "accepted"
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "body": message.body,
        "date_created": _date(message.created_at),
        "date_sent": _date(message.sent_at),
        "date_updated": _date(message.updated_at),
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None,
        "from": None if unsent else message.from_,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(message.num_media),
        "num_segments": "0" if unsent else str(message.num_segments),
        "price": None,
        "price_unit": None,
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def number_resource(number: Number, account_sid: str) -> dict[str, Any]:
    """Write one of the clinics' numbers as the REST API does, as far as texts go."""
    sid = "PN" + hashlib.sha256(number.phone.encode()).hexdigest()[:32]
    return {
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": False},
        "friendly_name": number.phone,
        "origin": "twilio",
        "phone_number": number.phone,
        "sid": sid,
        "sms_application_sid": "",
        "sms_fallback_method": number.fallback_method,
        "sms_fallback_url": number.fallback_url or "",
        "sms_method": "POST",
        "sms_url": number.inbound_url,
        "status": "in-use",
        "uri": f"/2010-04-01/Accounts/{account_sid}/IncomingPhoneNumbers/{sid}.json",
    }


def _date(moment: datetime | None) -> str | None:
    return format_datetime(moment) if moment else None


def _error(status: int, code: int, message: str) -> JSONResponse:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)


def _authentic(carrier: Carrier) -> Callable[[Request, str], Awaitable[None]]:
    expected = f"{carrier.account_sid}:{carrier.auth_token}".encode()

    async def check(request: Request, account: str) -> None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        try:
            given = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            given = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(given, expected):
            raise RefusedError(20003, "Authenticate", 401)
        if account != carrier.account_sid:
            raise RefusedError(20404, "The requested account was not found.", 404)

    return check


async def _form(request: Request) -> list[tuple[str, str]]:
    return parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True)


async def _fault_before(carrier: Carrier) -> Response | None:
    """Fail without having taken the message."""
    if carrier.faults.take("429") is not None:
        return _error(429, 20429, "Too Many Requests")
    if carrier.faults.take("500_before") is not None:
        return _error(500, 20500, "Internal Server Error")
    if (params := carrier.faults.take("timeout_before")) is not None:
        await _hold(carrier, params.get("seconds", 15.0))
        return _Cut()
    return None


async def _fault_after(carrier: Carrier) -> Response | None:
    """Fail although the message has been taken."""
    if carrier.faults.take("500_after") is not None:
        return _error(500, 20500, "Internal Server Error")
    if (params := carrier.faults.take("timeout_after")) is not None:
        await _hold(carrier, params.get("seconds", 15.0))
        return _Cut()
    return None


async def _hold(carrier: Carrier, seconds: float) -> None:
    """Keep a connection waiting, but not longer than the carrier runs."""
    for _ in range(round(seconds / _TICK)):
        if carrier.stopping.is_set():
            return
        await asyncio.sleep(_TICK)


class _Cut(Response):
    """An answer that breaks off: the server closes the connection because the promised body never comes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"2"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 504, "headers": headers})
