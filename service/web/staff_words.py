"""What is wrong with a field, in the words of the forms: systems read names of fields and ISO moments, people do not."""

from service.errors import Conflict, Invalid

_WORDS = {
    "such as +12125550123": "such as (212) 555-0123",
    "an ISO 8601 date and time such as 2027-03-18T09:15": "a day and a time",
    "a date needs a time, such as 2027-03-18T09:15": "a day and a time",
    "1 to 100 letters, digits or . : @ / + - _": "letters, digits or . : @ / + - _ without spaces, at most 100",
}


def for_staff(wrong: Invalid | Conflict) -> str:
    """One sentence without the field's name."""
    said = wrong.detail if isinstance(wrong, Invalid) else str(wrong)
    for ours, theirs in _WORDS.items():
        said = said.replace(ours, theirs)
    return f"{said[:1].upper()}{said[1:]}."
