"""How long the words of a site may be, and the worst case of every value: what each text's segments are proved against.

A site may write its words plainly (GSM-7), or with letters such as á that make a whole text cost more than twice as much
(UCS-2); for the second the same room holds fewer characters.
"""

from collections.abc import Mapping

from messages.sms import outside_gsm

# Characters of each field, in plain letters. The others get LESS of it.
LONGEST: Mapping[str, int] = {
    "name": 30,
    "address": 80,
    "arrival_note": 80,
    "prep": 220,
    "food_drink": 120,
    "radiation": 110,
    "results_timing": 75,
    "terms_url": 30,
}
LESS = 0.45
ALWAYS_PLAIN = frozenset({"name", "address", "terms_url"})  # stand in texts of every language

_SENTENCES = {
    "en": "Please follow exactly what the team has told you about this, and call us if anything is unclear. ",
    "es": "Siga por favor lo que le ha dicho el equipo del centro y llame si algo no le queda claro. ",
}
_ACCENTED = "Siga lo que le indicó el equipo médico aquí y llame si algo está mal explicado o le preocupa. "


def room(field: str, words: str) -> int:
    """How many characters `field` may have, written like `words`."""
    return LONGEST[field] if not outside_gsm(words) else int(LONGEST[field] * LESS)


def _long(sentence: str, characters: int) -> str:
    return (sentence * 4)[: characters - 1].rstrip() + "."


def worst_values(language: str) -> list[dict[str, str]]:
    """The longest values a text may be given in `language`: in plain letters, and for Spanish in accented ones too."""
    english = language == "en"
    fixed = {
        "site": _long(_SENTENCES[language], LONGEST["name"]),
        "address": _long(_SENTENCES[language], LONGEST["address"]),
        "terms_url": "x" * LONGEST["terms_url"],
        "phone": "(212) 555-0100",
        "after_hours_phone": "(212) 555-0199",
        "count": "12",
        "visit_day": "Wednesday, September 30" if english else "miércoles, 30 de septiembre",
        "arrival_time": "10:15 am" if english else "10:15 a.m.",
        "later_time": "11:15 am" if english else "11:15 a.m.",
        "visits": "\n".join(f"{n} Sep 30, 10:15 am" if english else f"{n} 30 sept, 10:15 a.m." for n in (1, 2, 3)),
        "guide_url": "https://texts.example.org/g/" + "x" * 22,
        "options": "1 Which blood level it needs\n2 Compared with other scans\n3 Being near other people",
        "task": "12345",
        "url": "https://texts.example.org/clinic/tasks",
    }
    said = {name: size for name, size in LONGEST.items() if name not in ALWAYS_PLAIN}
    plain = fixed | {name: _long(_SENTENCES[language], size) for name, size in said.items()}
    if english:
        return [plain]
    accented = fixed | {name: _long(_ACCENTED, int(size * LESS)) for name, size in said.items()}
    return [plain, accented]


def saturday_values() -> dict[str, str]:
    """Spanish values on the one day of the week whose name is not plain. It keeps its accent, and may cost twice."""
    plain = worst_values("es")[0]
    return plain | {"visit_day": "sábado, 26 de septiembre"}
