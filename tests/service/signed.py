"""The carrier's own hand, for tests of our doors: signed forms, and a second web process with other settings."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import httpx
from twilio.request_validator import RequestValidator

from service import doorbell
from service.demo_data import CLINIC_NUMBER, PATIENT_NUMBER
from service.web.app import create_app
from service.wiring import open_parts
from tests.house import PLAIN, House, serving

INBOUND = "/twilio/inbound"
EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def text_form(sid: str, body: str, **more: str) -> dict[str, str]:
    """A text as the carrier describes it, blank and needless fields included."""
    form = {"MessageSid": sid, "From": PATIENT_NUMBER, "To": CLINIC_NUMBER, "Body": body, "NumMedia": "0"}
    return {**form, "FromCity": "", "ApiVersion": "2010-04-01", **more}


def signature(house: House, path: str, form: Mapping[str, str], token: str = "") -> str:
    """The signature of a form, by the carrier's own library."""
    validator = RequestValidator(token or house.settings.twilio_auth_token)
    return str(validator.compute_signature(house.settings.public_url + path, form))


def post(house: House, path: str, form: Mapping[str, str], web: httpx.Client | None = None) -> httpx.Response:
    """Post a truly signed form."""
    headers = {"X-Twilio-Signature": signature(house, path, form)}
    return (web or house.web).post(path, data=dict(form), headers=headers)


def receipt(house: House, ref: str, status: str, sid: str = "SMx", **more: str) -> httpx.Response:
    """Post a signed status callback about the text `ref`."""
    form = {"MessageSid": sid, "MessageStatus": status, **more}
    return post(house, f"/twilio/status/{house.clinic.clinic_id}/{ref}", form)


def stored(house: House) -> dict[str, int]:
    """How many rows each table holds."""
    tables = [row["tablename"] for row in house.rows("select tablename from pg_tables where schemaname = 'public'")]
    query = " union all ".join(f"select '{table}' as name, count(*) as n from {table}" for table in tables)
    return {row["name"]: row["n"] for row in house.rows(query)}


def outbound(house: House, where: str = "true") -> list[dict[str, Any]]:
    """The outbox, oldest first."""
    return house.rows(f"select * from outbound where {where} order by id")


@contextmanager
def second_door(house: House, *, ring: bool = False, **changes: str) -> Iterator[httpx.Client]:
    """Another web process of the same house with other settings."""
    settings = house.settings.model_copy(update=changes)
    parts = open_parts(settings, ring=None if ring else doorbell.silent, now=house.clock)
    with serving(create_app(parts)) as url, httpx.Client(base_url=url, timeout=30, verify=PLAIN) as web:
        try:
            yield web
        finally:
            parts.database.forget_connections()


@contextmanager
def browser(house: House, door: str) -> Iterator[httpx.Client]:
    """Somebody logged in at `clinic` or `ops`."""
    with closing(house.log_in(door)) as client:
        yield client
