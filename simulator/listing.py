"""The list of messages: its filters and its pages, newest first."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from simulator.carrier import Carrier, Message, RefusedError

_DEFAULT_SIZE, _MAX_SIZE = 50, 1000


def page_of(carrier: Carrier, query: Mapping[str, str]) -> tuple[list[Message], dict[str, Any]]:
    """Return one page and its meta data."""
    size = min(_MAX_SIZE, max(1, _number(query.get("PageSize"), _DEFAULT_SIZE)))
    page = _number(query.get("Page"), 0)
    wanted = _filter(query)
    found = [message for message in reversed(carrier.messages()) if not message.deleted and wanted(message)]
    # The token pins the newest message of the first page, so new ones do not push the pages along.
    pin = query.get("PageToken", "")
    found = found[next((rank for rank, message in enumerate(found) if _token(message) == pin), 0) :]
    start = page * size
    items = found[start : start + size]

    def uri(number: int) -> str:
        token = {"PageToken": _token(found[0])} if number and found else {}
        kept = {key: value for key, value in query.items() if key not in {"Page", "PageSize", "PageToken"}}
        path = f"/2010-04-01/Accounts/{carrier.account_sid}/Messages.json"
        return f"{path}?{urlencode({**kept, 'PageSize': size, 'Page': number, **token})}"

    return items, {
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if start + size < len(found) else None,
        "previous_page_uri": uri(page - 1) if page else None,
        "uri": uri(page),
        "page": page,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(items) - 1),
    }


def _token(message: Message) -> str:
    return "PA" + message.sid


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


def _filter(query: Mapping[str, str]) -> Callable[[Message], bool]:
    """Build the test for To, From and the day (or moment) of sending; the bounds are inclusive."""
    to, from_ = query.get("To"), query.get("From")
    on, until, after = (_moment(query.get(key)) for key in ("DateSent", "DateSent<", "DateSent>"))

    def wanted(message: Message) -> bool:
        if (to and message.to != to) or (from_ and message.from_ != from_):
            return False
        if not (on or until or after):
            return True
        return (
            message.sent_at is not None
            and (on is None or _day(message.sent_at) == _day(on))
            and (until is None or _comparable(message.sent_at, until) <= until)
            and (after is None or _comparable(message.sent_at, after) >= after)
        )

    return wanted


def _moment(text: str | None) -> Any:
    """Read a day or a moment; the two compare differently."""
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) == len("2026-03-01") else datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(20001, "A date filter looks like 2026-03-01.") from error


def _day(moment: date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _comparable(sent_at: datetime, bound: date) -> date:
    return sent_at if isinstance(bound, datetime) else sent_at.date()
