"""Daraja's failures, sorted by the one question that matters: was anything done (a phone asked, money moved)?

No str() or repr() of these holds a phone number, a token or a password: words are scrubbed on the way in.
"""

from __future__ import annotations

from .plain import scrub, scrub_code


class DarajaError(Exception):
    """Any failure of a call to Daraja.

    `code` is Daraja's errorCode or "", `message` Safaricom's words or ours (scrubbed, up to 300 characters).
    `http_status` is None where no answer came. `retry_after`: seconds to wait, None if nobody said.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        self.message = scrub(message)
        self.code = scrub_code(code)
        self.http_status = http_status
        self.retry_after = retry_after
        super().__init__(self.message)


class Refused(DarajaError):
    """Daraja said no. Nothing was done, no phone was asked: trying again is safe."""


class SubscriberLocked(Refused):
    """Not asked: the line is busy with another prompt. It may be an earlier one of ours: query that."""


class Busy(Refused):
    """Too many calls; this one was not taken."""


class TooLate(Refused):
    """Not asked: our own request was held up for so long that it may not leave any more."""


class Misconfigured(Refused):
    """Wrong credentials, shortcode, passkey, product or address. No buyer can mend this: tell staff."""


class InvalidToken(Refused):
    """The OAuth token was refused, so nothing was asked: refresh it once, send once more."""


class Unreachable(DarajaError):
    """The request never left us, or we got no token to send it with. Nothing was done."""


class OutcomeUnknown(DarajaError):
    """We asked and heard nothing usable back. The phone may be ringing, the money gone: do not ask again."""
