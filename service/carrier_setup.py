"""What is set at the carrier for each of our numbers, and whether that holds when we are slow, broken or away.

Without the fragment the carrier gives a 5xx or a silence of ours no second try; without a fallback a man who writes while
all of us is down hears nothing at all.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import parse_qsl, urldefrag

import urllib3

from service.carrier.port import NumberSetup

RETRIES = "#rc=5&rp=all"
PLACEHOLDER = "CLINIC_PHONE"
MUST_SAY = ("911", "988")
XML_TYPES = frozenset({"text/xml", "application/xml"})
MOST = 64 * 1024


def faults(phone: str, found: NumberSetup | None, public_url: str) -> Iterator[str]:
    """Everything that is wrong with one number, each as a plain sentence that says how to mend it."""
    if found is None:
        yield f"{phone} is not among the numbers of this carrier account: is it the right account?"
        return
    wanted = f"{public_url.rstrip('/')}/twilio/inbound"
    address, fragment = urldefrag(found.inbound_url)
    if address != wanted:
        yield f"texts to {phone} go to {address or 'nowhere'}: set its inbound webhook to {wanted}{RETRIES}"
    given = dict(parse_qsl(fragment))
    if (given.get("rc"), given.get("rp")) != ("5", "all"):
        yield f"the inbound webhook of {phone} is not tried again when we fail: end its address with {RETRIES}"
    if found.inbound_method != "POST":
        yield f"the inbound webhook of {phone} is called by {found.inbound_method}: set it to POST"
    if not found.fallback_url:
        yield f"{phone} has no fallback address: whoever writes while we are down hears nothing (docs/deploy.md)"
        return
    if (wrong := fallback_fault(found.fallback_url, found.fallback_method)) is not None:
        yield f"the fallback of {phone} at {found.fallback_url} {wrong}"


def fallback_fault(url: str, method: str) -> str | None:
    """What is wrong with a fallback's answer, or None. Asked the way the carrier asks."""
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=5.0, read=15.0), retries=False)
    try:
        answer = pool.request(method, urldefrag(url).url, redirect=False, preload_content=False)
        body = answer.read(MOST)
        answer.release_conn()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        return f"does not answer ({type(error).__name__})"
    finally:
        pool.clear()
    if not 200 <= answer.status < 300:
        return f"answers {answer.status} to {method}"
    kind = str(answer.headers.get("Content-Type", "")).partition(";")[0].strip().lower()
    if kind not in XML_TYPES:
        return f"is served as {kind or 'nothing'}: the carrier wants text/xml"
    return _twiml_fault(body)


def _twiml_fault(body: bytes) -> str | None:
    try:
        root = ET.fromstring(body)  # noqa: S314 - an operator's own file, at most 64 kB
    except ET.ParseError:
        return "is not valid TwiML"
    words = " ".join("".join(message.itertext()) for message in root.iter("Message"))
    if root.tag != "Response" or not words.strip():
        return "is not TwiML with a message"
    if PLACEHOLDER in words:
        return f"still says {PLACEHOLDER}: put the clinic's phone there"
    lacking = [number for number in MUST_SAY if number not in words]
    return f"does not say {' or '.join(lacking)}" if lacking else None
