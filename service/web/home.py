"""The front door: which way in is yours."""

from fastapi import APIRouter, Depends, Request, Response

from service.web.access import TheParts, anyone
from service.web.pages import page

router = APIRouter(include_in_schema=False, dependencies=[Depends(anyone)])


@router.get("/")
def home(request: Request, parts: TheParts) -> Response:
    """Links to the doors for people; the demo shows its phone and its log-ins too."""
    return page(request, "home.html", {"demo": parts.settings.environment == "demo"})
