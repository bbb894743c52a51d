"""Rendering of people's pages: one template environment, escaping on, times as the clinic says them."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from starlette.templating import Jinja2Templates

from flows.tasks import TASKS
from messages.speech import spoken_day, spoken_phone, spoken_time

HERE = Path(__file__).parent
CSP = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
templates = Jinja2Templates(HERE / "templates")


def day_and_time(at: datetime, zone: str) -> str:
    """`Thursday, March 18, 9:15 am` on the clinic's clock."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{spoken_day(local, 'en')}, {spoken_time(local, 'en')}"


def ago(span: timedelta | None) -> str:
    """A span as people say it: `12 seconds`, `4 minutes`, `3 hours`, `2 days`."""
    if span is None:
        return "never"
    seconds = max(0, int(span.total_seconds()))
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or (name == "minute" and seconds >= size):
            count = seconds // size
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


templates.env.filters.update(
    when=day_and_time,
    day=lambda at, zone: spoken_day(at.astimezone(ZoneInfo(zone)), "en"),
    time=lambda at, zone: spoken_time(at.astimezone(ZoneInfo(zone)), "en"),
    phone=spoken_phone,
    ago=ago,
    task_title=lambda task: TASKS[task["kind"] if isinstance(task, dict) else task.kind].title,
)


def page(request: Request, name: str, context: dict[str, Any], status: int = 200) -> Response:
    """Render one page. Never kept by caches or the browser's history: it shows patients."""
    response = templates.TemplateResponse(request, name, context, status_code=status)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = CSP
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
