"""How the carrier calls a web address: signed, with the time-outs and retries its URL fragment asks for."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urldefrag, urlencode

import urllib3

from simulator.signature import sign

Form = Sequence[tuple[str, str]]
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A 2xx answer that came in time."""

    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Policy:
    """The connection overrides of a webhook URL, in seconds; the defaults are the carrier's own."""

    connect: float = 5.0
    read: float = 15.0
    total: float = 15.0
    retries: int = 1
    on: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, url: str) -> "Policy":
        """Read the overrides `#ct=&rt=&tt=&rc=&rp=` of a URL."""
        given = dict(parse_qsl(urldefrag(url).fragment))
        on = frozenset(given.get("rp", "ct").replace("all", "ct,rt,4xx,5xx").split(","))
        return cls(
            connect=_clamp(given.get("ct"), 100, 10_000, 5_000) / 1000,
            read=_clamp(given.get("rt"), 100, 15_000, 15_000) / 1000,
            total=_clamp(given.get("tt"), 100, 15_000, 15_000) / 1000,
            retries=_clamp(given.get("rc"), 0, 5, 1),
            on=on,
        )


def _clamp(text: str | None, low: int, high: int, default: int) -> int:
    return min(high, max(low, int(text))) if text and text.isdecimal() else default


class Webhooks:
    """Posts forms; every try of one event carries the same idempotency token."""

    def __init__(self, auth_token: str, new_token: Callable[[], str], stopping: threading.Event) -> None:
        """Sign with `auth_token`; give up waiting between tries once `stopping` is set."""
        self._auth_token = auth_token
        self._new_token = new_token
        self._stopping = stopping
        self._pool = urllib3.PoolManager(num_pools=8, maxsize=16, retries=False)

    def close(self) -> None:
        """Drop open connections."""
        self._pool.clear()

    def post(self, url: str, form: Form) -> Answer | None:
        """Post once, retry as the URL allows, and return the answer; None when every try failed."""
        policy = Policy.of(url)
        target = urldefrag(url).url
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            # A kept connection may be closed by the other side just as it is used, which would look like a lost call.
            "Connection": "close",
            "I-Twilio-Idempotency-Token": self._new_token(),
            "X-Twilio-Signature": sign(target, form, self._auth_token),
        }
        body = urlencode(form).encode()
        deadline = time.monotonic() + policy.total
        for left in range(policy.retries, -1, -1):
            outcome = self._try(target, headers, body, policy, deadline)
            if isinstance(outcome, Answer):
                return outcome
            pause = 0.02 * 2.0 ** (policy.retries - left)
            if not left or outcome not in policy.on or time.monotonic() + pause >= deadline:
                break
            if self._stopping.wait(pause):
                break
        return None

    def _try(self, url: str, headers: dict[str, str], body: bytes, policy: Policy, deadline: float) -> Answer | str:
        """Make one try: the answer, or which kind of failure it was in the words of `rp`."""
        left = max(0.01, deadline - time.monotonic())
        read = min(policy.read, left)
        timeout = urllib3.Timeout(connect=min(policy.connect, left), read=read)
        started = time.monotonic()
        try:
            response = self._pool.request(
                "POST", url, body=body, headers=headers, timeout=timeout, retries=False, redirect=False
            )
        except (
            urllib3.exceptions.ConnectTimeoutError,
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.SSLError,
        ):
            return "ct"
        except urllib3.exceptions.HTTPError:
            return "rt"
        # The socket's time-out starts again with every byte; a trickled answer is as late as a silent one.
        if time.monotonic() - started > read + policy.connect:
            return "rt"
        if 200 <= response.status < 300:
            return Answer(response.headers.get("Content-Type", ""), response.data)
        return f"{response.status // 100}xx"
