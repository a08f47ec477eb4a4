"""Finding payments, orders and statement lines by what a customer can say: each way by a look into an index."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from orders.models import Order
from payments.desk.lists import search
from payments.desk.orders import figures
from payments.models import MpesaTransaction, StatementLine
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import pay

Click = Callable[..., MpesaTransaction]
TERMS = ("UKN4AB12CD", "DK34679ACD", "CART_1", "ws_CO_1", "buyer@example.com")


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
