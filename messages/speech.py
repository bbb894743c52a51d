"""Days, times and phone numbers as people say them, in each language; plain characters only, as an SMS needs them."""

from datetime import datetime
from functools import lru_cache

import phonenumbers
from babel.dates import format_date, format_skeleton, format_time

_LOCALES = {"en": "en_US", "es": "es_US"}
_DAY = {"en": "EEEE, MMMM d", "es": "EEEE, d 'de' MMMM"}
_TIME = "h:mm a"
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " "})  # would turn a whole text into UCS-2


def spoken_day(local: datetime, language: str) -> str:
    """`Thursday, March 18`; `jueves, 18 de marzo`. `local` is the moment on the clinic's own clock."""
    return _day(local.replace(tzinfo=None), language)


def spoken_time(local: datetime, language: str) -> str:
    """`9:15 am`; `9:15 a. m.`."""
    return _time(local.replace(tzinfo=None), language)


def spoken_short(local: datetime, language: str) -> str:
    """`Mar 18, 9:15 am`; `18 mar, 9:15 a. m.`: one line of a list."""
    day = format_skeleton("MMMd", local.replace(tzinfo=None), locale=_LOCALES[language]).translate(_SPACES)
    return f"{day}, {spoken_time(local, language)}"


# Remembered by what a clock shows: moments with a zone are equal wherever they are the same instant, and a clinic in
# Chicago would be told New York's hour.


@lru_cache(maxsize=4096)
def _day(shown: datetime, language: str) -> str:
    return format_date(shown, _DAY[language], locale=_LOCALES[language]).translate(_SPACES)


@lru_cache(maxsize=4096)
def _time(shown: datetime, language: str) -> str:
    said = format_time(shown, _TIME, locale=_LOCALES[language]).translate(_SPACES)
    return said.lower() if language == "en" else said


@lru_cache(maxsize=1024)
def spoken_phone(phone: str) -> str:
    """A number as it is written in its own country; whatever is not a number stays as it is."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return phone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
