"""Orders of the shop, for tests that begin with one, or with very many."""

from typing import Any

from orders.models import Order
from payments.models import MpesaTransaction
from tests.support.payments.clock import Clock


def place(clock: Clock) -> Order:
    from orders.models import Mix
    from orders.services import place_order

    Mix.objects.get_or_create(
        slug="love-songs", defaults={"title": "Love Songs", "minutes": 60, "price_kes": 1000}
    )
    return place_order(mix_slugs=["love-songs"], now=clock())


def many_orders(count: int, now: Any) -> None:
    """Unpaid orders, each with one payment whose answer was lost."""
    first = Order.objects.count()
    for number in range(first, first + count):
        order = Order.objects.create(
            code=f"DK{number:06}",
            token=f"t{number}",
            client_reference=f"R{number}",
            total_kes=100,
            is_priced=False,
            created_at=now,
        )
        MpesaTransaction.objects.create(
            public_id=f"pay_{number}",
            order=order,
            state="unknown",
            amount_kes=100,
            phone_masked="2547••••5678",
            phone_hash="h",
            channel="CustomerPayBillOnline",
            short_code="174379",
            account_reference=order.code,
            description="d",
            callback_token_hash=f"hash{number}",
            created_at=now,
        )
