"""One OAuth token for all processes and machines, kept (encrypted) in the database. Nothing about payments."""

import base64
import hashlib
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from cryptography.fernet import Fernet, InvalidToken
from django.db import Error
from django.db.models import Q

from payments.daraja import Token, Unreachable
from payments.gateway.connections import release_connection
from payments.models import DarajaToken

FETCH_LEASE = timedelta(seconds=20)  # longer than a fetch can take: connect 5 s + read 10 s
WAIT_STEP = 0.1  # seconds between looks while another process fetches


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

        Raises what `fetch` raises, and Unreachable where another process's fetch did not end in time.
        """
        if (token := self._usable(self._cached, stale)) is not None:
            return token
        with self._one_thread:  # a hundred pushes of one process wait for one of them, and hold no connection
            try:
                return self._usable(self._cached, stale) or self._stored_or_fetched(fetch, stale)
            except Error as away:  # nothing was asked yet: this is a refusal, not an unknown outcome
                raise Unreachable("No token: the database could not be reached.") from away

    def _stored_or_fetched(self, fetch: Callable[[], Token], stale: str | None) -> Token:
        give_up_at = time.monotonic() + 2 * FETCH_LEASE.total_seconds()
        while time.monotonic() < give_up_at:
            if (token := self._usable(self._stored(), stale)) is not None:
                self._cached = token
                return token
            if self._win_lease():
                return self._fetched_meanwhile(stale) or self._fetch(fetch)
            release_connection()
            time.sleep(WAIT_STEP)
        raise Unreachable("No token: another process has been fetching one for too long.")

    def _usable(self, token: Token | None, stale: str | None) -> Token | None:
        if token is None or token.value == stale or not token.is_fresh(self._clock()):
            return None
        return token

    def _stored(self) -> Token | None:
        row = DarajaToken.objects.filter(name=self._name).values("sealed", "fresh_until").first()
        if row is None or not row["sealed"] or row["fresh_until"] is None:
            return None
        try:
            value = self._seal.decrypt(row["sealed"].encode()).decode()
        except InvalidToken:  # sealed under a former SECRET_KEY
            return None
        return Token(value=value, expires_at=row["fresh_until"])

    def _win_lease(self) -> bool:
        now = self._clock()
        DarajaToken.objects.bulk_create([DarajaToken(name=self._name)], ignore_conflicts=True)
        free = DarajaToken.objects.filter(Q(fetching_until=None) | Q(fetching_until__lt=now), name=self._name)
        return free.update(fetching_until=now + FETCH_LEASE) == 1

    def _fetched_meanwhile(self, stale: str | None) -> Token | None:
        """The token that another process stored between our look and our lease; the lease is given back."""
        if (token := self._usable(self._stored(), stale)) is not None:
            DarajaToken.objects.filter(name=self._name).update(fetching_until=None)
            self._cached = token
        return token

    def _fetch(self, fetch: Callable[[], Token]) -> Token:
        release_connection()
        sealed, fresh_until = "", None
        try:
            token = fetch()
            sealed, fresh_until = self._seal.encrypt(token.value.encode()).decode(), token.expires_at
            self._cached = token
            return token
        finally:
            DarajaToken.objects.filter(name=self._name).update(
                sealed=sealed, fresh_until=fresh_until, fetching_until=None
            )
