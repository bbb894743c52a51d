"""The carrier's door: texts in and status callbacks, both signed. The answer to a text is the reply itself."""

import logging
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DataError, IntegrityError
from starlette.datastructures import FormData

from service import conversation, receipts
from service.errors import NotFound
from service.store.texts import Unrouted
from service.twiml import EMPTY
from service.web.access import SignedForm, TheParts
from service.wiring import Parts

log = logging.getLogger(__name__)
router = APIRouter(prefix="/twilio", include_in_schema=False)

_ROUTE = text("select clinic_id, id from senders where phone = :phone")


def _xml(body: str) -> Response:
    return Response(body, media_type="text/xml; charset=utf-8")


def _word(form: FormData, name: str) -> str:
    return str(form.get(name, "")).replace("\x00", "")


@router.post("/inbound")
def inbound(request: Request, form: SignedForm, parts: TheParts) -> Response:
    """A text from a phone. Answers with TwiML; unknown numbers of ours are kept for operators and answered empty."""
    now = parts.now()
    sid = _word(form, "MessageSid") or _word(form, "SmsSid")
    if not sid:
        return _xml(EMPTY)
    media = _word(form, "NumMedia")
    arrived = conversation.Arrived(
        message_sid=sid[:64],
        phone=_word(form, "From")[:64],
        to=_word(form, "To"),
        body=str(form.get("Body", "")),
        media=int(media) if media.isascii() and media.isdigit() and len(media) < 3 else 0,
        opt_out_type=_word(form, "OptOutType")[:16],
        sent_at=_sent_at(form),
    )
    routes: dict[str, tuple[int, int]] = request.app.state.routes
    for known in (routes.get(arrived.to), None) if _our_account(parts, form) else ():
        clinic = known or _clinic_of(parts, arrived.to)
        if clinic is None:
            break
        routes[arrived.to] = clinic
        try:
            return _xml(conversation.receive(parts, *clinic, arrived, now))
        except NotFound:  # what we remembered is no longer so: ask again
            routes.pop(arrived.to, None)
    _keep_unrouted(parts, sid, form)
    return _xml(EMPTY)


def _our_account(parts: Parts, form: FormData) -> bool:
    """Whether a text came through our own account; one of another is kept for operators, signed or not."""
    account, ours = _word(form, "AccountSid"), parts.settings.twilio_account_sid
    return not account or not ours or account == ours


def _sent_at(form: FormData) -> datetime | None:
    """When the carrier took the text, where it says so: a webhook that was held up somewhere is late like any other.

    A moment in the future is a clock that goes wrong, and proves nothing.
    """
    for name in ("DateSent", "DateCreated"):
        try:
            at = parsedate_to_datetime(_word(form, name)[:64])
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None


def _clinic_of(parts: Parts, number: str) -> tuple[int, int] | None:
    """The clinic and the id of one of our numbers. Remembered by the caller; the turn itself checks that it still holds."""
    with parts.database.cross() as connection:
        row = connection.execute(_ROUTE, {"phone": number}).one_or_none()
    return (row.clinic_id, row.id) if row else None


def _keep_unrouted(parts: Parts, sid: str, form: FormData) -> None:
    log.warning("a text came to a number that belongs to no clinic (%s)", sid[:64])
    with parts.database.cross() as connection:
        connection.execute(
            insert(Unrouted)
            .values(
                message_sid=sid[:64],
                to_number=_word(form, "To")[:64],
                raw={
                    key[:100].replace("\x00", ""): str(value)[:1600].replace("\x00", "") for key, value in form.items()
                },
                received_at=parts.now(),
            )
            .on_conflict_do_nothing()
        )


@router.post("/status/{clinic_id}/{ref}")
def status(clinic_id: str, ref: str, form: SignedForm, parts: TheParts) -> Response:
    """A receipt. Always 200 once the signature holds: what it is about is our affair, not the carrier's."""
    fields = {key.replace("\x00", ""): _word(form, key) for key in form}
    try:
        receipts.receive(parts, int(clinic_id), ref.replace("\x00", ""), fields, parts.now())
    except (ValueError, DataError, IntegrityError):  # no such clinic: the address is not one that we gave out
        receipts.COUNTED.labels("unknown_clinic").inc()
        _keep_unrouted(parts, f"receipt {_word(form, 'MessageSid')} {_word(form, 'MessageStatus')}", form)
    return Response(status_code=200)
