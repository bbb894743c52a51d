"""What a webhook is answered with, and where the carrier reports on each text."""

from xml.sax.saxutils import escape, quoteattr

from service.settings import Settings

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def status_url(settings: Settings, clinic_id: int, ref: str) -> str:
    """Where the carrier reports on one text, and how often it tries again when we are away."""
    return f"{settings.public_url.rstrip('/')}/twilio/status/{clinic_id}/{ref}#rc=5&rp=all"


def twiml(messages: list[tuple[str, str]]) -> str:
    """The answer to a webhook: one `<Message>` a text, each with the absolute address of its receipts."""
    if not messages:
        return EMPTY
    body = "".join(
        f"<Message statusCallback={quoteattr(url)}><Body>{escape(words)}</Body></Message>" for words, url in messages
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{body}</Response>'
