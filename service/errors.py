"""The errors of the service, as one tree. Caught only at the doors; each says what is wrong, where, and what to do.

ScanGuideError
|- SettingsError      refuses to start: a setting is missing, a sample value, or unsafe
|- Invalid            bad input: names the field; nothing was stored
|- NotFound           no such thing in this clinic
|- Conflict           true input that does not fit the present state
`- CarrierError       the carrier's answer to a send
   |- Refused         it said no, with a code: not sent
   |- Busy            not processed, safe to try again
   `- Unknown         no answer, or one that proves nothing: never resent blindly

OutOfTime is outside the tree and no `Exception`: whoever handles any failure of one row or text must not take it for one.
"""


class ScanGuideError(Exception):
    """Anything this service raises on purpose."""


class SettingsError(ScanGuideError):
    """The settings are not fit to start with."""


class Invalid(ScanGuideError):
    """Input that cannot be accepted; `field` is its name as the caller wrote it."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}")
        self.field = field
        self.detail = detail


class NotFound(ScanGuideError):
    """There is no such thing, or not in this clinic."""


class Conflict(ScanGuideError):
    """The request is well formed, but does not fit what is already so."""


class CarrierError(ScanGuideError):
    """The carrier did not plainly accept a text."""

    def __init__(self, code: int | None, detail: str) -> None:
        super().__init__(f"carrier code {code}: {detail}")
        self.code = code


class Refused(CarrierError):
    """Not sent, for the reason `code`."""


class Busy(CarrierError):
    """Not processed at all; safe to try again."""


class Unknown(CarrierError):
    """It may or may not have been accepted."""


class OutOfTime(BaseException):
    """This job has used up its time; it ends here, and what it had in hand is found again as it was."""
