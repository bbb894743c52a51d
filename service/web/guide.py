"""The guide as a page: one patient's link, no log-in, no script, no cookie, nothing kept by anyone on the way."""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup, escape

from messages.catalog import LANGUAGES
from messages.render import render
from messages.speech import spoken_phone
from service import guide_links
from service.calendar_entry import icalendar
from service.guide_page import GROUPS, PICTURES, Guide, guide
from service.store.facts import SiteWords
from service.web.access import TheParts, anyone
from service.web.pages import page
from service.wiring import Parts

router = APIRouter(include_in_schema=False, dependencies=[Depends(anyone)])

_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is the key: the map and our own files must not be told it
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
_EMERGENCY = re.compile(r"\b(?:911|988)\b")


def _find(parts: Parts, token: str, language: str, now: datetime) -> Guide | None:
    focus = guide_links.follow(parts.database, token, now)
    return guide(focus, parts.scripts.of(focus.script), parts.script, language) if focus is not None else None


def _private(response: Response) -> Response:
    response.headers.update(_PRIVATE)
    return response


def _gone(request: Request, parts: Parts) -> Response:
    """The one answer to every link that leads nowhere, in both languages as we do not know whose it is."""

    def words(key: str, language: str) -> Markup:
        return _dial(render(parts.script.texts, key, language, "general", {}).body, {})

    return _private(page(request, "guide_gone.html", {"say": words, "languages": LANGUAGES}, 404))


@router.get("/g/{token}")
def show(request: Request, parts: TheParts, token: str, lang: str = "") -> Response:
    """The guide, at this moment of his journey."""
    now = parts.now()
    found = _find(parts, token, lang, now)
    if found is None:
        return _gone(request, parts)
    site = found.focus.site
    context = {
        "guide": found,
        "site": site,
        "say": _speaker(site, found.say),
        "dial": _speaker(site, str),
        "steps": found.steps(now),
        "asking": found.asking(),
        "groups": {name: found.answers(name) for name in GROUPS},
        "pictures": PICTURES,
        "other": next(language for language in LANGUAGES if language != found.language),
        "map_url": f"https://www.openstreetmap.org/search?query={quote(site.address)}",
        "path": f"/g/{token}",
        "unsigned": bool(found.script.texts.unsigned()),
    }
    return _private(page(request, "guide.html", context))


@router.get("/g/{token}/visit.ics")
def calendar(request: Request, parts: TheParts, token: str, lang: str = "") -> Response:
    """The visit for his own calendar."""
    now = parts.now()
    found = _find(parts, token, lang, now)
    if found is None:
        return _gone(request, parts)
    content = icalendar(found.entry(parts.settings.public_url), now)
    headers = {"Content-Disposition": 'inline; filename="visit.ics"', "X-Content-Type-Options": "nosniff"}
    return _private(Response(content, media_type="text/calendar; charset=utf-8", headers=headers))


# Numbers that can be tapped -----------------------------------------------------------------------------------------


def _speaker(site: SiteWords, words: Callable[[str], str]) -> Callable[[str], Markup]:
    """Words of ours or of the site, escaped, with the numbers to call as links."""
    numbers = {spoken_phone(phone): phone for phone in (site.phone, site.after_hours_phone) if phone}
    return lambda said: _dial(words(said), numbers)


def _dial(words: str, numbers: dict[str, str]) -> Markup:
    """Escaped words in which each known number, 911 and 988 can be tapped. Other numbers are figures and stay words."""
    known = "|".join(re.escape(spoken) for spoken in numbers)
    wanted = re.compile(f"{known}|{_EMERGENCY.pattern}" if known else _EMERGENCY.pattern)
    done, at = Markup(), 0
    for hit in wanted.finditer(words):
        done += escape(words[at : hit.start()])
        done += Markup('<a class="dial" href="tel:{}">{}</a>').format(numbers.get(hit[0], hit[0]), hit[0])
        at = hit.end()
    return done + escape(words[at:])
