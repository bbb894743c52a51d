"""How many segments a text costs, counted as the carrier bills it.

GSM 03.38 packs 160 septets in a single text and 153 in each part of a longer one; one character outside the alphabet
turns the whole text into UCS-2 with 70 and 67 UTF-16 units. An escaped pair or a surrogate pair is never split over two
parts, so dividing and rounding up undercounts: the loop below fills parts greedily, as Twilio's published calculator does.
"""

from dataclasses import dataclass
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENDED = frozenset("\f^{}\\[~]|€")  # an escape septet and one more

_SIZES: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True)
class Count:
    """The encoding a text needs, its length in that encoding's units, and the segments it is sent as."""

    encoding: Encoding
    units: int
    segments: int


def outside_gsm(text: str) -> str:
    """The characters, in order and once each, that would turn `text` into UCS-2."""
    return "".join(dict.fromkeys(c for c in text if c not in GSM_BASIC and c not in GSM_EXTENDED))


def count(text: str) -> Count:
    """Count `text` as the carrier does; an empty text is no segment."""
    encoding: Encoding = "UCS-2" if outside_gsm(text) else "GSM-7"
    if encoding == "GSM-7":
        sizes = [2 if character in GSM_EXTENDED else 1 for character in text]
    else:
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
    single, part = _SIZES[encoding]
    units = sum(sizes)
    if units <= single:
        return Count(encoding, units, min(1, units))
    segments, used = 1, 0
    for size in sizes:
        if used + size > part:
            segments, used = segments + 1, 0
        used += size
    return Count(encoding, units, segments)
