"""The keyed hash chain that makes an attempt's history tamper-evident. Pure: keys come in as arguments."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Link:
    """What one event says, as far as its hash covers it: everything but the hash itself."""

    attempt: str  # the attempt's public id
    number: int
    kind: str
    source: str
    from_state: str
    to_state: str
    at: datetime
    facts: Mapping[str, Any]
    previous_hash: str

    def canonical(self) -> bytes:
        """The same event gives the same bytes, whichever database it came back from."""
        return json.dumps(
            [
                self.attempt,
                self.number,
                self.kind,
                self.source,
                self.from_state,
                self.to_state,
                self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                dict(self.facts),
                self.previous_hash,
            ],
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
        ).encode()


@dataclass(frozen=True)
class Keyring:
    """The live ledger keys: the first signs, each verifies. Two live keys are a rotation under way."""

    keys: Sequence[str] = field(repr=False)

    @property
    def signing_key(self) -> str:
        return self.keys[0]

    def sign(self, link: Link) -> tuple[str, str]:
        """(key id, hash) of this event."""
        return key_id(self.signing_key), _mac(link, self.signing_key)

    def verifies(self, link: Link, *, signed_with: str, digest: str) -> bool:
        """Whether a live key of that id gives this hash."""
        known = next((key for key in self.keys if key_id(key) == signed_with), None)
        return known is not None and hmac.compare_digest(_mac(link, known), digest)


@cache
def key_id(key: str) -> str:
    """Eight hex digits that name a key and don't give it away."""
    return hashlib.sha256(b"key-id:" + key.encode()).hexdigest()[:8]


def _mac(link: Link, key: str) -> str:
    return hmac.digest(key.encode(), link.canonical(), "sha256").hex()
