"""The script that ships: the flow's data and the texts, loaded once and proved before anyone may use them."""

from functools import lru_cache
from importlib.resources import files

from flows.check import prove
from flows.script import Script, parse
from messages.catalog import catalog


def source() -> str:
    """The shipped flow's own text."""
    return files("flows").joinpath("psma_pet.toml").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def script() -> Script:
    """The shipped script. Raises ScriptError or CatalogError for anything that is wrong with it."""
    loaded = parse(source(), catalog())
    prove(loaded)
    return loaded
