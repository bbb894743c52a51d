"""A mistake in the flow's data must fail when it is loaded, naming the place, never in a conversation."""

import pytest

from flows.check import forms_of, prove
from flows.diagram import mermaid
from flows.script import Script, ScriptError, parse
from flows.shipped import script, source
from messages.catalog import Catalog, catalog

STATE = "[states.rating]"
LONELY = '[states.lonely]\nabout = "x"\n\n'
TRAP = """[states.trap]
about = "x"
topics = []
answers = [{{ words = ["1"], say = ["menu"], to = "{to}" }}]

[touchpoints.trapped]
say = ["after"]
opens = "trap"

"""


def _proved(old: str, new: str) -> Script:
    assert old in source()
    wrong = parse(source().replace(old, new, 1), catalog())
    prove(wrong)
    return wrong


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"consent:texts:yes"', '"consent:texts:maybe"', r"states\.invited: unknown effect 'consent:texts:maybe'"),
        ('"task:check_missed"', '"task:nothing"', r"states\.check: unknown effect 'task:nothing'"),
        ('"note:confirmed"', '"note"', r"states\.confirm: unknown effect 'note'"),
        ('effects = ["task:running_late"]', 'effects = ["runs"]', r"routes\.running_late: unknown effect 'runs'"),
        ('say = ["menu"]\n', 'say = ["menu"]\ntopic = "prep"\n', r"anywhere: give exactly one of say, topic, option"),
        ("option = 2,", 'option = 2, say = ["menu"],', r"states\.choose: give exactly one of"),
        ('say = ["smalltalk"]\n', "", r"routes\.smalltalk: give exactly one of"),
        ("option = 2,", 'option = 2, colour = "red",', r"states\.choose: remove colour"),
        ('to = "detail", effects', 'to = "nowhere", effects', r"states\.invited: goes to 'nowhere'"),
        ('to = "menu"\n', 'to = "meny"\n', r"anywhere: goes to 'meny'"),
        ('opens = "rating"', 'opens = "ratings"', r"touchpoints\.goodbye: opens 'ratings'"),
        (STATE, LONELY + STATE, r"states\.lonely: unreachable"),
        (STATE, TRAP.format(to="trap") + STATE, r"states\.trap: a dead end"),
        (STATE, TRAP.format(to="same") + STATE, r"states\.trap: a dead end"),
        ('asks = "confirm_ask"\n', "", r"states\.confirm: insists, so it needs `asks`"),
        ('asks = "confirm_ask"\n', 'asks = "confirm_asks"\n', r"states\.confirm: says 'confirm_asks'"),
        ('say = ["rating_thanks"]', 'say = ["rating_thank"]', r"states\.rating: says 'rating_thank'"),
        ('topic = "prep"', 'topic = "preps"', r"states\.menu: says 'preps'"),
        ('folded = ["today_folded"]', 'folded = ["today_fold"]', r"touchpoints\.today: says 'today_fold'"),
        ('done = ["after_done"]', 'done = ["after_did"]', r"touchpoints\.after: says 'after_did'"),
        ('ask = "check_ask"\nopens', 'ask = "check_as"\nopens', r"touchpoints\.tomorrow: says 'check_as'"),
        ('"about_{reason}"', '"abut_{reason}"', r"touchpoints\.about: says 'abut_"),
        ('about = "Will he come?"\n', "", "states\\.confirm: add `about`"),
        ('start = "ready"\n', "", "the flow lacks 'start'"),
        ('name = "psma_pet"', "name = ", "not readable TOML"),
        ('start = "ready"', 'start = "nowhere"', "'nowhere'"),
        ("insists = true", "insist = true", r"states\.invited: .*insist"),
        ("logistics = true", "logistic = true", r"touchpoints\.tomorrow: .*logistic"),
        ('form = "general"', 'form = "generl"', r"states\.(results_)?menu: .*generl"),
    ],
)
def test_wrong_data_is_refused_with_its_place(old: str, new: str, place: str) -> None:
    with pytest.raises(ScriptError, match=place):
        _proved(old, new)


def test_a_missing_text_the_engine_itself_says_is_found_before_anyone_talks() -> None:
    entries = {key: entry for key, entry in catalog().entries["en"].items() if key != "handover"}
    with pytest.raises(ScriptError, match="always: says 'handover', which has no text in 'en'"):
        prove(parse(source(), Catalog({"en": entries}, "digest")))


def test_the_shipped_flow_is_sound() -> None:
    prove(script())
    assert script().start in script().states


def test_the_digest_changes_with_the_flow_and_with_the_words() -> None:
    first = parse(source(), catalog()).digest
    assert first == script().digest
    assert parse(source() + "\n# a remark\n", catalog()).digest != first
    assert parse(source(), Catalog(catalog().entries, "other words")).digest != first


def test_the_diagram_shows_every_state_and_every_opening() -> None:
    drawn = mermaid(script())
    lines = drawn.splitlines()
    assert lines[0] == "stateDiagram-v2"
    assert f"    [*] --> {script().start}" in lines
    for name in script().states:
        assert any(f"--> {name}" in line for line in lines)
    for name, touchpoint in script().touchpoints.items():
        if touchpoint.opens:
            assert f"    ready --> {touchpoint.opens}: due {name}" in lines
    assert len(set(lines)) == len(lines)


def test_the_diagram_follows_the_data() -> None:
    changed = parse(source().replace(STATE, LONELY.replace("lonely", "extra") + STATE), catalog())
    assert mermaid(changed) == mermaid(script())
    answered = source().replace('option = 3, to = "ready"', 'option = 3, to = "menu"')
    assert "    choose --> menu: 3" in mermaid(parse(answered, catalog()))


def test_the_forms_of_a_text_are_listed_as_shipped() -> None:
    assert forms_of(script(), "prep", "en") == ("general", "detailed")
    assert forms_of(script(), "accuracy", "en") == ("detailed",)
