"""One token for all: one fetch, whoever asks, and never the one that Daraja has just refused."""

import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection

from payments.daraja import Busy, DarajaError, Misconfigured, Token, Unreachable
from payments.gateway.token import FETCH_LEASE, PROBE_WITHIN, SharedTokens
from payments.models import DarajaToken

KEY = "sealing-key"


def now() -> datetime:
    return datetime.now(UTC)


def store(sealing_key: str = KEY) -> SharedTokens:
    """One process's view of the shared token."""
    return SharedTokens(app="app", base_url="http://x", sealing_key=sealing_key, clock=now)


class Oauth:
    """Counts fetches; each gives a new token, as Daraja does (and kills the one before)."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.fetched = 0
        self.seconds = seconds

    def __call__(self) -> Token:
        self.fetched += 1
        number = self.fetched
        time.sleep(self.seconds)
        return Token(value=f"token-{number}", expires_at=now() + timedelta(minutes=50))


@pytest.mark.django_db
def test_a_second_process_uses_the_first_ones_token() -> None:
    oauth = Oauth()
    assert store().get(oauth).value == store().get(oauth).value == "token-1"
    assert oauth.fetched == 1


@pytest.mark.django_db
def test_a_refused_token_is_compared_with_the_stored_one_before_another_is_fetched() -> None:
    oauth = Oauth()
    one, two = store(), store()
    one.get(oauth)
    assert two.get(oauth).value == "token-1"
    assert one.get(oauth, stale="token-1").value == "token-2"
    assert two.get(oauth, stale="token-1").value == "token-2"  # the other process's new one, no third fetch
    assert oauth.fetched == 2


@pytest.mark.django_db
def test_the_row_gives_nothing_away() -> None:
    store().get(Oauth())
    assert "token-1" not in str(DarajaToken.objects.values().get())


@pytest.mark.django_db
def test_a_token_sealed_under_a_former_key_is_fetched_anew() -> None:
    oauth = Oauth()
    store("old").get(oauth)
    assert store("new").get(oauth).value == "token-2"


def half_a_minute_passes() -> None:
    DarajaToken.objects.update(refused_until=now() - timedelta(seconds=1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("failure", "told_as"),
    [
        (Unreachable("no line"), Unreachable),
        (Busy("quota"), Busy),
        (Misconfigured("wrong key"), Misconfigured),
        (RuntimeError("a bug"), Unreachable),
    ],
    ids=str,
)
def test_after_a_failed_fetch_all_are_refused_at_once_until_one_tries_again(
    failure: Exception, told_as: type[DarajaError]
) -> None:
    def down() -> Token:
        raise failure

    with pytest.raises(type(failure)):
        store().get(down)
    oauth = Oauth()
    with pytest.raises(told_as) as refused:
        store().get(oauth)
    assert 29 < (refused.value.retry_after or 0) <= 30
    assert oauth.fetched == 0
    half_a_minute_passes()
    assert store().get(oauth).value == store().get(oauth).value == "token-1"


@pytest.mark.django_db
def test_a_refusal_that_lies_too_far_ahead_is_nobodys() -> None:
    """A clock was set back meanwhile: the shop doesn't stand still for that."""
    DarajaToken.objects.create(name=store()._name, refused_until=now() + timedelta(hours=1))
    assert store().get(Oauth()).value == "token-1"


@pytest.mark.django_db
def test_a_lease_that_lies_too_far_ahead_is_nobodys() -> None:
    DarajaToken.objects.create(name=store()._name, fetching_until=now() + timedelta(hours=1))
    assert store().get(Oauth()).value == "token-1"


@pytest.mark.django_db(transaction=True)
def test_of_those_who_come_after_a_failure_one_tries_and_the_others_hardly_wait() -> None:
    DarajaToken.objects.create(
        name=store()._name, refused_until=now() - timedelta(seconds=1), fetching_until=now() + FETCH_LEASE
    )
    began = time.monotonic()
    with pytest.raises(Unreachable):
        store().get(Oauth())
    assert time.monotonic() - began < PROBE_WITHIN + 1.5


@pytest.mark.django_db(transaction=True)
def test_those_who_wait_for_a_fetch_hear_of_its_failure_together() -> None:
    fetched: list[float] = []

    def hangs() -> Token:
        fetched.append(time.monotonic())
        time.sleep(1)
        raise Unreachable("no answer")

    one, two = store(), store()
    took: list[float] = []

    def push(shared: SharedTokens) -> None:
        began = time.monotonic()
        with suppress(Unreachable):
            shared.get(hangs)
        took.append(time.monotonic() - began)
        connection.close()

    threads = [threading.Thread(target=push, args=[shared]) for shared in (one, two) * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (len(took), len(fetched)) == (20, 1)
    assert max(took) < 5


@pytest.mark.django_db
def test_a_process_that_died_while_fetching_does_not_block_the_others() -> None:
    DarajaToken.objects.create(name=store()._name, fetching_until=now() - FETCH_LEASE)
    assert store().get(Oauth()).value == "token-1"


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_make_one_fetch() -> None:
    oauth = Oauth(seconds=0.3)
    got: list[str] = []

    def process() -> None:
        got.append(store().get(oauth).value)
        connection.close()

    threads = [threading.Thread(target=process) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert (got, oauth.fetched) == (["token-1"] * 10, 1)


@pytest.mark.django_db
def test_a_database_that_is_away_is_a_refusal_not_an_unknown_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was asked of the phone yet: the buyer may try again at once."""
    shared = store()

    def away() -> None:
        raise OperationalError("couldn't get a connection after 4.00 sec")

    monkeypatch.setattr(shared, "_stored", away)
    with pytest.raises(Unreachable):
        shared.get(Oauth())


@pytest.mark.django_db(transaction=True)
def test_the_threads_of_one_process_ask_the_database_once() -> None:
    shared, looks = store(), []
    really_stored = shared._stored
    shared._stored = lambda: looks.append(1) or really_stored()  # type: ignore[method-assign,func-returns-value]

    def push() -> None:
        shared.get(Oauth(seconds=0.2))
        connection.close()

    threads = [threading.Thread(target=push) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(looks) == 2  # before the lease, and once it was won
