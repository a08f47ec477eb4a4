"""One OAuth token for all processes and machines, kept (encrypted) in the database. Nothing about payments.

One of all fetches it, the others wait for what comes of that. Where nothing came, all are told so at once and for
half a minute (a circuit breaker, the row's `refused_until`); then one of them tries again. So no push waits longer than
one fetch takes, and none waits behind another.
"""

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.db import Error
from django.db.models import Q

from payments.daraja import Busy, DarajaError, Misconfigured, Token, Unreachable
from payments.gateway.connections import release_connection
from payments.models import DarajaToken

FETCH_WITHIN = 10.0  # seconds: no fetch takes longer (daraja.Timeouts), and nobody waits longer for one
PROBE_WITHIN = 2.0  # seconds that others wait for a fetch that follows upon a failed one
FETCH_LEASE = timedelta(seconds=12)  # longer than a fetch can take
REFUSE_FOR = timedelta(seconds=30)  # after a failed fetch
WAIT_STEP = 0.1  # seconds between looks while another process fetches

# how a fetch can fail: those who are refused because of it hear of the same kind of failure
FAILURES: dict[str, type[DarajaError]] = {kind.__name__: kind for kind in (Unreachable, Busy, Misconfigured)}


@dataclass(frozen=True, kw_only=True)
class Row:
    """The token's row as it was read. An empty one where there is none."""

    token: Token | None = None
    refused_until: datetime | None = None
    refusal: str = ""


class SharedTokens:
    """daraja.TokenStore over one row: whoever wins its lease fetches, everybody else waits for the result."""

    def __init__(self, *, app: str, base_url: str, sealing_key: str, clock: Callable[[], datetime]) -> None:
        self._name = hashlib.sha256(f"{base_url}|{app}".encode()).hexdigest()[:32]
        self._seal = Fernet(
            base64.urlsafe_b64encode(hashlib.sha256(b"token:" + sealing_key.encode()).digest())
        )
        self._clock = clock
        self._cached: Token | None = None
        self._one_thread = threading.Lock()

    def get(self, fetch: Callable[[], Token], *, stale: str | None = None) -> Token:
        """A live token. `stale` names one that Daraja has just refused: that one is never returned.

        Raises what `fetch` raises, be it called here or by another process, and Unreachable where no result came in
        time.
        """
        if (token := self._usable(self._cached, stale)) is not None:
            return token
        began = time.monotonic()
        # a hundred pushes of one process wait for one of them, and hold no connection
        if not self._one_thread.acquire(timeout=FETCH_WITHIN):
            raise Unreachable("No token: fetching one takes too long.")
        try:
            return self._usable(self._cached, stale) or self._stored_or_fetched(fetch, stale, began)
        except Error as away:  # nothing was asked yet: this is a refusal, not an unknown outcome
            raise Unreachable("No token: the database could not be reached.") from away
        finally:
            self._one_thread.release()

    def refused_since(self) -> datetime | None:
        """When fetching one failed, if none was had since. None too where the last one is still good."""
        row = self._stored()
        if row.token is not None or row.refused_until is None:
            return None
        return row.refused_until - REFUSE_FOR

    def _stored_or_fetched(self, fetch: Callable[[], Token], stale: str | None, began: float) -> Token:
        while True:
            row = self._stored()
            if (token := self._usable(row.token, stale)) is not None:
                self._cached = token
                return token
            self._refuse_if_it_just_failed(row)
            if self._win_lease():
                return self._fetched_meanwhile(stale) or self._fetch(fetch)
            if time.monotonic() - began > (PROBE_WITHIN if row.refused_until else FETCH_WITHIN):
                raise Unreachable("No token: another process has been fetching one for too long.")
            release_connection()
            time.sleep(WAIT_STEP)

    def _usable(self, token: Token | None, stale: str | None) -> Token | None:
        if token is None or token.value == stale or not token.is_fresh(self._clock()):
            return None
        return token

    def _stored(self) -> Row:
        columns = ("sealed", "fresh_until", "refused_until", "refusal")
        found = DarajaToken.objects.filter(name=self._name).values_list(*columns).first()
        if found is None:
            return Row()
        sealed, fresh_until, refused_until, refusal = found
        token = self._unsealed(sealed, fresh_until)
        return Row(token=token, refused_until=refused_until, refusal=refusal)

    def _unsealed(self, sealed: str, fresh_until: datetime | None) -> Token | None:
        if not sealed or fresh_until is None:
            return None
        try:
            return Token(value=self._seal.decrypt(sealed.encode()).decode(), expires_at=fresh_until)
        except InvalidToken:  # sealed under a former SECRET_KEY
            return None

    def _refuse_if_it_just_failed(self, row: Row) -> None:
        if row.refused_until is None:
            return
        left = row.refused_until - self._clock()
        if timedelta(0) < left <= 2 * REFUSE_FOR:  # further ahead nobody has written by this clock
            failure = FAILURES.get(row.refusal, Unreachable)
            raise failure("Daraja gave no token a moment ago.", retry_after=left.total_seconds())

    def _win_lease(self) -> bool:
        now = self._clock()
        DarajaToken.objects.bulk_create([DarajaToken(name=self._name)], ignore_conflicts=True)
        lapsed = Q(fetching_until__lt=now) | Q(fetching_until__gt=now + 2 * FETCH_LEASE)
        free = DarajaToken.objects.filter(Q(fetching_until=None) | lapsed, name=self._name)
        return free.update(fetching_until=now + FETCH_LEASE) == 1

    def _fetched_meanwhile(self, stale: str | None) -> Token | None:
        """The token that another process stored between our look and our lease; the lease is given back. Raises its
        failure, where it failed meanwhile."""
        row = self._stored()
        token = self._usable(row.token, stale)
        try:
            if token is None:
                self._refuse_if_it_just_failed(row)
        except DarajaError:
            self._give_back()
            raise
        if token is not None:
            self._give_back()
            self._cached = token
        return token

    def _fetch(self, fetch: Callable[[], Token]) -> Token:
        release_connection()
        try:
            token = fetch()
        except Exception as failed:  # whatever it was: the others wait for this one answer
            kind = next((name for name, kind in FAILURES.items() if isinstance(failed, kind)), "")
            self._give_back(
                sealed="", fresh_until=None, refused_until=self._clock() + REFUSE_FOR, refusal=kind
            )
            raise
        self._cached = token
        sealed = self._seal.encrypt(token.value.encode()).decode()
        self._give_back(sealed=sealed, fresh_until=token.expires_at, refused_until=None, refusal="")
        return token

    def _give_back(self, **learned: Any) -> None:
        DarajaToken.objects.filter(name=self._name).update(fetching_until=None, **learned)
