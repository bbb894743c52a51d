"""The carrier's own segment count, written apart from ours so that the two check each other."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def count_segments(body: str) -> int:
    """Count the parts a text travels in: GSM-7 160/153 septets, else UCS-2 70/67 code units."""
    if all(char in _BASIC or char in _EXTENDED for char in body):
        sizes, single, part = [2 if char in _EXTENDED else 1 for char in body], 160, 153
    else:
        sizes, single, part = [2 if ord(char) > 0xFFFF else 1 for char in body], 70, 67
    if sum(sizes) <= single:
        return 1
    # Neither an escape pair nor a surrogate pair may straddle two parts, so the parts are filled one by one.
    parts, room = 1, part
    for size in sizes:
        if size > room:
            parts, room = parts + 1, part
        room -= size
    return parts
