"""`DJKraph-Signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: how programs that share a secret know each
other's posts, and how old they are. Pure."""

import hashlib
import hmac
import re
from collections.abc import Iterable

HEADER = "DJKraph-Signature"
GOOD_FOR = 300  # seconds
_WRITTEN = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})", re.ASCII)


def signature(body: bytes, *, secret: str, at: int) -> str:
    """Who has the secret knows that it is from us."""
    return f"t={at},v1={_signed(body, secret, str(at))}"


def is_signed(body: bytes, header: str, *, secrets: Iterable[str], now: float) -> bool:
    """By any of these secrets (while one takes the place of another), and within five minutes."""
    written = _WRITTEN.fullmatch(header.strip())
    if written is None:
        return False
    at, told = written.groups()
    right = [hmac.compare_digest(_signed(body, secret, at), told) for secret in secrets if secret]
    return any(right) and abs(now - int(at)) <= GOOD_FOR


def _signed(body: bytes, secret: str, at: str) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
