"""Logging in and out, for staff and operators alike."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import text

from service import keys
from service.web.access import TheParts, anyone
from service.web.pages import page
from service.wiring import Parts

router = APIRouter(include_in_schema=False, dependencies=[Depends(anyone)])

# Compared against when the address is unknown, so that the answer takes as long as for a known one.
_NOBODY = keys.hash_password("nobody has this password")


@router.get("/clinic/login")
@router.get("/ops/login")
def form(request: Request) -> Response:
    """The log-in form of either door."""
    return page(request, "login.html", {"door": _door(request), "wrong": False, "email": ""})


@router.post("/clinic/login")
@router.post("/ops/login")
def log_in(
    request: Request,
    parts: TheParts,
    email: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=200)],
) -> Response:
    """Check the password; a wrong one says no more than that the two do not belong together."""
    door = _door(request)
    found = _find(parts, door, email.strip().lower())
    stored = str(found["password_hash"]) if found else _NOBODY
    if not keys.password_matches(stored, password) or found is None:
        return page(request, "login.html", {"door": door, "wrong": True, "email": email.strip()}, 403)
    request.session.clear()
    if door == "clinic":
        request.session["staff"] = {"id": found["id"], "name": found["name"], "clinic_id": found["clinic_id"]}
    else:
        request.session["operator"] = {"id": found["id"], "name": found["name"]}
    return RedirectResponse(f"/{door}", 303)


@router.post("/clinic/logout")
@router.post("/ops/logout")
def log_out(request: Request) -> Response:
    """Forget who this was."""
    request.session.clear()
    return RedirectResponse(f"/{_door(request)}/login", 303)


def _door(request: Request) -> str:
    return request.url.path.split("/")[1]


def _find(parts: Parts, door: str, email: str) -> dict[str, object] | None:
    table = "staff" if door == "clinic" else "operators"
    columns = "id, name, password_hash" + (", clinic_id" if door == "clinic" else "")
    with parts.database.cross() as connection:
        statement = text(f"select {columns} from {table} where email = :email")  # noqa: S608 - two fixed names
        row = connection.execute(statement, {"email": email}).mappings().one_or_none()
    return dict(row) if row else None
