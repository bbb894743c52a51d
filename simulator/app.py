"""The carrier's web face: Twilio's REST contract, the switches, and the phone in the browser."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader
from starlette.staticfiles import StaticFiles

from simulator.carrier import Carrier, Message
from simulator.rest import install_errors, twilio_routes
from simulator.switches import switch_routes

_HERE = Path(__file__).parent
_pages = Environment(loader=FileSystemLoader(_HERE / "templates"), autoescape=True)


def create_app(
    carrier: Carrier,
    *,
    title: str = "Phone",
    clock_url: str | None = None,
    links: Sequence[tuple[str, str]] = (),
) -> FastAPI:
    """Build the application; every address in its page is relative, so it may be mounted below any path."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(twilio_routes(carrier))
    app.include_router(switch_routes(carrier))
    install_errors(app)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")

    @app.get("/")
    def phone() -> HTMLResponse:
        template = _pages.get_template("phone.html")
        return HTMLResponse(template.render(title=title, clock_url=clock_url, links=links))

    @app.get("/messages.json")
    def messages(since: int = 0) -> dict[str, Any]:
        version, changed = carrier.since(since)
        return {
            "epoch": carrier.epoch,
            "version": version,
            "numbers": [number.phone for number in carrier.numbers],
            "messages": [_bubble(message) for message in changed],
        }

    return app


def _bubble(message: Message) -> dict[str, Any]:
    """Write a message as the page shows it."""
    inbound = message.direction == "inbound"
    return {
        "sid": message.sid,
        "phone": message.from_ if inbound else message.to,
        "number": message.to if inbound else message.from_,
        "direction": "out" if inbound else "in",
        "body": message.shown,
        "media": message.num_media,
        "at": message.created_at.isoformat(),
        "status": _own_status(message) if inbound else message.status,
        "error": message.error_code,
    }


def _own_status(message: Message) -> str:
    if message.error_code:
        return "failed"
    return "answered" if message.answered_at else "sent"
