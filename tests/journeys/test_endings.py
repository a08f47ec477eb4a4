"""Whole stories over HTTP: the buyer's page, the shop, the simulated Safaricom, and the ledger afterwards."""

import pytest

from orders.models import Mix, Order
from payments.checkout.status import WATCHED
from payments.daraja import lookup
from payments.models import MpesaTransaction
from payments.states import State
from tests.support.shop import Shop
from tests.support.simulated import PAYS, WAITS, Simulated

pytestmark = pytest.mark.django_db(transaction=True)

FINAL = {
    "01": "1", "02": "2", "03": "3", "04": "4", "06": "8006", "08": "8", "11": "11", "19": "1019", "20": "2001",
    "25": "1025", "28": "2028", "30": "E3008", "32": "1032", "33": "SFC_IC0003", "37": "1037", "38": "1037",
    "40": "2040",
}  # fmt: skip
NOT_FINAL = ("26", "36", "49")


def phone_ending(digits: str) -> str:
    return f"2547123456{digits}"


def only_attempt() -> MpesaTransaction:
    return MpesaTransaction.objects.get()


def test_a_cart_is_paid(shop: Shop, simulator: Simulated, mixes: list[Mix]) -> None:
    placed = shop.order("nairobi-after-dark", "love-songs")
    assert placed["amount"] == 2500
    pushed = shop.push(PAYS, 2500, placed["accountReference"])
    assert pushed["success"] is True
    assert pushed["checkoutRequestId"].startswith("ws_CO_")
    simulator.settle()
    told = shop.status(pushed["checkoutRequestId"])
    assert (told["success"], told["status"], told["amount"]) == (True, "completed", 2500)
    page = shop.get(placed["checkoutUrl"])  # a paid order's checkout leads to its confirmation
    assert "confirmation.html" in page.url
    assert told["MpesaReceiptNumber"] in page.text


def test_a_payment_that_goes_well_costs_one_push_and_no_query(shop: Shop, simulator: Simulated) -> None:
    pushed = shop.push(PAYS)
    simulator.settle()
    for _ in range(5):
        assert shop.status(pushed["checkoutRequestId"])["status"] == "completed"
    counters = simulator.state()["counters"]
    assert (counters["oauth"], counters["push"], counters["query"]) == (1, 1, 0)
    assert simulator.state()["warnings"] == []  # nothing too long, nothing odd was sent


@pytest.mark.parametrize(("digits", "code"), FINAL.items())
def test_a_final_code_is_failed_in_plain_words(
    digits: str, code: str, shop: Shop, simulator: Simulated
) -> None:
    pushed = shop.push(phone_ending(digits))
    simulator.settle()
    told = shop.status(pushed["checkoutRequestId"])
    more = {"watching": True} if lookup(code).follow_up else {}
    words = f"{lookup(code).buyer} {WATCHED}" if lookup(code).follow_up else lookup(code).buyer
    assert told == {"success": False, "status": "failed", "message": words, **more}
    attempt = only_attempt()
    assert (attempt.state, attempt.result_code, attempt.order.state) == (State.FAILED, code, Order.State.OPEN)


@pytest.mark.parametrize("digits", NOT_FINAL)
def test_a_code_that_is_not_final_stays_pending(digits: str, shop: Shop, simulator: Simulated) -> None:
    pushed = shop.push(phone_ending(digits))
    simulator.settle()
    told = shop.status(pushed["checkoutRequestId"])
    assert (told["success"], told["status"]) == (True, "pending")


@pytest.mark.parametrize(
    ("digits", "http", "code"),
    [("90", 409, "prompt_open"), ("92", 502, "daraja_refused"), ("93", 503, "daraja_busy")],
)
def test_a_refused_push_says_what_to_do(
    digits: str, http: int, code: str, shop: Shop, simulator: Simulated
) -> None:
    answer = shop.post("/stkpush", {"phone": phone_ending(digits), "amount": 100, "accountReference": "C1"})
    assert (answer.status_code, answer.json()["code"]) == (http, code)
    assert only_attempt().state == State.FAILED
    assert simulator.prompts(phone_ending(digits)) == []


@pytest.mark.parametrize("digits", ["91", "94"])
def test_busy_and_maintenance_are_unknown_not_failed(digits: str, shop: Shop, simulator: Simulated) -> None:
    pushed = shop.push(phone_ending(digits))
    assert shop.status(pushed["checkoutRequestId"])["status"] == "pending"
    assert only_attempt().state == State.UNKNOWN


def test_the_buyer_pays_on_the_phone(shop: Shop, simulator: Simulated) -> None:
    pushed = shop.push(WAITS)
    assert shop.status(pushed["checkoutRequestId"])["status"] == "pending"
    simulator.answer(pushed["checkoutRequestId"], "pay")
    assert shop.status(pushed["checkoutRequestId"])["status"] == "completed"


def test_the_buyer_cancels_and_then_pays(shop: Shop, simulator: Simulated) -> None:
    first = shop.push(WAITS)
    simulator.answer(first["checkoutRequestId"], "cancel")
    assert shop.status(first["checkoutRequestId"])["status"] == "failed"
    second = shop.push(WAITS)
    assert second["checkoutRequestId"] != first["checkoutRequestId"]
    simulator.answer(second["checkoutRequestId"], "pay")
    assert shop.status(second["checkoutRequestId"])["status"] == "completed"
    assert Order.objects.get().state == Order.State.PAID


def test_the_prompt_times_out(shop: Shop, simulator: Simulated) -> None:
    pushed = shop.push(WAITS)
    simulator.advance(61)
    simulator.settle()
    assert shop.status(pushed["checkoutRequestId"])["status"] == "failed"


def test_otienos_own_page_sees_nothing_of_wanjirus_order(
    shop: Shop, simulator: Simulated, mixes: list[Mix]
) -> None:
    placed = shop.order("love-songs")
    assert shop.get("/checkout/" + "x" * 32).status_code == 404
    assert shop.get("/confirmation.html", params={"order": placed["accountReference"]}).status_code == 404
    assert shop.post("/stkpush/status", {"checkoutRequestId": placed["accountReference"]}).status_code == 404


def test_nothing_in_an_address_makes_an_order_paid(
    shop: Shop, simulator: Simulated, mixes: list[Mix]
) -> None:
    token = shop.order("love-songs")["checkoutUrl"].rsplit("/", 1)[1]
    page = shop.get(
        "/confirmation.html",
        params={"order": token, "status": "completed", "MpesaReceiptNumber": "UKN4AB12CD"},
    )
    assert "UKN4AB12CD" not in page.text
    assert 'data-state="pending"' in page.text
