"""Why a payment needs a person: said by the database and by a row in hand, it is the same."""

import itertools
from typing import Any

import pytest

from orders.models import Order
from payments.attention import REASONS
from payments.models import MpesaTransaction
from payments.states import State
from tests.payments.conftest import Clock

FLAGS = ("refund_due", "pays_order", "amount_differs", "unpriced")


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.key)
def test_the_database_and_the_row_agree(reason: Any, db: None, clock: Clock) -> None:
    """Every state with every setting of what the reasons look at."""
    rows = list(_all_there_can_be(clock))
    MpesaTransaction.objects.bulk_create(rows)
    by_database = set(MpesaTransaction.objects.filter(reason.applies).values_list("public_id", flat=True))
    by_row = {row.public_id for row in rows if reason.is_so(vars(row))}
    assert by_database == by_row
    assert by_database
    assert len(by_database) < len(rows)


def _all_there_can_be(clock: Clock) -> Any:
    numbers = itertools.count(1)
    for state, receipt, looked, refunded in itertools.product(State, (None, "R"), (None, 1), (None, 1)):
        for values in itertools.product((False, True), repeat=len(FLAGS)):
            flags = dict(zip(FLAGS, values, strict=True))
            impossible = (flags["refund_due"] and flags["pays_order"]) or (
                state is not State.COMPLETED and (flags["refund_due"] or flags["pays_order"] or refunded)
            )
            if impossible:
                continue
            n = next(numbers)
            order = Order.objects.create(
                code=f"DK{n:08}", token=f"t{n}", client_reference=f"C{n}", total_kes=10, is_priced=False,
                created_at=clock(),
            )  # fmt: skip
            yield MpesaTransaction(
                public_id=f"pay_{n}", order=order, state=state, amount_kes=10, phone_hash="h",
                callback_token_hash=f"h{n}", receipt=f"{receipt}{n}" if receipt else None,
                created_at=clock(), looked_at=clock() if looked else None,
                refunded_at=clock() if refunded else None, refunded_kes=10 if refunded else None,
                refund_reference=f"F{n}" if refunded else None, **flags,
            )  # fmt: skip
