"""Days, times and phone numbers as people say them, in each language; plain characters only, as an SMS needs them."""

from datetime import datetime
from functools import lru_cache

import phonenumbers
from babel.dates import format_date, format_skeleton, format_time

_LOCALES = {"en": "en_US", "es": "es_US"}
_DAY = {"en": "EEEE, MMMM d", "es": "EEEE, d 'de' MMMM"}
_TIME = "h:mm a"
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})  # would turn a whole text into UCS-2


@lru_cache(maxsize=4096)
def spoken_day(local: datetime, language: str) -> str:
    """`Thursday, March 18`; `jueves, 18 de marzo`. `local` is the moment on the clinic's own clock."""
    return format_date(local, _DAY[language], locale=_LOCALES[language]).translate(_SPACES)


@lru_cache(maxsize=4096)
def spoken_time(local: datetime, language: str) -> str:
    """`9:15 am`; `9:15 a. m.`."""
    said = format_time(local, _TIME, locale=_LOCALES[language]).translate(_SPACES)
    return said.lower() if language == "en" else said


def spoken_short(local: datetime, language: str) -> str:
    """`Mar 18, 9:15 am`; `18 mar, 9:15 a. m.`: one line of a list."""
    day = format_skeleton("MMMd", local, locale=_LOCALES[language]).translate(_SPACES)
    return f"{day}, {spoken_time(local, language)}"


@lru_cache(maxsize=1024)
def spoken_phone(phone: str) -> str:
    """A number as it is written in its own country; whatever is not a number stays as it is."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
