"""Who may call: every route declares one of these. The carrier by signature, systems by key, people by log-in."""

from dataclasses import dataclass
from typing import Annotated, cast
from urllib.parse import parse_qsl, urlsplit

from fastapi import Depends, HTTPException, Request
from sqlalchemy import text
from starlette.datastructures import FormData, UploadFile
from twilio.request_validator import RequestValidator

from service import keys
from service.wiring import Parts

MAX_FORM = 64 * 1024
MAX_FIELDS = 200


def parts_of(request: Request) -> Parts:
    """The parts this application was built with."""
    return cast(Parts, request.app.state.parts)


async def _the_parts(request: Request) -> Parts:
    """The same, without the hop to a thread that a plain function costs each request."""
    return parts_of(request)


TheParts = Annotated[Parts, Depends(_the_parts)]


# The carrier --------------------------------------------------------------------------------------------------------


async def signed_form(request: Request) -> FormData:
    """The whole form of a carrier's webhook, blanks and unknown fields included, if its signature is true; else 403.

    The signature covers the address as configured at the carrier, so it is built from PUBLIC_URL and never from what
    the request says of itself.
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise HTTPException(403, "only signed forms")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM:
            raise HTTPException(403, "too large")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise HTTPException(403, "unreadable") from None
    form = FormData(list[tuple[str, str | UploadFile]](pairs))
    parts = parts_of(request)
    raw_path = request.scope.get("raw_path", b"").decode("ascii", "replace").partition("?")[0]
    query = f"?{request.url.query}" if request.url.query else ""
    url = parts.settings.public_url.rstrip("/") + raw_path + query
    validator = cast(RequestValidator, request.app.state.validator)
    if not validator.validate(url, form, request.headers.get("x-twilio-signature", "")):
        raise HTTPException(403, "not signed by the carrier")
    return form


SignedForm = Annotated[FormData, Depends(signed_form)]


# Clinic systems -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Caller:
    """A clinic's system, by its key."""

    clinic_id: int
    actor: str


def api_caller(request: Request, parts: TheParts) -> Caller:
    """The clinic behind the bearer key; else 401."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        with parts.database.cross() as connection:
            row = connection.execute(
                text("select clinic_id, id from api_keys where digest = :digest and revoked_at is null"),
                {"digest": keys.digest(token.strip())},
            ).one_or_none()
        if row is not None:
            return Caller(row.clinic_id, f"key:{row.id}")
    raise HTTPException(401, "a valid API key is needed", {"WWW-Authenticate": "Bearer"})


ApiCaller = Annotated[Caller, Depends(api_caller)]


# People -------------------------------------------------------------------------------------------------------------


class LogIn(Exception):
    """The page needs a log-in first; carries where that is."""

    def __init__(self, door: str) -> None:
        super().__init__(door)
        self.door = door


@dataclass(frozen=True)
class Person:
    """Someone logged in; `clinic_id` is 0 for an operator."""

    id: int
    name: str
    clinic_id: int
    actor: str


def same_site(request: Request) -> None:
    """Refuse a form that another site's page sent in a person's name."""
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("origin", "")
    if origin:
        if urlsplit(origin).netloc == request.headers.get("host", ""):
            return
    elif request.headers.get("sec-fetch-site") == "same-origin":
        return
    raise HTTPException(403, "this form did not come from our own page")


def staff(request: Request) -> Person:
    """The staff member logged in; else on to the log-in page."""
    same_site(request)
    found = request.session.get("staff")
    if not found:
        raise LogIn("/clinic/login")
    return Person(found["id"], found["name"], found["clinic_id"], f"staff:{found['id']}")


def operator(request: Request) -> Person:
    """The operator logged in; else on to the log-in page."""
    same_site(request)
    found = request.session.get("operator")
    if not found:
        raise LogIn("/ops/login")
    return Person(found["id"], found["name"], 0, f"operator:{found['id']}")


def anyone(request: Request) -> None:
    """A route open to anybody; forms still only from our own pages."""
    same_site(request)


StaffMember = Annotated[Person, Depends(staff)]
OperatorPerson = Annotated[Person, Depends(operator)]
