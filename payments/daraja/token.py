"""OAuth tokens: reading one out of Daraja's answer, and the place where one is kept for all."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from .errors import Busy, DarajaError, InvalidToken, Misconfigured, Unreachable
from .plain import as_text
from .replies import Reply, complaint_of, member, read_json, sentence

DOCUMENTED_LIFE = 3599  # seconds, for an answer that names no usable expires_in
LONGEST_USE = 3000  # seconds: 50 of the 60 minutes
_UNSURE_STATUSES = frozenset({408, 409, 425, 499})


@dataclass(frozen=True, kw_only=True)
class Token:
    """A bearer token. `expires_at` (aware): when we stop using it, at 5/6 of its life, 50 minutes at most."""

    value: str = field(repr=False)
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        return now < self.expires_at


class TokenStore(Protocol):
    """Where the one token of an app is kept: asking for another may kill the one in use (daraja.md, 1)."""

    def get(self, fetch: Callable[[], Token], *, stale: str | None = None) -> Token:
        """A live token. `stale` names a token that Daraja has just refused: never return that one.

        `fetch` is called by one process at a time, and its errors pass through.
        """
        ...


def read_token(reply: Reply, now: datetime) -> Token:
    """The token in `reply`, or Misconfigured, Busy or Unreachable: in each the phone was not asked."""
    if reply.status != 200:
        raise _refusal(reply)
    data = read_json(reply.text)
    value = member(data, "access_token")
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{1,4096}", value):
        raise Unreachable("Daraja's OAuth answer holds no token.", http_status=reply.status)
    return Token(value=value, expires_at=now + timedelta(seconds=_use_seconds(member(data, "expires_in"))))


def _use_seconds(expires_in: object) -> float:
    """Seconds of use out of `expires_in`, which is the string "3599" or a number."""
    text = as_text(expires_in) or ""
    life = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else DOCUMENTED_LIFE
    return min(life * 5 / 6, LONGEST_USE)


def _refusal(reply: Reply) -> DarajaError:
    complaint = complaint_of(reply)
    words = sentence(reply, complaint)
    if reply.status == 429 or complaint.of_quota:
        return Busy(words, code=complaint.code, http_status=reply.status, retry_after=reply.retry_after)
    firewall = reply.status == 403 and reply.text.lstrip().startswith("<")  # Incapsula blocks by address
    if 400 <= reply.status < 500 and reply.status not in _UNSURE_STATUSES and not firewall:
        words = "Daraja refused the consumer key and secret." if not reply.text.strip() else words
        return Misconfigured(words, code=complaint.code, http_status=reply.status)
    return Unreachable(words, code=complaint.code, http_status=reply.status)


def utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryTokenStore:
    """One token for the threads of one process. Several processes need a store that they share."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    def get(self, fetch: Callable[[], Token], *, stale: str | None = None) -> Token:
        with self._lock:
            if self._token is None or self._token.value == stale or not self._token.is_fresh(self._clock()):
                self._token = None
                token = fetch()
                if token.value == stale:
                    raise InvalidToken("Daraja issued the very token that it had refused.")
                self._token = token
            return self._token
