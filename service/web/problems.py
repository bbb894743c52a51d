"""Errors as their callers read them: problem+json (RFC 9457) for systems, a plain page for people."""

import logging
from collections.abc import Callable

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from service.errors import Conflict, Invalid, NotFound
from service.web.access import LogIn
from service.web.pages import page

log = logging.getLogger(__name__)


def problem(status: int, title: str, detail: str, errors: list[dict[str, str]] | None = None) -> JSONResponse:
    """One problem document; `errors` name each wrong field."""
    body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, media_type="application/problem+json")


def answer(request: Request, status: int, title: str, detail: str, field: str = "") -> Response:
    """The same trouble, said to a system, to a person, or to a machine."""
    if request.url.path.startswith("/api/"):
        return problem(status, title, detail, [{"field": field, "detail": detail}] if field else None)
    if request.url.path.startswith(("/clinic", "/ops")):
        return page(request, "problem.html", {"title": title, "detail": detail}, status)
    return Response(detail, status, media_type="text/plain")


def _invalid(request: Request, error: Invalid) -> Response:
    return answer(request, 422, "Not acceptable", error.detail, error.field)


def _malformed(request: Request, error: RequestValidationError) -> Response:
    found = [
        {"field": ".".join(str(part) for part in item["loc"][1:]) or "body", "detail": item["msg"]}
        for item in error.errors()
    ]
    if request.url.path.startswith("/api/"):
        return problem(422, "Not acceptable", "the request does not have the form described", found)
    return answer(request, 422, "Not acceptable", "; ".join(f"{e['field']}: {e['detail']}" for e in found))


def _not_found(request: Request, error: NotFound) -> Response:
    return answer(request, 404, "Not found", str(error))


def _conflict(request: Request, error: Conflict) -> Response:
    return answer(request, 409, "Does not fit", str(error))


def _http(request: Request, error: HTTPException) -> Response:
    response = answer(request, error.status_code, "Not possible", str(error.detail))
    response.headers.update(error.headers or {})
    return response


def _log_in(request: Request, error: LogIn) -> Response:
    if "hx-request" in request.headers:  # an open page that renews itself: reload it, rather than put the form into it
        return Response(status_code=204, headers={"HX-Refresh": "true"})
    return RedirectResponse(error.door, 303)


def _away(request: Request, error: Exception) -> Response:
    """The database is away: say so at once, so that the carrier tries again or asks the fallback address."""
    log.error("the database did not answer (%s)", type(error).__name__)
    return answer(request, 503, "Not available", "please try again in a moment")


def install(app: FastAPI) -> None:
    """Turn every error that reaches a door into an answer."""
    handlers: dict[type[Exception], Callable[..., Response]] = {
        Invalid: _invalid,
        RequestValidationError: _malformed,
        NotFound: _not_found,
        Conflict: _conflict,
        HTTPException: _http,
        LogIn: _log_in,
        OperationalError: _away,
        InterfaceError: _away,
        PoolTimeout: _away,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
