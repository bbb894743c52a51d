"""Load the flow into frozen types. A mistake in the data is an error at load, with its place and what to do.

The flow together with the texts is the *script*; its hash names exactly what a conversation was started with.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows.model import Consent, Effect, Freeze, LayJourney, Note, OpenTask
from flows.tasks import TASKS
from messages.catalog import FORMS, Catalog

SAME = "same"  # a target that keeps the open question
NEXT = "next_page"  # say the page after the one said last
PENDING = "pending"  # say the answer that was waiting for permission to name the scan


class ScriptError(ValueError):
    """The flow's data is wrong; the message says where and what to do."""


@dataclass(frozen=True)
class Answer:
    """What one accepted answer leads to. Exactly one of `say`, `topic`, `option` and `visit` speaks."""

    words: frozenset[str]
    to: str
    say: tuple[str, ...] = ()
    topic: str = ""
    option: int = 0  # the nth of the offered topics
    visit: int = 0  # the nth of the offered visits
    form: str = ""  # only in this form of the conversation; empty: in both
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class State:
    """One open question: how it is asked again, what it accepts, and which topics may be answered meanwhile."""

    name: str
    about: str
    asks: str = ""
    insists: bool = False
    topics: frozenset[str] | None = None  # None: every topic
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True)
class Touchpoint:
    """One planned moment's words; `folded` is what it says inside another text, `done` once the scan is completed."""

    name: str
    say: tuple[str, ...]
    folded: tuple[str, ...]
    done: tuple[str, ...]
    ask: str = ""
    opens: str = ""
    logistics: bool = False
    day: bool = False


@dataclass(frozen=True)
class Script:
    """The flow and its texts, proved to fit together."""

    name: str
    start: str
    states: Mapping[str, State]
    anywhere: tuple[Answer, ...]
    routes: Mapping[str, Answer]
    touchpoints: Mapping[str, Touchpoint]
    texts: Catalog
    digest: str
    source: str  # the flow's own text, to say on which line a mistake is


def _effect(place: str, word: str) -> Effect:
    match word.split(":"):
        case ["consent", ("texts" | "detail") as kind, ("yes" | "no") as given]:
            return Consent(kind, given == "yes", "")
        case ["lay_journey"]:
            return LayJourney()
        case ["freeze"]:
            return Freeze()
        case ["task", kind] if kind in TASKS:
            return OpenTask(kind)
        case ["note", *rest] if rest:
            return Note(":".join(rest))
    raise ScriptError(f"{place}: unknown effect {word!r}")


def _answer(place: str, table: dict[str, Any]) -> Answer:
    _known(place, table, Answer)
    if table.get("form", "") not in ("", *FORMS):
        raise ScriptError(f"{place}: form {table['form']!r} is none of {', '.join(FORMS)}")
    if "to" not in table:
        raise ScriptError(f"{place}: add `to`: the state that follows")
    if sum(map(bool, (table.get("say"), table.get("topic"), table.get("option"), table.get("visit")))) != 1:
        raise ScriptError(f"{place}: give exactly one of say, topic, option, visit")
    return Answer(
        words=frozenset(table.get("words", ())),
        to=table["to"],
        say=tuple(table.get("say", ())),
        topic=table.get("topic", ""),
        option=table.get("option", 0),
        visit=table.get("visit", 0),
        form=table.get("form", ""),
        effects=tuple(_effect(place, word) for word in table.get("effects", ())),
    )


def _known(place: str, table: dict[str, Any], kind: type) -> None:
    unknown = table.keys() - kind.__dataclass_fields__.keys()  # type: ignore[attr-defined]
    if unknown:
        raise ScriptError(f"{place}: remove {', '.join(sorted(unknown))}")


def _state(name: str, table: dict[str, Any]) -> State:
    _known(f"states.{name}", table, State)
    if "about" not in table:
        raise ScriptError(f"states.{name}: add `about`: what is asked here")
    topics = table.get("topics")
    return State(
        name=name,
        about=table["about"],
        asks=table.get("asks", ""),
        insists=table.get("insists", False),
        topics=None if topics is None else frozenset(topics),
        answers=tuple(_answer(f"states.{name}", answer) for answer in table.get("answers", ())),
    )


def _touchpoint(name: str, table: dict[str, Any]) -> Touchpoint:
    _known(f"touchpoints.{name}", table, Touchpoint)
    if not table.get("say"):
        raise ScriptError(f"touchpoints.{name}: add `say`")
    say = tuple(table["say"])
    return Touchpoint(
        name=name,
        say=say,
        folded=tuple(table.get("folded", say)),
        done=tuple(table.get("done", say)),
        ask=table.get("ask", ""),
        opens=table.get("opens", ""),
        logistics=table.get("logistics", False),
        day=table.get("day", False),
    )


def parse(text: str, texts: Catalog) -> Script:
    """Read a flow's data; raises ScriptError for anything it cannot mean. Not yet proved: see flows/check.py."""
    try:
        return _script(text, texts)
    except tomllib.TOMLDecodeError as error:
        raise ScriptError(f"the flow is not readable TOML: {error}") from error
    except KeyError as error:
        raise ScriptError(f"the flow lacks {error}") from error
    except ScriptError as error:
        raise located(text, error) from None


def located(text: str, error: ScriptError) -> ScriptError:
    """The same error with the line of the flow at which the part that it names begins."""
    part = re.match(r"((?:states|touchpoints|routes)\.\w+)", str(error))
    head = re.search(rf"^\[{re.escape(part[1])}\]", text, re.MULTILINE) if part else None
    return ScriptError(f"line {text.count(chr(10), 0, head.start()) + 1}: {error}") if head else error


def _script(text: str, texts: Catalog) -> Script:
    table = tomllib.loads(text)
    return Script(
        name=table["name"],
        start=table["start"],
        states={name: _state(name, fields) for name, fields in table["states"].items()},
        anywhere=tuple(_answer("anywhere", fields) for fields in table["anywhere"]),
        routes={topic: _answer(f"routes.{topic}", fields) for topic, fields in table["routes"].items()},
        touchpoints={name: _touchpoint(name, fields) for name, fields in table["touchpoints"].items()},
        texts=texts,
        digest=hashlib.sha256(f"{texts.digest}\n{text}".encode()).hexdigest(),
        source=text,
    )
