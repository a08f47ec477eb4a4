"""Finding payments, orders and statement lines by what a customer can say: each way by a look into an index."""

from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from orders.models import Order
from payments.desk.lists import search
from payments.desk.lists.said import AmountOfDay, amount_of_day, receipts_in
from payments.desk.orders import figures
from payments.models import MpesaTransaction, StatementLine
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import pay
from tests.support.payments.stating import row, taken_in

Click = Callable[..., MpesaTransaction]
TERMS = (
    "UKN4AB12CD",
    "DK34679ACD",
    "CART_1",
    "ws_CO_1",
    "buyer@example.com",
    "dk 3467-9acd",
    "KES 1,500 25 Nov",
    "B12CD",
    "5678",
)
SMS = (
    "UKN4AB12CD Confirmed. Ksh1,500.00 sent to DJ KRAPH for account {code} on 23/11/26 at 6:00 PM. "
    "New M-PESA balance is Ksh20.00. Transaction cost, Ksh0.00."
)


@pytest.mark.parametrize(
    "said",
    [
        SMS, SMS.replace("UKN4AB12CD", "UKN4AB12CX").replace("{code}", "X"), "ukn4ab12cx", "b12cd", "5678",
        "UKN4BA12CD", "dk {rest}",
        "Wanjiru@Example.com", "1,500 on 23/11/2026", "KES 1500.00 23 Nov 2026", "2026-11-23 1500", "1500 23.11.26",
    ],
)  # fmt: skip
def test_a_payment_is_found_by_what_a_customer_pastes_or_reads_out(
    said: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock, receipt="UKN4AB12CD")
    Order.objects.filter(id=attempt.order_id).update(email="wanjiru@example.com")
    click(msisdn="254798765432", reference="OTHER", amount=900)
    term = said.format(code=attempt.order.code, rest=attempt.order.code[2:])
    assert list(search.found(MpesaTransaction.objects.all(), term)) == [attempt]


@given(st.text(max_size=120))
def test_whatever_is_searched_for_is_read(text: str) -> None:
    assert all(len(receipt) == 10 for receipt in receipts_in(text))
    amount_of_day(text, today=date(2026, 11, 25))


def test_a_day_without_a_year_is_the_last_that_has_been() -> None:
    for text, day in (("25 Nov 1500", date(2026, 11, 25)), ("1500 26 november", date(2025, 11, 26))):
        assert amount_of_day(text, today=date(2026, 11, 25)) == AmountOfDay(amount_kes=1500, day=day)


@pytest.mark.parametrize(
    "said", ["UKN4AB12XX", "1500 on 24/11/2026", "1600 23 Nov 2026", "31/11/2026 1500", "Wanjiru"]
)
def test_what_is_too_far_from_all_of_them_finds_none(
    said: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    pay(click, safaricom, clock, receipt="UKN4AB12CD")
    assert not search.found(MpesaTransaction.objects.all(), said).exists()


def test_a_line_is_found_by_the_message_and_by_nearly_its_receipt(clock: Clock, db: None) -> None:
    taken_in([row("UKN4AB12CD", clock(), 1500, "WANJIRU"), row("UKN9ZZ12CD", clock())], clock)
    for term in (SMS.format(code="X"), "UKN4AB12CX"):
        assert [line.receipt for line in search.found_lines(StatementLine.objects.all(), term)] == [
            "UKN4AB12CD"
        ]


@pytest.mark.parametrize(
    "name", ["receipt", "order code", "spelt small", "reference", "checkout id", "public id"]
)
def test_a_payment_is_found_by_each_of_its_names_and_their_beginning(
    name: str, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    attempt.refresh_from_db()
    said = {
        "receipt": (attempt.receipt or "")[:8],
        "order code": attempt.order.code[:9],
        "spelt small": f" {attempt.order.code.lower()} ",
        "reference": (attempt.order.client_reference or "")[:-1],
        "checkout id": attempt.checkout_request_id or "",
        "public id": attempt.public_id,
    }[name]
    click(msisdn="254798765432", reference="OTHER")
    assert list(search.found(MpesaTransaction.objects.all(), said)) == [attempt]


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="only PostgreSQL looks up beginnings in an index"
)
@pytest.mark.django_db
@pytest.mark.parametrize("term", TERMS)
def test_no_search_reads_a_whole_table(term: str) -> None:
    plans = [
        *_plans(lambda: search.found(MpesaTransaction.objects.all(), term)),
        *_plans(lambda: figures.found(Order.objects.all(), term)),
        *_plans(lambda: search.found_lines(StatementLine.objects.all(), term)),
    ]
    assert len(plans) > 10
    assert [plan for plan in plans if "Seq Scan" in plan] == []


def _plans(find: Callable[[], QuerySet]) -> list[str]:
    """How PostgreSQL would carry out each statement of a search, were reading a whole table no choice. Without its
    order: of a small table it would rather read all in that order than sort a few."""
    with CaptureQueriesContext(connection) as asked:
        list(find())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        plans = []
        for query in asked:
            statement = query["sql"].split(" ORDER BY ")[0]
            cursor.execute(f"EXPLAIN {statement}")
            plans.append(statement + "\n" + "\n".join(row[0] for row in cursor.fetchall()))
    return plans
