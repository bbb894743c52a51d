"""Who has signed which words. A signature holds the hash of the words it was given for: an edit makes a draft of them."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from messages.entry import Form


@dataclass(frozen=True)
class Review:
    """One signature under one text in one language."""

    by: str
    on: date
    words: str  # words_hash() of what was signed


def words_hash(bodies: Mapping[Form, str]) -> str:
    """Names exactly these words, in their forms."""
    return hashlib.sha256("\n".join(f"{form}\n{bodies[form]}" for form in sorted(bodies)).encode()).hexdigest()[:16]


def parse_reviews(text: str) -> dict[tuple[str, str], Review]:
    """(language, key) -> signature; raises ValueError for a table that cannot be read."""
    return {
        (language, key): Review(str(fields["by"]), fields["on"], str(fields["words"]))
        for language, keys in tomllib.loads(text).items()
        for key, fields in keys.items()
    }


def written(reviews: Mapping[tuple[str, str], Review]) -> str:
    """The table as its file holds it, in a settled order."""
    lines = ["# Signatures, written by `scanguide script --sign`. `words` is the hash of what was signed.\n"]
    for (language, key), review in sorted(reviews.items()):
        by = review.by.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f'[{language}.{key}]\nby = "{by}"\non = {review.on.isoformat()}\nwords = "{review.words}"\n')
    return "\n".join(lines)
