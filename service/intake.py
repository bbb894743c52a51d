"""What a booking must be before anything is stored: each field checked, each error naming the field as it was sent."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers

from flows.journey import exists
from flows.model import Reason
from messages.catalog import LANGUAGES
from service.errors import Invalid
from service.store.people import Site

MAX_TEXT = 200
_ID = re.compile(r"^[\w.:@/+-]{1,100}$")


@dataclass(frozen=True)
class Permission:
    """Who obtained number and permission, how and when: without it nobody is invited."""

    obtained_by: str
    how: str
    at: datetime


@dataclass(frozen=True)
class Booking:
    """One booking as a door understood it; wall times are still as the clinic wrote them."""

    patient_id: str
    given_name: str
    phone: str  # E.164
    language: str
    zone: str | None
    arrival_wall: str
    starts_wall: str
    tracer: str
    reason: str
    site: str | None
    permission: Permission | None


@cache
def zones() -> frozenset[str]:
    """Every time zone that this machine knows; to read their names from its files takes 60 ms."""
    return frozenset(available_timezones())


def read_booking(
    *,
    patient_id: str,
    given_name: str,
    phone: str,
    language: str,
    zone: str | None,
    arrival_at: str,
    starts_at: str | None,
    tracer: str,
    reason: str,
    site: str | None,
    permission: Permission | None,
    region: str = "US",
) -> Booking:
    """Check everything that needs no site. Raises Invalid naming the first wrong field."""
    if not _ID.match(patient_id):
        raise Invalid("patient.external_id", "1 to 100 letters, digits or . : @ / + - _")
    if not 0 < len(given_name.strip()) <= MAX_TEXT or not given_name.isprintable():
        raise Invalid("patient.given_name", f"1 to {MAX_TEXT} printable characters")
    if language not in LANGUAGES:
        raise Invalid("patient.language", f"one of {', '.join(LANGUAGES)}")
    if zone is not None and zone not in zones():
        raise Invalid("patient.zone", "an IANA time zone such as America/New_York")
    if reason not in set(Reason):
        raise Invalid("reason", f"one of {', '.join(Reason)}")
    said = {"tracer": tracer, "site": site or "-"}
    if permission is not None:
        said |= {"permission.how": permission.how, "permission.obtained_by": permission.obtained_by}
    for field, words in said.items():
        if not words.strip() or not words.isprintable() or len(words) > MAX_TEXT:
            raise Invalid(field, f"1 to {MAX_TEXT} printable characters")
    return Booking(
        patient_id=patient_id,
        given_name=given_name.strip(),
        phone=read_phone("patient.phone", phone, region),
        language=language,
        zone=zone,
        arrival_wall=arrival_at,
        starts_wall=starts_at or arrival_at,
        tracer=tracer,
        reason=reason,
        site=site,
        permission=permission,
    )


def read_phone(field: str, phone: str, region: str = "US") -> str:
    """A textable number as E.164. Raises Invalid for what is no full number, or has an extension."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        raise Invalid(field, "not a phone number") from None
    if number.extension:
        raise Invalid(field, "a number with an extension cannot be texted")
    if not phonenumbers.is_valid_number(number):
        raise Invalid(field, "not a valid number; write it in full, such as +12125550123")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def read_moment(field: str, written: str, zone: ZoneInfo) -> datetime:
    """An ISO 8601 moment as UTC; without an offset it is the site's wall time.

    Raises Invalid for what is not a moment, and for a wall time that the spring change skips. Of the two moments that
    the autumn change shows alike, the first is meant.
    """
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Invalid(field, "an ISO 8601 date and time such as 2027-03-18T09:15") from None
    if "T" not in written and " " not in written:
        raise Invalid(field, "a date needs a time, such as 2027-03-18T09:15")
    if not 2000 <= at.year <= 2200:
        raise Invalid(field, "a year between 2000 and 2200")
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    if not exists(at.date(), at.time(), zone):
        raise Invalid(field, f"the clocks in {zone.key} skip this time that day")
    return at.replace(tzinfo=zone).astimezone(UTC)


def check_against_site(
    booking: Booking, site: Site, now: datetime, *, had: datetime | None = None
) -> tuple[datetime, datetime]:
    """The arrival and start as UTC, checked against the site and the clock. Raises Invalid naming the field.

    A visit may keep the arrival that it `had`, though it has passed.
    """
    zone = ZoneInfo(site.zone)
    arrival_at = read_moment("arrival_at", booking.arrival_wall, zone)
    starts_at = read_moment("starts_at", booking.starts_wall, zone)
    if arrival_at <= now and arrival_at != had:
        raise Invalid("arrival_at", "this moment has passed")
    if starts_at < arrival_at:
        raise Invalid("starts_at", "the scan cannot start before he arrives")
    if (starts_at - arrival_at).days > 0:
        raise Invalid("starts_at", "more than a day after the arrival")
    if booking.tracer not in site.prep:
        raise Invalid("tracer", f"{site.name} has instructions for {', '.join(sorted(site.prep))} only")
    return arrival_at, starts_at
