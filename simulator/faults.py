"""Switches for everything that goes wrong with a carrier, so that each can be made to happen on purpose."""

import random as _random
import threading
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

KINDS = frozenset(
    {
        "429",
        "500_before",
        "500_after",
        "timeout_before",
        "timeout_after",
        "refused",  # at the door, with the parameter `code`
        "fails",  # on the way, with the parameter `code`
        "21610",
        "30003",
        "30007",
        "no_callbacks",
        "duplicate_callback",
        "reordered_callbacks",
        "delayed_callbacks",
        "duplicate_inbound",
    }
)
Params = Mapping[str, float]


class Faults:
    """Faults armed for the next few occurrences, or with a probability; safe to use from any thread."""

    def __init__(self, random: _random.Random) -> None:
        """Start with every switch off."""
        self._random = random
        self._lock = threading.Lock()
        self._planned: dict[str, deque[Params]] = {}
        self._rates: dict[str, tuple[float, Params]] = {}
        self._counts: Counter[str] = Counter()

    def plan(self, kind: str, times: int = 1, **params: float) -> None:
        """Arm the next `times` occurrences of `kind`."""
        _known(kind)
        with self._lock:
            self._planned.setdefault(kind, deque()).extend([params] * times)

    def rate(self, kind: str, p: float, **params: float) -> None:
        """Arm `kind` with probability `p` from now on; 0 switches it off."""
        _known(kind)
        with self._lock:
            self._rates[kind] = (p, params)

    def clear(self) -> None:
        """Switch everything off; the counts stay."""
        with self._lock:
            self._planned.clear()
            self._rates.clear()

    def counts(self) -> dict[str, int]:
        """Say how many of each fault were injected."""
        with self._lock:
            return dict(self._counts)

    def armed(self) -> dict[str, Any]:
        """Say what is switched on, for the page of switches."""
        with self._lock:
            return {
                "planned": {kind: len(queue) for kind, queue in self._planned.items() if queue},
                "rates": {kind: p for kind, (p, _) in self._rates.items() if p},
            }

    def take(self, kind: str) -> Params | None:
        """Use up one occurrence: its parameters when the fault strikes now, else None."""
        with self._lock:
            if queue := self._planned.get(kind):
                params = queue.popleft()
            else:
                p, params = self._rates.get(kind, (0.0, {}))
                if not p or self._random.random() >= p:
                    return None
            self._counts[kind] += 1
            return params


def _known(kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"unknown fault: {kind}")
