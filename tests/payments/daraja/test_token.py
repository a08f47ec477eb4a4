"""Reading tokens, and keeping one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payments.daraja import (
    MemoryTokenStore,
    Token,
    Unreachable,
    read_token,
)
from tests.support.payments.canned_daraja import NOW
from tests.support.payments.odd_answers import reply


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [("3599", 3599 * 5 / 6), (3599, 3599 * 5 / 6), (3600.0, 3000), (60, 50), (86400, 3000), (None, 3599 * 5 / 6),
     ("soon", 3599 * 5 / 6), (-5, 3599 * 5 / 6), (True, 3599 * 5 / 6), (0, 0)],
)  # fmt: skip
def test_a_token_is_used_for_five_sixths_of_its_life_and_fifty_minutes_at_most(expires_in, seconds):
    token = read_token(reply({"access_token": "t", "expires_in": expires_in}), NOW)
    assert (token.expires_at - NOW).total_seconds() == pytest.approx(seconds)
    assert token.is_fresh(NOW + timedelta(seconds=seconds - 1)) is True
    assert not token.is_fresh(NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("value", [None, "", 5, "a b", "a\r\nX: y", "é", "x" * 5000, ["t"]])
def test_what_can_not_be_put_in_a_header_is_no_token(value):
    with pytest.raises(Unreachable):
        read_token(reply({"access_token": value, "expires_in": "3599"}), NOW)


def tokens(*values):
    left = iter(values)
    return lambda: Token(value=next(left), expires_at=NOW + timedelta(hours=1))


def test_a_store_gives_the_same_token_until_it_is_stale():
    store, fetch = MemoryTokenStore(clock=lambda: NOW), tokens("a", "b")
    assert [store.get(fetch).value for _ in range(3)] == ["a", "a", "a"]
    assert store.get(fetch, stale="a").value == "b"
    assert store.get(fetch, stale="a").value == "b"


def test_a_store_whose_fetch_fails_keeps_no_stale_token():
    store = MemoryTokenStore(clock=lambda: NOW)
    store.get(tokens("a"))

    def fail():
        raise Unreachable("No.")

    with pytest.raises(Unreachable):
        store.get(fail, stale="a")
    assert store.get(tokens("c")).value == "c"
