"""`manage.py erase_personal_data`: nothing of a person is left in an old row, and the books are as right as before."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db.models import CharField, EmailField, GenericIPAddressField, JSONField, TextField

from djkraph import erasing
from orders.models import Order
from payments import ledger, manual
from payments.ledger import faults
from payments.models import CallbackDelivery, IdempotencyKey, Lookup, MpesaTransaction, Receipt, StatementLine
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import OTIENO, FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, called_back, paid_twice, pay
from tests.support.payments.stating import reversal, row, state

# what a person could be known by, in this shop's rows
OF_A_PERSON = re.compile(
    r"2547|0712|345678|5678|•|\*{3}|ws_CO_|wanjiru|196\.201\.212|CART-OF-WANJIRU|for Wanjiru", re.IGNORECASE
)
HASH = re.compile(r"[0-9a-f]{32,}")  # four digits of a phone stand in one by chance
PAYER = "2547****5678 - WANJIRU KAMAU"


def erase(days: int = 30, *, really: bool = True) -> str:
    out = StringIO()
    call_command(
        "erase_personal_data", "--older-than", f"{days}", *(["--erase"] if really else []), stdout=out
    )
    return out.getvalue()


@pytest.fixture(autouse=True)
def _the_commands_clock_is_the_tests(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", clock)


@pytest.fixture
def history(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    """Paid, declined, paid by a statement, reversed, nobody's; with an e-mail address and words of the page."""
    pay(click, safaricom, clock, reference="CART-OF-WANJIRU-0712345678")
    clock.advance(minutes=3)
    click(OTIENO, reference="CART2")
    called_back(safaricom, clock, code=1032)
    order, at = place(clock), clock.advance(minutes=1)
    Order.objects.filter(pk=order.pk).update(email="wanjiru@example.co.ke")
    MpesaTransaction.objects.update(description="for Wanjiru")
    IdempotencyKey.objects.create(
        key="k", body_hash="h", created_at=clock(), status=200, answer={"checkoutRequestId": "ws_CO_1"}
    )
    rows = [
        row("UKN8AB12CA", at, 1000, order.code, other_party=PAYER),
        reversal(at, "UKN8AB12CA", 1000, receipt="UKN8RV12CA"),
    ]
    state(rows, clock)
    Lookup.objects.create(
        code="UKN8LK12CA", short_code="174379", account_no="wanjiru", told_at=at, state="denied"
    )
    call_command("seal_ledger", stdout=StringIO())


def texts() -> Iterator[tuple[str, str]]:
    """Everything that can be read in the shop's tables: (where, what)."""
    readable = (CharField, TextField, EmailField, JSONField, GenericIPAddressField)
    for model in (*apps.get_app_config("payments").get_models(), *apps.get_app_config("orders").get_models()):
        columns = [field.attname for field in model._meta.concrete_fields if isinstance(field, readable)]
        for values in model._default_manager.values(*columns):
            yield from ((f"{model.__name__}.{column}", str(values[column])) for column in columns)


def told_of_people() -> set[str]:
    return {where for where, text in texts() if OF_A_PERSON.search(HASH.sub("", text))}


def test_nothing_of_a_person_is_left_and_the_ledger_is_whole(history: None, clock: Clock) -> None:
    assert {
        "MpesaTransaction.phone_masked",
        "MpesaTransaction.checkout_request_id",
        "CallbackDelivery.body",
        "Order.email",
        "Order.client_reference",
        "StatementLine.other_party",
        "Lookup.account_no",
        "IdempotencyKey.answer",
    } <= told_of_people()
    before = [(each.code, each.amount_cents, each.direction) for each in Receipt.objects.order_by("id")]
    sums = list(Order.objects.order_by("id").values_list("state", "received_cents", "returned_cents"))
    assert list(faults()) == []
    clock.advance(days=31)
    erase()
    assert told_of_people() == set()
    assert list(faults()) == []
    assert [
        (each.code, each.amount_cents, each.direction) for each in Receipt.objects.order_by("id")
    ] == before
    assert list(Order.objects.order_by("id").values_list("state", "received_cents", "returned_cents")) == sums
    assert set(MpesaTransaction.objects.values_list("phone_salt", "phone_joined")) == {(None, None)}
    call_command("verify_ledger", stdout=StringIO())


def test_without_being_told_to_it_only_counts(history: None, clock: Clock) -> None:
    clock.advance(days=31)
    people, counted = told_of_people(), erase(really=False)
    assert "payments: 2 would be erased" in counted or "payments: 3 would be erased" in counted
    assert "Nothing was changed" in counted
    assert told_of_people() == people


def test_what_is_younger_stays(history: None, clock: Clock) -> None:
    clock.advance(days=29)
    people = told_of_people()
    erase()
    assert told_of_people() == people


def test_what_needs_a_person_keeps_who_it_is_about(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    second = paid_twice(click, safaricom, clock)  # to be sent back
    at = clock.advance(minutes=1)
    state([row("UKN8AB12CD", at, 700, "WHO", other_party=PAYER)], clock)  # nobody's
    clock.advance(days=31)
    said = erase()
    second.refresh_from_db()
    assert second.phone_masked
    assert Receipt.objects.get(code="UKN8AB12CD").payer_masked or StatementLine.objects.get().other_party
    assert "as old still need a person" in said
    manual.record_refund(
        second.pk, reference="UKP7RF00AA", amount_kes=1500, reason="Twice.", by="akinyi", now=clock()
    )
    erase()
    second.refresh_from_db()
    assert (second.phone_masked, second.phone_hash) == ("", "")
    assert list(faults()) == []


def test_a_second_run_finds_nothing_and_a_broken_one_goes_on(
    history: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(days=31)
    monkeypatch.setattr(erasing, "BATCH", 1)
    next(ledger.erasable_attempts(before=clock() - timedelta(days=30)).erase())  # and then it was stopped
    erase()
    assert told_of_people() == set()
    assert re.findall(r": ([1-9]\d*) erased", erase()) == []


def test_a_callback_that_was_erased_is_read_no_more(history: None, clock: Clock) -> None:
    clock.advance(days=31)
    verdicts = list(CallbackDelivery.objects.order_by("id").values_list("verdict", flat=True))
    erase()
    call_command("replay_callbacks", stdout=StringIO())
    assert list(CallbackDelivery.objects.order_by("id").values_list("verdict", flat=True)) == verdicts


def test_a_callback_that_nobody_has_read_yet_is_kept(history: None, clock: Clock) -> None:
    unread = CallbackDelivery.objects.order_by("id").first()
    assert unread is not None
    CallbackDelivery.objects.filter(pk=unread.pk).update(verdict=CallbackDelivery.Verdict.RECEIVED)
    clock.advance(days=31)
    assert "callbacks: 1 erased, 1 as old still need a person" in erase()
    unread.refresh_from_db()
    assert unread.body


@pytest.mark.parametrize("days", [-1, 0, 29, 10**6])
def test_days_that_make_no_sense_are_refused(db: None, days: int) -> None:
    with pytest.raises(CommandError, match="30 at least"):
        erase(days)
