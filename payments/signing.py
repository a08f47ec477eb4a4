"""Keyed hashes over what must not be changed unseen: events, chained attempt by attempt, and postings. Pure: keys come
in as arguments."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol


class Signable(Protocol):
    """What is hashed: the same content gives the same bytes, whichever database it came back from."""

    def canonical(self) -> bytes: ...


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
        return _canonical(
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
            ]
        )


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What one posting says, as far as its hash covers it: everything but the hash itself and its number."""

    ref: str
    at: datetime
    debit: str
    credit: str
    amount_cents: int
    code: str
    receipt_id: int | None
    attempt: str  # the attempt's public id; empty: none
    event_number: int | None
    mends: str  # the ref of the posting it takes back; empty: none

    def canonical(self) -> bytes:
        return _canonical(
            [
                "posting",
                self.ref,
                self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                self.debit,
                self.credit,
                self.amount_cents,
                self.code,
                self.receipt_id,
                self.attempt,
                self.event_number,
                self.mends,
            ]
        )


@dataclass(frozen=True)
class Keyring:
    """The live ledger keys: the first signs, each verifies. Two live keys are a rotation under way."""

    keys: Sequence[str] = field(repr=False)

    @property
    def signing_key(self) -> str:
        return self.keys[0]

    def sign(self, what: Signable) -> tuple[str, str]:
        """(key id, hash) of it."""
        return key_id(self.signing_key), _mac(what, self.signing_key)

    def verifies(self, what: Signable, *, signed_with: str, digest: str) -> bool:
        """Whether a live key of that id gives this hash."""
        known = next((key for key in self.keys if key_id(key) == signed_with), None)
        return known is not None and hmac.compare_digest(_mac(what, known), digest)


@cache
def key_id(key: str) -> str:
    """Eight hex digits that name a key and don't give it away."""
    return hashlib.sha256(b"key-id:" + key.encode()).hexdigest()[:8]


def _canonical(content: Sequence[Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _mac(what: Signable, key: str) -> str:
    return hmac.digest(key.encode(), what.canonical(), "sha256").hex()
