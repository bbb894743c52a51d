"""A conversation ends on the words it began with; it is moved to others only on purpose, and nobody into a dead end."""

import json
from collections.abc import Mapping

import pytest
from sqlalchemy import text

from flows.script import Script, ScriptError
from flows.shipped import script as shipped
from flows.shipped import source as shipped_flow
from messages.catalog import shipped_sources
from service import scripts
from service.errors import Invalid, NotFound
from tests.house import House

OLD_WORDS, NEW_WORDS = "What this old scan is", "What the scan is"


def publish(house: House, change: Mapping[str, str]) -> Script:
    """An earlier script, published: the shipped one with some words exchanged."""
    sources = {scripts.FLOW: shipped_flow(), **shipped_sources()}
    for old, new in change.items():
        assert any(old in words for words in sources.values())
        sources = {path: words.replace(old, new) for path, words in sources.items()}
    earlier = scripts.of_sources(sources)
    house.rows(
        "insert into scripts (digest, name, sources, unsigned, published_at, published_by) "
        "values (:digest, 'earlier', cast(:sources as jsonb), 0, :at, 'test') returning digest",
        digest=earlier.digest,
        sources=json.dumps(sources),
        at=house.clock.at,
    )
    return earlier


def began_on(house: House, script: Script) -> None:
    """The only conversation is one that began on it."""
    house.opt_in()
    house.rows("update conversations set script = :digest returning id", digest=script.digest)


def test_a_conversation_goes_on_in_the_words_it_began_with(house: House) -> None:
    began_on(house, publish(house, {NEW_WORDS: OLD_WORDS}))
    (menu,) = house.text("MENU")
    assert OLD_WORDS in menu


def test_a_move_says_whom_it_would_touch_and_touches_nobody_until_it_is_meant(house: House) -> None:
    earlier, newest = publish(house, {NEW_WORDS: OLD_WORDS}), shipped()
    began_on(house, earlier)
    database = house.parts.database
    (row,) = scripts.move(database, earlier.digest, newest.digest, {}, really=False)
    assert (row.clinic_id, row.to, row.conversations) == (house.clinic.clinic_id, row.state, 1)
    assert OLD_WORDS in house.text("MENU")[0]
    scripts.move(database, earlier.digest, newest.digest, {}, really=True)
    assert NEW_WORDS in house.text("MENU")[0]


def test_nobody_is_moved_into_a_question_that_the_new_script_does_not_ask(house: House) -> None:
    earlier, newest = publish(house, {NEW_WORDS: OLD_WORDS}), shipped()
    began_on(house, earlier)
    house.rows("update conversations set state = 'long_gone' returning id")
    database = house.parts.database
    with pytest.raises(ScriptError, match="long_gone"):
        scripts.move(database, earlier.digest, newest.digest, {}, really=True)
    scripts.move(database, earlier.digest, newest.digest, {"long_gone": "ready"}, really=True)
    assert house.rows("select state, script from conversations") == [{"state": "ready", "script": newest.digest}]


def test_production_publishes_nothing_that_a_clinician_has_not_signed(house: House) -> None:
    settings = house.settings.model_copy(update={"environment": "production"})
    with pytest.raises(Invalid, match="not signed"):
        scripts.publish(house.parts.database, settings, by="test", now=house.clock.at)


def test_a_script_that_was_never_published_is_not_made_up(house: House) -> None:
    with pytest.raises(NotFound):
        scripts.find(house.parts.database, "f" * 64)


def test_a_script_is_published_once_and_kept_as_it_is(house: House) -> None:
    database, settings = house.parts.database, house.settings
    first = scripts.publish(database, settings, by="test", now=house.clock.at)
    assert scripts.publish(database, settings, by="other", now=house.clock.at) == first
    with database.cross() as connection:
        kept = connection.execute(text("select count(*) from scripts where digest = :d"), {"d": first}).scalar()
    assert kept == 1
