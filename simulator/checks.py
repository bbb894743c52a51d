"""What the carrier's create refuses, with the codes its callers must understand."""

import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from simulator.outgoing import BLOCKED, Text
from simulator.records import Number, RefusedError

E164 = re.compile(r"\+[1-9]\d{6,14}")
MAX_BODY, MAX_CALLBACK, MAX_VALIDITY = 1600, 4000, 36_000


def checked(
    values: Mapping[str, str],
    media: int,
    numbers: Mapping[str, Number],
    blocked: Collection[tuple[str, str]],
) -> Text:
    """Turn the form of a create request into a text to send, or refuse it."""
    to, body = values.get("To", ""), values.get("Body", "")
    if not to:
        raise RefusedError(21604, "A 'To' phone number is required.")
    if not E164.fullmatch(to):
        raise RefusedError(21211, "The 'To' number is not a valid phone number.")
    if not body and not media:
        raise RefusedError(21602, "Message body is required.")
    # Counted as the network does: an emoji is two.
    if len(body.encode("utf-16-le")) // 2 > MAX_BODY:
        raise RefusedError(21617, "The concatenated message body exceeds the 1600 character limit.")
    sender = _sender(values, numbers)
    if sender.phone == to:
        raise RefusedError(21266, "'To' and 'From' number cannot be the same.")
    callback = values.get("StatusCallback") or None
    if callback is not None and not _callable(callback):
        raise RefusedError(21609, "The 'StatusCallback' URL is not a valid URL.")
    validity = _validity(values.get("ValidityPeriod"))
    if (sender.phone, to) in blocked:
        raise RefusedError(BLOCKED, "Attempt to send to unsubscribed recipient.")
    return Text(
        from_=sender.phone,
        to=to,
        body=body,
        status_callback=callback,
        validity_period=validity,
        messaging_service_sid=values.get("MessagingServiceSid") or None,
        num_media=media,
    )


def _sender(values: Mapping[str, str], numbers: Mapping[str, Number]) -> Number:
    from_, service = values.get("From"), values.get("MessagingServiceSid")
    if from_:
        if from_ not in numbers:
            raise RefusedError(21606, "The 'From' phone number is not a message-capable number of this account.")
        return numbers[from_]
    if service:
        for number in numbers.values():
            if number.messaging_service_sid == service:
                return number
        raise RefusedError(21705, "The 'MessagingServiceSid' is invalid.")
    raise RefusedError(21603, "A 'From' phone number is required.")


def _callable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it is what checks it
    except ValueError:
        return False
    host = parts.hostname or ""
    return len(url) <= MAX_CALLBACK and parts.scheme in {"http", "https"} and bool(host) and "_" not in host


def _validity(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= MAX_VALIDITY:
        raise RefusedError(21624, "The 'ValidityPeriod' must be an integer from 1 to 36000.")
    return int(text)
