"""Reads the TwiML a webhook answers with into the replies the carrier shall send."""

from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree

from simulator.webhooks import MAX_ANSWER, Answer


class UnusableError(Exception):
    """An answer the carrier cannot use; `code` is the error it records on the inbound message."""

    def __init__(self, code: int) -> None:
        """Keep the code."""
        super().__init__(f"error {code}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Reply:
    """One `<Message>`."""

    body: str
    to: str | None
    from_: str | None
    status_callback: str | None
    num_media: int


def replies(answer: Answer, url: str) -> list[Reply]:
    """Read an answer; relative callback addresses are taken from the webhook's own `url`."""
    if len(answer.body) > MAX_ANSWER:
        raise UnusableError(11750)
    kind = answer.content_type.partition(";")[0].strip().lower()
    if not answer.body.strip():
        return []
    if kind == "text/plain":
        return [Reply(answer.body.decode(errors="replace"), None, None, None, 0)]
    if kind not in {"text/xml", "application/xml", "text/html"}:
        raise UnusableError(12300)
    try:
        # The parser resolves no external entities, and the answer is at most 64 kB.
        root = ElementTree.fromstring(answer.body)  # noqa: S314
    except ElementTree.ParseError as error:
        raise UnusableError(12100) from error
    if root.tag != "Response":
        raise UnusableError(12100)
    return [_reply(element, url) for element in root.iter() if element.tag in {"Message", "Sms"}]


def _reply(element: ElementTree.Element, url: str) -> Reply:
    callback = element.get("statusCallback") or element.get("action")
    bodies = element.findall("Body")
    return Reply(
        body="".join(body.text or "" for body in bodies) if bodies else (element.text or "").strip(),
        to=element.get("to"),
        from_=element.get("from"),
        status_callback=urljoin(url, callback) if callback else None,
        num_media=len(element.findall("Media")),
    )
