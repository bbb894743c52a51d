"""X-Twilio-Signature computed from the published rule, so that it checks the official SDK instead of repeating it."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from urllib.parse import urldefrag


def sign(url: str, params: Iterable[tuple[str, str]], auth_token: str) -> str:
    """Sign a form POST: URL without fragment, then each distinct name and value in order, HMAC-SHA1, base64."""
    text = urldefrag(url).url + "".join(name + value for name, value in sorted(set(params)))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()
