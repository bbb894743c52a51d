"""Plain words of a text: the form in which short answers and keywords are compared."""

import re
import unicodedata

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u201b": "'", "\u00b4": "'", "`": "'"})
_NOT_WORD = re.compile(r"[^\w' ]+")
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    """Lower case, accents folded, punctuation and control characters gone, single spaces.

    Bounded: only the first 1,600 characters count, the carrier's own limit for one text.
    """
    folded = unicodedata.normalize("NFKD", text[:1600].translate(_APOSTROPHES)).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c) and (c.isprintable() or c.isspace()))
    return _SPACES.sub(" ", _NOT_WORD.sub(" ", letters.replace("_", " "))).strip(" '")
