"""Requests are counted by all processes together, and by each for itself where the others can't be told."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from djkraph import counting, sql
from djkraph.counting import PARTS, Counter
from djkraph.models import RequestCount


class Together:
    """What the processes share."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.told = 0
        self.is_away = False
        self._lock = threading.Lock()

    def share(self, key: str, told: int, _minutes: int) -> int:
        if self.is_away:
            raise OSError
        with self._lock:
            self.told += 1
            self.counts[key] = self.counts.get(key, 0) + told
            return self.counts[key]


class Time:
    def __init__(self) -> None:
        self.now = 1_000_020.0

    def __call__(self) -> float:
        return self.now


@given(
    limit=st.integers(0, 200),
    processes=st.integers(1, 4),
    requests=st.lists(st.integers(0, 3), max_size=400),
)
def test_all_together_are_let_through_to_the_limit_and_a_little(
    limit: int, processes: int, requests: list[int]
) -> None:
    together, now = Together(), Time()
    counters = [Counter(together.share, now=now) for _ in range(processes)]
    passed = sum(counters[of % processes].add("x", limit=limit) <= limit for of in requests)
    assert passed <= limit + processes * (limit // PARTS)
    assert passed >= min(limit, len(requests))  # nobody is refused too early


def test_one_of_many_polls_costs_a_write_and_none_beyond_the_limit() -> None:
    together = Together()
    counter = Counter(together.share, now=Time())
    for _ in range(10_000):
        counter.add("x", limit=1200)
    assert together.told == PARTS


def test_a_new_minute_begins_at_nothing() -> None:
    together, now = Together(), Time()
    counter = Counter(lambda _key, told: told, now=now)
    assert [counter.add("x", limit=2) for _ in range(3)] == [1, 2, 3]
    now.now += 60
    assert counter.add("x", limit=2) == 1
    assert together.told == 0


def test_threads_lose_no_request() -> None:
    together = Together()
    counter = Counter(together.share, now=Time())
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: counter.add("x", limit=100_000), range(20_000)))
    assert counter.add("x", limit=100_000) == 20_001


def test_who_came_later_counts_against_nobody() -> None:
    """While one request is being told to the others, more of them come."""
    together, now = Together(), Time()
    counter = Counter(together.share, now=now)
    later: list[int] = []

    def slow_share(key: str, told: int, minutes: int) -> int:
        count = together.share(key, told, minutes)
        if not later:
            later.append(0)
            later.extend(counter.add("x", limit=6) for _ in range(5))
        return count

    counter._share = slow_share
    assert counter.add("x", limit=6) == 1
    assert later[1:] == [2, 3, 4, 5, 6]


def test_who_cannot_tell_the_others_goes_on_alone_for_a_while() -> None:
    together, now = Together(), Time()
    counter = Counter(together.share, now=now)
    together.is_away = True
    assert [counter.add("x", limit=3) for _ in range(4)] == [1, 2, 3, 4]
    together.is_away = False
    counter.add("y", limit=3)
    assert together.told == 0  # it does not try at each request
    now.now += counting.ALONE_FOR
    counter.add("y", limit=3)
    assert together.told == 1


# --- in the database ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_database_adds_up_under_a_key_without_an_address() -> None:
    assert [counting.share("PUSH:41.90.1.2", each, 1) for each in (1, 2, 3)] == [1, 3, 6]
    assert counting.share("PUSH:41.90.1.3", 1, 1) == 1
    kept = RequestCount.objects.get(count=6)
    assert "41.90" not in kept.key
    assert abs(kept.minute - int(time.time()) // 60) <= 1


@pytest.mark.django_db
def test_minutes_gone_by_are_forgotten() -> None:
    counting.share("x", 1, 1)
    now = RequestCount.objects.get().minute
    RequestCount.objects.bulk_create(
        RequestCount(minute=now - ago, key="y", count=1) for ago in (2, 12, 13, 14, 29)
    )
    assert counting.forget_old() in (2, 3)  # 3: a minute has just begun
    assert RequestCount.objects.filter(minute=now).exists()


@pytest.mark.django_db
def test_ten_minutes_are_counted_in_their_first() -> None:
    assert [counting.share("x", 1, 10) for _ in range(3)] == [1, 2, 3]
    minute = RequestCount.objects.get().minute
    assert minute % 10 == 0


def test_who_only_asks_hears_of_all() -> None:
    together, now = Together(), Time()
    one, other = Counter(together.share, minutes=10, now=now), Counter(together.share, minutes=10, now=now)
    for _ in range(7):
        one.add("x", limit=100)  # too few to be told of
    assert one.total("x", limit=100) == 7  # and so they are told
    assert other.total("x", limit=100) == 7
    assert other.total("x", limit=100) == 7  # asking counts for nothing
    now.now += 599 - now.now % 600
    assert other.total("x", limit=100) == 7
    now.now += 1
    assert other.total("y", limit=100) == 0


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_all_counted() -> None:
    def add(_: int) -> int:
        try:
            return sql.count_up(RequestCount, "x", 1, minutes=1)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(add, range(100)))
    assert sum(RequestCount.objects.values_list("count", flat=True)) == 100
    assert max(counts) <= 100


# --- in a cache -----------------------------------------------------------------------------------------


def redis_at(port: int) -> dict[str, Any]:
    return {
        "shared": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    }


def test_a_cache_is_shared_where_it_is_a_server(settings: Any) -> None:
    for backend, shared in (
        ("django.core.cache.backends.locmem.LocMemCache", False),
        ("django.core.cache.backends.filebased.FileBasedCache", False),
        ("django.core.cache.backends.dummy.DummyCache", False),
        ("django.core.cache.backends.redis.RedisCache", True),
        ("django.core.cache.backends.memcached.PyMemcacheCache", True),
    ):
        settings.CACHES = {"shared": {"BACKEND": backend}}
        assert counting.has_shared_cache() is shared


def test_a_named_cache_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "has_shared_cache", lambda: True)
    assert [counting.share("PUSH:41.90.1.2", each, 1) for each in (1, 2, 3)] == [1, 3, 6]
    caches["shared"].clear()


@pytest.mark.parametrize("answers", [False, True], ids=["gone", "hangs"])
def test_a_cache_that_is_gone_or_hangs_costs_a_moment_once(answers: bool, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.CACHES = redis_at(server.getsockname()[1])
        if not answers:
            server.close()
        counter, began = Counter(counting.share), time.monotonic()
        counts = [counter.add("x", limit=3) for _ in range(5)]
    assert counts == [1, 2, 3, 4, 5]
    assert time.monotonic() - began < 5  # half a second, once


def test_redis_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the settings make it of CACHE_URL."""
    import runpy

    from tests.support.places import ROOT

    monkeypatch.setenv("CACHE_URL", "redis://127.0.0.1:6379/0")
    made = runpy.run_path(str(ROOT / "djkraph" / "settings.py"))["CACHES"]["shared"]
    assert made["OPTIONS"]["socket_timeout"] == made["OPTIONS"]["socket_connect_timeout"] == 0.5
