"""What one person decides about money alone is limited for the day, all kinds together; and one person is one person,
under however many accounts."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction

from payments import ledger, limits, manual
from payments.limits import Voice
from payments.manual import ActionRefused
from payments.models import HandSettlement, MpesaTransaction, Receipt
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import pay
from tests.support.payments.settling import SMS
from tests.support.payments.stating import row, state

Click = Callable[..., MpesaTransaction]

WHY = "She told it on the phone."


def account(name: str, email: str = "", **more: Any) -> User:
    return User.objects.create_user(name, email=email, password="a-long-passphrase", is_staff=True, **more)


def stuck(click: Click, clock: Clock, number: int = 1, amount: int = 1500) -> MpesaTransaction:
    attempt = click(msisdn=f"25471234560{number}", reference=f"C{number}", amount=amount)
    clock.advance(minutes=10)
    return attempt


def settle(attempt: MpesaTransaction, by: str, now: datetime) -> HandSettlement:
    sms = replace(SMS, receipt=f"UKN{attempt.pk:07}", amount_kes=attempt.amount_kes)
    return manual.propose_settlement(attempt.pk, sms, by=by, now=now)


# --- the day ---------------------------------------------------------------------------------------------


def test_decisions_of_all_kinds_are_one_sum(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 5000
    refunded = pay(click, safaricom, clock, msisdn="254712345609", reference="C9")
    first, second = stuck(click, clock, 1), stuck(click, clock, 2)
    state([row("UKN8AB12CD", clock(), 2500, "WANJIRU")], clock)
    money = Receipt.objects.get(code="UKN8AB12CD")
    now = clock()
    settle(first, "akinyi", now)
    manual.record_refund(
        refunded.pk, reference="UKR1AB12CD", amount_kes=500, reason=WHY, by="akinyi", now=now
    )
    manual.place_part(money.pk, target=place(clock).code, amount_kes=700, reason=WHY, by="akinyi", now=now)
    manual.keep_part(money.pk, amount_kes=300, reason=WHY, by="akinyi", now=now)
    manual.undo_decision(first.pk, reason=WHY, by="akinyi", now=now)
    assert limits.decided_alone_kes("akinyi", now=now) == 1500 + 500 + 700 + 300 + 1500
    assert limits.left_kes("akinyi", now=now) == 500
    assert settle(second, "akinyi", now).decision == "waiting"
    assert manual.keep_part(money.pk, amount_kes=501, reason=WHY, by="akinyi", now=now).decision == "waiting"
    assert manual.keep_part(money.pk, amount_kes=500, reason=WHY, by="akinyi", now=now).decision == "done"
    assert limits.left_kes("kraph", now=now) == 5000
    assert [str(fault) for fault in ledger.faults()] == []


def test_the_owner_has_a_limit_too(click: Click, clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1499
    account("kraph", is_superuser=True)
    assert settle(stuck(click, clock), "kraph", clock()).decision == "waiting"


def test_a_day_is_nairobis(click: Click, clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1500
    first, second, third = (stuck(click, clock, number) for number in (1, 2, 3))
    late = clock().replace(hour=20, minute=59, second=59) + timedelta(days=1)  # 23:59:59 in Nairobi
    assert settle(first, "akinyi", late).decision == "done"
    assert limits.voice_of("akinyi", kes=1, now=late) is Voice.WITH_ANOTHER
    assert settle(second, "akinyi", late + timedelta(seconds=1)).decision == "done"
    assert settle(third, "akinyi", late + timedelta(seconds=2)).decision == "waiting"


def test_what_two_people_decided_counts_for_neither_of_them(
    click: Click, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1500
    large, small = stuck(click, clock, 1, amount=9000), stuck(click, clock, 2)
    now = clock()
    manual.confirm_settlement(settle(large, "akinyi", now).pk, by="kraph", now=now)
    assert (limits.decided_alone_kes("akinyi", now=now), limits.decided_alone_kes("kraph", now=now)) == (0, 0)
    assert settle(small, "akinyi", now).decision == "done"


def test_less_than_was_asked_for_counts_as_what_was_asked(click: Click, clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 5000
    large = stuck(click, clock, amount=12_000)
    one_shilling = replace(SMS, amount_kes=1, accepts_amount=True)
    waiting = manual.propose_settlement(large.pk, one_shilling, by="akinyi", now=clock())
    assert (waiting.decision, waiting.counts_kes) == ("waiting", 12_000)


def test_the_sum_of_a_day_is_two_questions_by_their_indexes(
    click: Click, clock: Clock, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(
        3
    ):  # the accounts with an e-mail address, what was decided, and what files said
        limits.decided_alone_kes("akinyi", now=clock())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "EXPLAIN SELECT sum(counts_kes) FROM payments_handsettlement WHERE decision = 'done'"
                " AND NOT needs_second AND proposed_by = 'akinyi' AND proposed_at >= now()"
            )
            assert "decided_alone" in str(cursor.fetchall())
            cursor.execute(
                "EXPLAIN SELECT sum(alone_kes) FROM payments_statementline WHERE alone_at >= now()"
            )
            assert "line_paid_alone" in str(cursor.fetchall())


# --- who is another person -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "another"),
    [
        ("a@dj.co.ke", "b@dj.co.ke", True),
        ("a@dj.co.ke", "A@DJ.co.ke", False),
        (" a@dj.co.ke", "a@dj.co.ke  ", False),
        ("", "", True),
        ("  ", "", True),
        ("", "a@dj.co.ke", True),
    ],
)
def test_accounts_with_one_address_are_one_person(one: str, other: str, another: bool, db: None) -> None:
    account("akinyi")
    account("kraph")
    User.objects.filter(username="akinyi").update(email=one)
    User.objects.filter(username="kraph").update(email=other)
    assert limits.is_another_person("akinyi", "kraph") is another
    assert limits.is_another_person("kraph", "akinyi") is another
    assert not limits.is_another_person("akinyi", "akinyi")


def test_a_second_account_of_the_same_person_confirms_nothing(
    click: Click, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1000
    account("akinyi", "Akinyi@dj.co.ke")
    account("akinyi2", "akinyi@dj.co.ke ")
    waiting = settle(stuck(click, clock), "akinyi", clock())
    voice = limits.voice_of("akinyi2", kes=1500, now=clock(), proposed_by="akinyi")
    assert voice is Voice.NONE
    with pytest.raises(ActionRefused, match="another account of your e-mail address"):
        manual.confirm_settlement(waiting.pk, by="akinyi2", now=clock())
    account("kraph", "kraph@dj.co.ke")
    assert manual.confirm_settlement(waiting.pk, by="kraph", now=clock()).decision == "done"


def test_two_accounts_of_one_person_share_one_limit(click: Click, clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 2000
    account("akinyi", "akinyi@dj.co.ke")
    account("akinyi2", "AKINYI@dj.co.ke")
    first, second = stuck(click, clock, 1), stuck(click, clock, 2)
    assert settle(first, "akinyi", clock()).decision == "done"
    assert limits.left_kes("akinyi2", now=clock()) == 500
    assert settle(second, "akinyi2", clock()).decision == "waiting"


# --- in one instant --------------------------------------------------------------------------------------


def test_the_limit_is_held_only_together_with_the_money(transactional_db: None, clock: Clock) -> None:
    with pytest.raises(RuntimeError, match="together with the money"):
        limits.hold("akinyi", kes=1, now=clock())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer")
def test_two_decisions_in_one_instant_do_not_both_slip_under_the_limit(
    transactional_db: None, safaricom: FakeDaraja, clock: Clock, settings: Any, monkeypatch: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 2000
    state([row("UKN8AB12CD", clock(), 1500, "A"), row("UKN8AB12CE", clock(), 1500, "B")], clock)
    receipts, now = list(Receipt.objects.order_by("id")), clock()
    both_asked, checked, decided = threading.Barrier(2), limits.voice_of, []

    def and_so_did_the_other(*args: Any, **kwargs: Any) -> Voice:
        voice = checked(*args, **kwargs)
        if not transaction.get_connection().in_atomic_block:
            both_asked.wait(10)
        return voice

    monkeypatch.setattr(limits, "voice_of", and_so_did_the_other)

    def keep(receipt: Receipt) -> None:
        kept = manual.keep_part(receipt.pk, amount_kes=1500, reason=WHY, by="akinyi", now=now)
        decided.append(kept.decision)
        connection.close()

    threads = [threading.Thread(target=keep, args=[receipt]) for receipt in receipts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(decided) == ["done", "waiting"]
    assert limits.decided_alone_kes("akinyi", now=now) == 1500
    assert [str(fault) for fault in ledger.faults()] == []
