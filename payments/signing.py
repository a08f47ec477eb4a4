"""Keyed hashes over what must not be changed unseen: events, chained attempt by attempt, postings, and the seals over
all of it. Pure: keys, and when they were retired, come in as arguments."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Protocol

SHORT = 12  # bytes of a row's hash in a seal


class Signable(Protocol):
    """What is hashed: the same content gives the same bytes, whichever database it came back from."""

    @property
    def at(self) -> datetime: ...

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


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What one seal says, as far as its hash covers it: everything but the hash itself. `root` is of all its rows."""

    number: int
    at: datetime
    previous_hash: str
    rows: int
    counts: Mapping[str, int]
    cents: int
    root: str

    def canonical(self) -> bytes:
        return _canonical(
            [
                "seal",
                self.number,
                self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                self.previous_hash,
                self.rows,
                dict(self.counts),
                self.cents,
                self.root,
            ]
        )


@dataclass(frozen=True)
class Keyring:
    """The live ledger keys: the first signs, each verifies. Two live keys are a rotation under way.

    `retired`: keys that sign no more, and since when. Each verifies what says that it was signed before.
    """

    keys: Sequence[str] = field(repr=False)
    retired: Mapping[str, datetime] = field(default_factory=dict, repr=False)

    @property
    def signing_key(self) -> str:
        return self.keys[0]

    def sign(self, what: Signable) -> tuple[str, str]:
        """(key id, hash) of it."""
        return key_id(self.signing_key), _mac(what, self.signing_key)

    def verifies(self, what: Signable, *, signed_with: str, digest: str) -> bool:
        """Whether a key of that id, live at the time it names, gives this hash."""
        return not self.refusal(what, signed_with=signed_with, digest=digest)

    def refusal(self, what: Signable, *, signed_with: str, digest: str) -> str:
        """Why its hash is not believed; empty: it is."""
        known = self._known(signed_with)
        if known is None or not hmac.compare_digest(_mac(what, known), digest):
            return "was changed, or signed with a key that is not in LEDGER_KEY"
        if self.was_retired(signed_with, at=what.at):
            return "was signed with a key after that key was retired"
        return ""

    def was_retired(self, signed_with: str, *, at: datetime) -> bool:
        """Whether the key of that id was retired by then."""
        return any(key_id(key) == signed_with and since <= at for key, since in self.retired.items())

    def short_hash(self, row: Sequence[Any], *, signed_with: str = "") -> str | None:
        """The hash of a row's content in a seal, under the key of that id or the one that signs. None: no such key."""
        key = self._known(signed_with) if signed_with else self.signing_key
        if key is None:
            return None
        content = _canonical([_plain(value) for value in row])
        return base64.b64encode(hmac.digest(key.encode(), content, "sha256")[:SHORT]).decode()

    def _known(self, signed_with: str) -> str | None:
        return next((key for key in (*self.keys, *self.retired) if key_id(key) == signed_with), None)


def read_retired(text: str) -> tuple[str, datetime]:
    """`key@2026-11-01T00:00:00+03:00` → the key, and since when it signs no more. Raises ValueError."""
    key, sign, since = text.rpartition("@")
    retired_at = datetime.fromisoformat(since)
    if not (key and sign) or retired_at.tzinfo is None:
        raise ValueError("A retired key is named as key@time, the time with its zone.")
    return key, retired_at


def commitment(salt: str, text: str) -> str:
    """Binds whoever publishes it to this text, and tells nothing of it to those who don't have the salt."""
    return hashlib.sha256(f"{salt}:{text}".encode()).hexdigest()


@cache
def key_id(key: str) -> str:
    """Eight hex digits that name a key and don't give it away."""
    return hashlib.sha256(b"key-id:" + key.encode()).hexdigest()[:8]


def _canonical(content: Sequence[Any]) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _plain(value: Any) -> Any:
    """As every database gives it back."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def _mac(what: Signable, key: str) -> str:
    return hmac.digest(key.encode(), what.canonical(), "sha256").hex()
