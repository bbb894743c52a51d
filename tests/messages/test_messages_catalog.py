"""A wrong text file must fail when it is loaded, naming the file and the key, never on a patient's phone."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import messages
from messages.catalog import LANGUAGES, CatalogError, catalog
from messages.entry import DRAFT, fields_of, parse

HEAD = 'source = "FAQ 1"\nsegments = 1\nwritten_on = 2026-11-23\n'


def _text(*lines: str) -> str:
    return "[hello]\n" + HEAD + "\n".join(lines) + "\n"


def test_a_body_speaks_in_both_forms() -> None:
    entry = parse("en", "a.toml", _text('body = """ Come at {arrival_time}. """'))["hello"]
    assert entry.bodies == {"general": "Come at {arrival_time}.", "detailed": "Come at {arrival_time}."}
    assert entry.fields("general") == {"arrival_time"}
    assert (entry.source, entry.segments, entry.reviewed_by) == ("FAQ 1", 1, DRAFT)


def test_defaults_of_the_file_hold_unless_an_entry_says_otherwise() -> None:
    text = '[file]\nsource = "service"\nwritten_on = 2026-01-01\n[one]\nsegments = 1\nbody = "x"\n'
    entries = parse("en", "a.toml", text + '[two]\nsource = "FAQ 2"\nsegments = 2\nbody = "y"\n')
    assert (entries["one"].source, entries["two"].source) == ("service", "FAQ 2")
    assert set(entries) == {"one", "two"}


def test_the_same_placeholder_is_asked_for_once() -> None:
    assert fields_of("{site} and {site}, {phone}") == {"site", "phone"}


@pytest.mark.parametrize("field", ["source", "segments", "written_on"])
def test_a_missing_field_is_named_with_its_file_and_key(field: str) -> None:
    lines = [line for line in _text('body = "Hi"').splitlines() if not line.startswith(field)]
    with pytest.raises(CatalogError, match=rf"^en/a\.toml:1: hello: add {field}$"):
        parse("en", "a.toml", "\n".join(lines))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (['body = "Hi"', 'colour = "red"'], "remove colour"),
        (['body = "Hi"', 'detailed = "Ho"'], "not both"),
        (['body = "Hi"', 'general = "Ho"'], "not both"),
        (['general = "Hi"'], "`detailed`"),
        ([], "add a `body`"),
        (['body = "It\u2019s you"'], "\u2019"),
        (['general = "Hi"', 'detailed = "día"'], r"\(detailed\).*í"),
        (['body = "Hi {0}"'], "placeholders are plain names"),
        (['body = "Hi {}"'], "placeholders are plain names"),
        (['body = "Hi {site.name}"'], "placeholders are plain names"),
        (['body = "Hi {the site}"'], "placeholders are plain names"),
        (['body = "a { brace"'], "brace"),
    ],
)
def test_wrong_words_are_refused_with_their_file_and_key(lines: list[str], says: str) -> None:
    with pytest.raises(CatalogError, match=rf"^en/a\.toml:1: hello.*{says}"):
        parse("en", "a.toml", _text(*lines))


@pytest.mark.parametrize(
    "word",
    ["PSMA", "psa", "prostate", "Prostatic", "cancer", "cancerous", "tumor", "tumour", "tumours", "oncologist",
     "urology", "result", "Results"],
)  # fmt: skip
def test_a_general_text_must_not_tell_what_the_visit_is_about(word: str) -> None:
    with pytest.raises(CatalogError, match=rf"^en/a\.toml:1: hello \(general\): .*must not say '{word}'"):
        parse("en", "a.toml", _text(f'general = "Your {word} visit"', 'detailed = "Your visit"'))
    with pytest.raises(CatalogError, match=r"hello \(general\)"):
        parse("en", "a.toml", _text(f'body = "Your {word} visit"'))


def test_a_detailed_text_may_name_the_scan() -> None:
    entry = parse("en", "a.toml", _text('detailed = "Your PSMA PET scan: results for prostate cancer."'))["hello"]
    assert set(entry.bodies) == {"detailed"}


@pytest.mark.parametrize("word", ["consultant", "resulting", "passage", "psalm"])
def test_harmless_words_that_only_look_alike_may_be_said(word: str) -> None:
    assert parse("en", "a.toml", _text(f'body = "About {word}"'))["hello"].bodies["general"] == f"About {word}"


def test_a_key_used_twice_in_one_file_is_refused_by_name() -> None:
    with pytest.raises(CatalogError, match=r"^en/a\.toml: .*hello"):
        parse("en", "a.toml", _text('body = "Hi"') * 2)


def test_a_file_that_is_not_toml_is_named() -> None:
    with pytest.raises(CatalogError, match=r"^en/a\.toml: not readable TOML"):
        parse("en", "a.toml", "[hello\n")


def _loaded_elsewhere(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", "-c", "from messages.catalog import catalog; print(catalog().digest)"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    source = Path(messages.__file__).parent
    shutil.copytree(source, tmp_path / "messages", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_a_key_used_in_two_files_is_refused_with_the_second_file_and_the_key(copied: Path) -> None:
    (copied / "messages/texts/en/zz.toml").write_text(_text('body = "Hi"').replace("hello", "welcome"))
    loaded = _loaded_elsewhere(copied)
    assert loaded.returncode != 0
    assert "CatalogError: en/zz.toml:1: welcome: this key is already used" in loaded.stderr


def test_the_digest_names_this_exact_set_of_words(copied: Path) -> None:
    assert _loaded_elsewhere(copied).stdout.strip() == catalog().digest
    words = copied / "messages/texts/en/service.toml"
    words.write_text(words.read_text(encoding="utf-8").replace("That is right.", "That is right!"), encoding="utf-8")
    assert _loaded_elsewhere(copied).stdout.strip() not in ("", catalog().digest)


def test_an_unknown_key_or_language_is_an_error_never_another_languages_words() -> None:
    with pytest.raises(CatalogError, match="no text 'nonsense' in language 'en'"):
        catalog().entry("nonsense", "en")
    with pytest.raises(CatalogError, match="no text 'welcome' in language 'xx'"):
        catalog().sayable("welcome", "xx", "general")


def test_every_language_has_every_text() -> None:
    shipped = catalog().entries
    assert set(shipped) == set(LANGUAGES)
    assert len({frozenset(entries) for entries in shipped.values()}) == 1
