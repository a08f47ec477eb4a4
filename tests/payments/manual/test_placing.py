"""Money that is nobody's is placed in parts, or kept: with who and why, and never more than there is."""

from typing import Any

import pytest

from orders.models import Order
from payments import ledger, manual
from payments.manual import ActionRefused
from payments.models import HandSettlement, Receipt, StatementLine
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.ordering import place
from tests.support.payments.stating import reversal, row, state

WHY = "She named both orders on the phone."


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Any:
    yield
    assert [str(fault) for fault in ledger.faults()] == []


@pytest.fixture
def nobodys(db: None, clock: Clock) -> Receipt:
    state([row("UKN8AB12CD", clock(), 2500, "WANJIRU")], clock)
    return Receipt.objects.get()


def give(receipt: Receipt, order: Order, kes: int, clock: Clock, by: str = "akinyi") -> HandSettlement:
    return manual.place_part(receipt.pk, target=order.code, amount_kes=kes, reason=WHY, by=by, now=clock())


def test_one_receipt_pays_two_orders_and_the_rest_is_kept(nobodys: Receipt, clock: Clock) -> None:
    first, second = place(clock), place(clock)
    give(nobodys, first, 1000, clock)
    give(nobodys, second, 1000, clock)
    manual.keep_part(nobodys.pk, amount_kes=500, reason="She gave it as a tip.", by="akinyi", now=clock())
    assert balances() == {
        "mpesa:174379": 2500, f"order:{first.code}": 1000, f"order:{second.code}": 1000, "kept": 500,
    }  # fmt: skip
    told = HandSettlement.objects.order_by("id").values_list("what", "amount_kes", "decided_by", "reason")
    assert [what for what, *_ in told] == ["claim", "claim", "keep"]
    assert {by for *_, by, _why in told} == {"akinyi"}
    assert StatementLine.objects.get().match == "by_hand"


@pytest.mark.parametrize(
    ("kes", "target", "why"),
    [(2501, "", "is nobody's yet"), (1, "NO-SUCH-ORDER", "no such order"), (0, "", "is nobody's yet")],
)
def test_what_makes_no_sense_is_refused_in_words(
    kes: int, target: str, why: str, nobodys: Receipt, clock: Clock
) -> None:
    order = place(clock)
    with pytest.raises(ActionRefused, match=why):
        manual.place_part(
            nobodys.pk, target=target or order.code, amount_kes=kes, reason=WHY, by="akinyi", now=clock()
        )
    assert (HandSettlement.objects.count(), balances()["unclaimed"]) == (0, 2500)


def test_nobody_alone_places_more_than_the_limit_in_however_many_parts(
    nobodys: Receipt, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1500
    first, second = place(clock), place(clock)
    give(nobodys, first, 1000, clock)
    assert give(nobodys, second, 501, clock).decision == "waiting"
    with pytest.raises(ActionRefused, match="KES 501 of that waits for a second person"):
        give(nobodys, second, 1000, clock)
    assert give(nobodys, second, 500, clock).decision == "done"
    assert balances()["unclaimed"] == 1000


def test_a_part_that_waited_is_placed_as_things_stand_when_it_is_confirmed(
    nobodys: Receipt, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    waiting = give(nobodys, order, 1000, clock)
    assert balances()["unclaimed"] == 2500
    manual.confirm_settlement(waiting.pk, by="kraph", now=clock())
    assert (balances()["unclaimed"], balances()[f"order:{order.code}"]) == (1500, 1000)
    kept = manual.keep_part(nobodys.pk, amount_kes=1500, reason=WHY, by="akinyi", now=clock())
    ledger.void_receipt(nobodys.pk, now=clock())
    with pytest.raises(ActionRefused, match="It is closed, nothing was done"):
        manual.confirm_settlement(kept.pk, by="kraph", now=clock())
    kept.refresh_from_db()
    assert (kept.decision, kept.decided_by) == ("closed", "")


def test_it_is_done_on_the_receipts_page_by_who_may(nobodys: Receipt, clock: Clock) -> None:
    order = place(clock)
    page = f"/admin/payments/receipt/{nobodys.pk}/"
    told = {"target": order.code, "amount_kes": "1000", "reason": WHY}
    assert at_desk("viewer").post(f"{page}place/", told).status_code == 403
    supervisor = at_desk("supervisor")
    assert b"A part for an order" in supervisor.get(f"{page}change/").content
    assert supervisor.get(f"{page}place/").status_code == 200
    refused = supervisor.post(f"{page}place/", told | {"amount_kes": "3000"})
    assert refused.status_code == 400
    assert b"is nobody&#x27;s yet" in refused.content
    assert supervisor.post(f"{page}place/", told, follow=True).status_code == 200
    order.refresh_from_db()
    assert order.state == "paid"


def test_a_reversal_is_looked_at_once(nobodys: Receipt, clock: Clock) -> None:
    state([reversal(clock(), "UKN8AB12CD", 2500)], clock)
    out = Receipt.objects.get(direction="out")
    page = f"/admin/payments/receipt/{out.pk}/"
    cashier = at_desk("supervisor")
    assert b"Mark looked at" in cashier.get(f"{page}change/").content
    cashier.post(f"{page}looked-at/")
    out.refresh_from_db()
    assert out.reviewed_by != ""
    assert b"Mark looked at" not in cashier.get(f"{page}change/").content
    with pytest.raises(ActionRefused, match="looked at it already"):
        manual.mark_receipt_reviewed(out.pk, by="kraph", now=clock())


def test_a_statement_is_voided_on_its_page_by_a_supervisor(nobodys: Receipt, clock: Clock) -> None:
    line = StatementLine.objects.get()
    cashier, supervisor = at_desk("cashier"), at_desk("supervisor")
    for page in (f"statementline/{line.pk}/void/", f"statement/{line.statement_id}/void/"):
        assert cashier.get(f"/admin/payments/{page}").status_code == 403
        assert supervisor.get(f"/admin/payments/{page}").status_code == 200
    assert (
        supervisor.post(f"/admin/payments/statement/{line.statement_id}/void/", {"reason": "x"}).status_code
        == 400
    )
    told = supervisor.post(
        f"/admin/payments/statement/{line.statement_id}/void/", {"reason": "Typed in an editor."}, follow=True
    )
    assert b"This statement is void" in told.content
    assert balances() == {}


def test_the_same_part_placed_again_in_the_same_minute_is_the_same_click(
    nobodys: Receipt, clock: Clock
) -> None:
    order = place(clock)
    give(nobodys, order, 400, clock)
    clock.advance(seconds=90)
    with pytest.raises(ActionRefused, match="it is done"):
        give(nobodys, order, 400, clock)
    give(nobodys, order, 300, clock)
    give(nobodys, order, 100, clock, by="njeri")
    clock.advance(minutes=1)
    give(nobodys, order, 400, clock)
    assert balances()["unclaimed"] == 1300
