"""Fill an approved text with its values, strictly: a missing or an extra value is an error, never a blank."""

from collections.abc import Mapping
from dataclasses import dataclass

from messages.catalog import Catalog, CatalogError, Form
from messages.sms import Encoding, count


class RenderError(ValueError):
    """A text was given values it does not take, lacks values it needs, or has no words in the form asked for."""


@dataclass(frozen=True)
class Text:
    """Words ready for a phone: exactly what is sent, what it is called, and what it costs."""

    key: str
    language: str
    form: Form
    body: str
    segments: int
    encoding: Encoding


def render(catalog: Catalog, key: str, language: str, form: Form, values: Mapping[str, str]) -> Text:
    """Render `key` with exactly the values it takes.

    Raises RenderError for a missing or extra value or a form without words, CatalogError for an unknown key.
    """
    entry = catalog.entry(key, language)
    if form not in entry.bodies:
        raise RenderError(f"{key} has no {form} form: ask for permission to name the scan first")
    wanted = entry.fields(form)
    if wanted != values.keys():
        missing, extra = sorted(wanted - values.keys()), sorted(values.keys() - wanted)
        raise RenderError(f"{key} ({language}, {form}): missing {missing}, extra {extra}")
    blank = sorted(name for name, value in values.items() if not value.strip())
    if blank:
        raise RenderError(f"{key} ({language}, {form}): {blank} must not be blank")
    return _text((key,), language, form, entry.bodies[form].format_map(values))


def join(texts: list[Text]) -> Text:
    """Several rendered texts as one, a blank line between them: how a late booking's reminders are merged."""
    first = texts[0]
    if any((text.language, text.form) != (first.language, first.form) for text in texts):
        raise CatalogError("texts of different languages or forms cannot be one text")
    return _text(
        tuple(text.key for text in texts), first.language, first.form, "\n\n".join(text.body for text in texts)
    )


def _text(keys: tuple[str, ...], language: str, form: Form, body: str) -> Text:
    cost = count(body)
    return Text("+".join(keys), language, form, body, cost.segments, cost.encoding)
