"""The chain of events: what it covers, and whose keys it believes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from payments.signing import Keyring, Link, key_id

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
