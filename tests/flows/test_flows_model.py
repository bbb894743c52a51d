"""The committed model is the one that today's phrasings and code give; a mistake in a phrasing file says where it is."""

import hashlib
import json

import pytest

from flows.check import TOPICS
from training.__main__ import FOLDER, inputs_hash
from training.evaluate import frozen
from training.phrasings import OURS, SAFETY, UNKNOWN, PhrasingError, collect, sources

KNOWN = TOPICS | {*SAFETY, UNKNOWN, *OURS}


def test_the_model_matches_its_inputs_and_its_manifest() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    assert manifest["inputs"] == inputs_hash(), "run `make train` and commit flows/model"
    assert manifest["model"] == hashlib.sha256((FOLDER / "router.npz").read_bytes()).hexdigest()


def test_every_topic_and_safety_route_has_enough_phrasings_in_both_languages() -> None:
    found = collect(sources(), KNOWN)
    for topic in KNOWN - {"running_late"}:
        counts = {lang: sum(p.topic == topic and p.language == lang for p in found) for lang in ("en", "es")}
        wanted = 150 if topic in ("crisis", "urgent", "opt_out", "results_personal") else 40
        assert sum(counts.values()) >= wanted, (topic, counts)
        assert counts["es"] >= sum(counts.values()) // 4, (topic, counts)
    assert sum(p.topic == UNKNOWN for p in found) >= 300


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            [("hurt.txt", "en: does it hurt\nes: duele?\nen: Does it hurt?")],
            r"hurt\.txt:3: 'Does it hurt\?' stands already",
        ),
        ([("hurt.txt", "en: ouch"), ("prep.txt", "en: Ouch!")], r"prep\.txt:1: .*stands already at hurt\.txt:1"),
        ([("hart.txt", "en: ouch")], r"hart\.txt:1: 'hart' is no topic id: rename the file"),
        ([("hurt.txt", "does it hurt")], r"hurt\.txt:1: write `en: words`"),
        ([("hurt.txt", "# fine\nfr: ca fait mal")], r"hurt\.txt:2: write `en: words`"),
        ([("hurt.txt", "en:   ")], r"hurt\.txt:1: write"),
    ],
)
def test_a_mistake_has_its_file_its_line_and_its_remedy(files: list[tuple[str, str]], says: str) -> None:
    with pytest.raises(PhrasingError, match=says):
        collect(files, KNOWN)


def test_the_blind_sets_are_the_frozen_ones() -> None:
    assert set(frozen()) == {"plain", "oblique"}
