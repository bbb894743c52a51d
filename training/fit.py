"""Fit the heads on the phrasings: topics (n-grams, encoder, the nearest phrasings), safety, language, and the gate.

The gate learns from out-of-fold predictions how often a first topic is right, so that it does not mistake what was learned
by heart for what is understood. Everything is seeded: the same phrasings give the same file.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from flows.encoder import Floats, Heads, gate_features, phrase_key, shrink
from flows.features import clean, grams, weighted
from training.phrasings import SAFETY, UNKNOWN, Phrasing

SEED = 20261125
FOLDS = 3
RARE = 2  # an n-gram seen in fewer phrasings says nothing
VIEWS = (1.0, 0.5, 1.0)  # n-grams, encoder, nearest phrasings: weights of their logarithms, chosen on the tuning split
NEAR_SCALE = 18.0
AXES = 320
ROUNDS, CLOSE = 80, 1e-3  # of the solver: enough, and bounded


@dataclass(frozen=True)
class Data:
    """The phrasings as numbers. `vectors` (n, 512), `counts` (n, n-grams) sparse, `labels` (n,) class indices."""

    phrasings: Sequence[Phrasing]
    vectors: Floats
    counts: Any
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    grams: Mapping[str, tuple[int, float]]


def vocabulary(cleaned: Sequence[str]) -> dict[str, tuple[int, float]]:
    """n-gram -> (column, smoothed inverse document frequency), in a settled order."""
    seen: Counter[str] = Counter()
    for text in cleaned:
        seen.update(set(grams(text)))
    kept = sorted(gram for gram, times in seen.items() if times >= RARE)
    return {gram: (at, math.log((1 + len(cleaned)) / (1 + seen[gram])) + 1) for at, gram in enumerate(kept)}


def matrix(cleaned: Sequence[str], known: Mapping[str, tuple[int, float]]) -> Any:
    """The weighted n-grams of each text as one sparse row."""
    rows, columns, values = [], [], []
    for at, text in enumerate(cleaned):
        for column, value in weighted(text, known):
            rows.append(at)
            columns.append(column)
            values.append(value)
    return sp.csr_matrix((values, (rows, columns)), shape=(len(cleaned), len(known)), dtype=np.float32)


def prepare(phrasings: Sequence[Phrasing], encoder: Any) -> Data:
    """Every phrasing as its vector and its n-grams, grouped by class."""
    ordered = sorted(phrasings, key=lambda p: (p.topic, p.language, p.text))
    cleaned = [clean(p.text) for p in ordered]
    known = vocabulary(cleaned)
    classes = tuple(sorted({p.topic for p in ordered}))
    labels = np.array([classes.index(p.topic) for p in ordered])
    return Data(ordered, encoder.encode(cleaned), matrix(cleaned, known), labels, classes, known)


def _linear(features: Any, labels: NDArray[Any], strength: float, **more: Any) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=ROUNDS, tol=CLOSE, **more).fit(features, labels)


def topic_heads(data: Data, rows: NDArray[np.int64]) -> dict[str, Any]:
    """The topic heads, fitted on `rows` (sorted), under the names that flows/encoder.py reads."""
    labels = data.labels[rows]
    sparse = _linear(data.counts[rows], labels, 16.0)
    dense = _linear(data.vectors[rows], labels, 8.0)
    scale = 127 / np.abs(data.vectors).max()
    return {
        "topic_sparse": sparse.coef_.T,
        "topic_bias": sparse.intercept_,
        "use_dense": dense.coef_.T,
        "use_bias": dense.intercept_,
        "views": np.array(VIEWS),
        "near_scale": np.array([NEAR_SCALE]),
        "bank": np.round(data.vectors[rows] * scale).astype(np.int8),
        "bank_scale": np.array(1 / scale, dtype=np.float32),
        "bank_axes": axes_of(data.vectors[rows]),
        "bank_thirds": _thirds(labels, len(data.classes)),
    }


def axes_of(vectors: Floats) -> Floats:
    """The AXES directions along which the phrasings differ most (512, AXES): the others hardly change who is nearest."""
    _, directions = np.linalg.eigh(vectors.T @ vectors)
    return np.asarray(directions[:, -AXES:], dtype=np.float32)


def _thirds(labels: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Where each class begins in the bank, its second and last third, and at the end how long the bank is."""
    starts = np.searchsorted(labels, np.arange(classes + 1))
    parts = [[a, a + (b - a) // 3, a + 2 * (b - a) // 3] for a, b in pairwise(starts)]
    return np.array([*np.ravel(parts), starts[-1]], dtype=np.int64)


def _known(data: Data) -> dict[str, Any]:
    """Every phrasing by its words; where two classes clean to the same words it is in neither."""
    found: dict[Any, int] = {}
    for phrasing, label in zip(data.phrasings, data.labels, strict=True):
        key = phrase_key(clean(phrasing.text))
        found[key] = int(label) if found.get(key, int(label)) == int(label) else -1
    kept = sorted((key, label) for key, label in found.items() if label >= 0)
    return {
        "known_keys": np.array([key for key, _ in kept], dtype=np.uint64),
        "known_class": np.array([label for _, label in kept], dtype=np.int16),
    }


def _language(data: Data) -> dict[str, Any]:
    head = _linear(data.counts, np.array([phrasing.language == "es" for phrasing in data.phrasings]), 20.0)
    return {"spanish_sparse": head.coef_.T, "spanish_bias": head.intercept_}


def _safety(data: Data) -> dict[str, Any]:
    """One detector a safety kind against everything else, with the encoder and without it."""
    wide = sp.hstack([data.counts, sp.csr_matrix(data.vectors)]).tocsr()
    found: dict[str, Any] = {}
    for name, features in (("safety", wide), ("alone_safety", data.counts)):
        columns, biases = [], []
        for kind in SAFETY:
            is_kind = np.array([phrasing.topic == kind for phrasing in data.phrasings])
            head = _linear(features, is_kind, 8.0, class_weight={True: 3.0, False: 1.0})
            columns.append(head.coef_[0])
            biases.append(head.intercept_[0])
        table = np.array(columns).T
        width = data.counts.shape[1]
        found |= {f"{name}_sparse": table[:width], f"{name}_bias": np.array(biases)}
        if name == "safety":
            found["safety_dense"] = table[width:]
    return found


def pack(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """As stored: large tables in half precision, the bank as bytes, the rest in single."""
    packed = {}
    for name, value in numbers.items():
        array = np.asarray(value)
        if array.dtype in (np.int8, np.uint64, np.int16) or name == "bank_thirds":
            packed[name] = array
        else:
            packed[name] = array.astype(np.float16 if name.endswith("_sparse") else np.float32)
    return packed


def gate_numbers(seen: Floats, first: NDArray[np.bool_], third: NDArray[np.bool_], name: str) -> dict[str, Any]:
    """Two logistic judges over gate_features: is the first right, is the right one among three."""
    mean, spread = seen.mean(axis=0), seen.std(axis=0) + 1e-6
    judges = [LogisticRegression(C=1.0, max_iter=400).fit((seen - mean) / spread, target) for target in (first, third)]
    return {
        f"{name}_mean": mean,
        f"{name}_spread": spread,
        f"{name}_dense": np.array([judge.coef_[0] for judge in judges]).T,
        f"{name}_bias": np.array([judge.intercept_[0] for judge in judges]),
    }


def fit(phrasings: Sequence[Phrasing], encoder: Any) -> tuple[dict[str, Any], Data]:
    """Everything, the gate included."""
    data = prepare(phrasings, encoder)
    seen: dict[str, list[Floats]] = {"gate": [], "alone_gate": []}
    hits: dict[str, list[tuple[bool, bool]]] = {"gate": [], "alone_gate": []}
    # A text that asks for no topic is one that no answer is right for: an unknown, or a safety text.
    answerable = np.array([at for at, name in enumerate(data.classes) if name not in (*SAFETY, UNKNOWN)])
    for learn, judge in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(data.vectors, data.labels):
        numbers = pack(topic_heads(data, np.sort(learn)))
        numbers["bank"] = shrink(numbers["bank"], numbers["bank_scale"], numbers["bank_axes"])
        heads = Heads(numbers, data.classes, SAFETY, data.grams, encoder)
        for at in judge:
            row = data.counts[at]
            label = data.labels[at]
            for name, vector in (("gate", data.vectors[at]), ("alone_gate", None)):
                topic = heads.topic_scores(list(row.indices), row.data, vector)
                seen[name].append(gate_features(topic, answerable))
                best = answerable[np.argsort(-topic[answerable], kind="stable")[:3]]
                hits[name].append((bool(best[0] == label), bool(label in best)))
    numbers = topic_heads(data, np.arange(len(data.labels))) | _safety(data)
    numbers |= _language(data) | _known(data) | {"answerable": answerable.astype(np.int16)}
    for name, features in seen.items():
        first = np.array([hit for hit, _ in hits[name]])
        third = np.array([hit for _, hit in hits[name]])
        numbers |= gate_numbers(np.array(features), first, third, name)
    return numbers, data
