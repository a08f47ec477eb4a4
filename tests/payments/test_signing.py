"""The chain of events: what it covers, and whose keys it believes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from payments.signing import Keyring, Link, commitment, key_id, read_retired

LINK = Link(
    attempt="pay_1", number=2, kind="confirmed", source="callback", from_state="pending", to_state="completed",
    at=datetime(2026, 11, 23, 15, 0, tzinfo=UTC), facts={"receipt": "UKN4AB12CD", "code": "0"}, previous_hash="ab",
)  # fmt: skip


def test_a_signed_event_verifies() -> None:
    signed_with, digest = Keyring(["now"]).sign(LINK)
    assert Keyring(["now"]).verifies(LINK, signed_with=signed_with, digest=digest)


@pytest.mark.parametrize(
    "change",
    [
        {"attempt": "pay_2"}, {"number": 3}, {"kind": "declined"}, {"source": "query"}, {"from_state": "failed"},
        {"to_state": "failed"}, {"at": LINK.at + timedelta(microseconds=1)}, {"facts": {"receipt": "X"}},
        {"previous_hash": "cd"},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_no_part_of_an_event_can_be_edited(change: dict[str, object]) -> None:
    signed_with, digest = Keyring(["now"]).sign(LINK)
    edited = replace(LINK, **change)  # type: ignore[arg-type]
    assert not Keyring(["now"]).verifies(edited, signed_with=signed_with, digest=digest)


def test_the_order_of_facts_and_the_time_zone_do_not_matter() -> None:
    nairobi = LINK.at.astimezone(timezone(timedelta(hours=3)))
    same = replace(LINK, facts={"code": "0", "receipt": "UKN4AB12CD"}, at=nairobi)
    assert same.canonical() == LINK.canonical()


def test_while_a_key_is_rotated_both_verify_and_the_new_one_signs() -> None:
    old_id, old_digest = Keyring(["old"]).sign(LINK)
    both = Keyring(["new", "old"])
    assert both.sign(LINK)[0] == key_id("new") != old_id
    assert both.verifies(LINK, signed_with=old_id, digest=old_digest)
    assert not Keyring(["new"]).verifies(LINK, signed_with=old_id, digest=old_digest)


def test_a_keyring_does_not_print_its_keys() -> None:
    assert "secret" not in repr(Keyring(["secret"]))


@pytest.mark.parametrize(("retired_after", "is_believed"), [(-1, False), (0, False), (1, True)])
def test_a_retired_key_verifies_what_it_signed_before(retired_after: int, is_believed: bool) -> None:
    signed_with, digest = Keyring(["old"]).sign(LINK)
    ring = Keyring(["new"], {"old": LINK.at + timedelta(seconds=retired_after)})
    assert ring.verifies(LINK, signed_with=signed_with, digest=digest) is is_believed
    why = ring.refusal(LINK, signed_with=signed_with, digest=digest)
    assert why == ("" if is_believed else "was signed with a key after that key was retired")
    assert ring.sign(LINK)[0] == key_id("new")


def test_a_retired_key_believes_no_change() -> None:
    signed_with, digest = Keyring(["old"]).sign(LINK)
    ring = Keyring(["new"], {"old": LINK.at + timedelta(days=1)})
    assert not ring.verifies(replace(LINK, number=3), signed_with=signed_with, digest=digest)


def test_a_retired_key_may_hold_any_sign() -> None:
    key, since = read_retired("a@b@2026-11-01T00:00:00+03:00")
    assert (key, since) == ("a@b", datetime(2026, 10, 31, 21, 0, tzinfo=UTC))


def test_a_row_has_another_short_hash_under_another_key_and_none_under_an_unknown_one() -> None:
    ring = Keyring(["new"], {"old": LINK.at})
    short = ring.short_hash(["receipt", 1, Decimal("1500.00"), LINK.at])
    assert short == ring.short_hash(["receipt", 1, Decimal(1500), LINK.at.astimezone(UTC)])
    assert short != ring.short_hash(["receipt", 1, Decimal(1500), LINK.at], signed_with=key_id("old"))
    assert ring.short_hash(["receipt"], signed_with=key_id("lost")) is None


def test_a_commitment_needs_its_salt() -> None:
    assert commitment("salt", "hash") == commitment("salt", "hash")
    assert len({commitment("salt", "hash"), commitment("pepper", "hash"), commitment("salt", "other")}) == 3
