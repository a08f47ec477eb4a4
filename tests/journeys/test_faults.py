"""Everything Safaricom and the line do to a payment: whatever happens, pending stays pending, the phone rings
once, and failed is only said when a final code came."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from orders.models import Order
from payments.models import CallbackDelivery, DarajaToken, MpesaTransaction
from payments.states import State
from tests.support.shop import Shop
from tests.support.simulated import PAYS, WAITS, Simulated

pytestmark = pytest.mark.django_db(transaction=True)

CANCELS = "254712345632"


def reconcile() -> None:
    """The shop's people run the command; the callback is long overdue."""
    with suppress(SystemExit):  # 1: a receipt is awaited
        call_command("reconcile_payments", "--older-than", "0")


def overdue(attempt: MpesaTransaction) -> None:
    """As if its next check had come."""
    MpesaTransaction.objects.filter(id=attempt.id).update(next_check_at=timezone.now() - timedelta(seconds=1))


def only_attempt() -> MpesaTransaction:
    return MpesaTransaction.objects.get()


# --- on the push ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("lost_answer", True),
        ("push_500", "accepted"),
        ("push_502", "accepted"),
        ("push_html_503", "accepted"),
    ],
)
def test_a_push_whose_answer_is_lost_is_found_again_by_its_callback(
    fault: str, value: Any, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault(fault, value)
    pushed = shop.push(PAYS)
    assert pushed["success"] is True
    assert pushed["checkoutRequestId"].startswith("pay_")
    simulator.settle()
    told = shop.status(pushed["checkoutRequestId"])
    assert told["status"] == "completed"
    assert told["MpesaReceiptNumber"]
    assert simulator.count("push") == 1


@pytest.mark.parametrize("fault", ["push_500", "push_502", "push_html_503", "drop_before"])
def test_a_push_that_may_not_have_rung_is_pending_and_not_repeated(
    fault: str, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault(fault)
    first = shop.push(WAITS)
    again = shop.push(WAITS)
    assert (first["success"], again["checkoutRequestId"]) == (True, first["checkoutRequestId"])
    assert shop.status(first["checkoutRequestId"])["status"] == "pending"
    assert simulator.count("push") == 1


@pytest.mark.parametrize(
    ("fault", "http", "code"),
    [
        ("push_429", 503, "daraja_busy"),
        ("push_html_403", 502, "daraja_refused"),
        ("push_empty_400", 502, "daraja_refused"),
    ],
)
def test_a_push_that_was_refused_may_be_tried_again_at_once(
    fault: str, http: int, code: str, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault(fault)
    body = {"phone": PAYS, "amount": 1500, "accountReference": "CART1"}
    answer = shop.post("/stkpush", body)
    assert (answer.status_code, answer.json()["code"]) == (http, code)
    simulator.no_faults()
    assert shop.post("/stkpush", body).status_code == 200


def test_a_token_that_is_refused_is_not_asked_for_again_at_once(shop: Shop, simulator: Simulated) -> None:
    """The next ones are told within a moment, and Safaricom is left in peace for half a minute."""
    simulator.fault("oauth_empty_400")
    body = {"phone": PAYS, "amount": 1500, "accountReference": "CART1"}
    answers = [shop.post("/stkpush", body | {"accountReference": f"CART{number}"}) for number in range(3)]
    assert {(each.status_code, each.json()["code"]) for each in answers} == {(502, "daraja_unusable")}
    simulator.no_faults()
    assert shop.post("/stkpush", body).status_code == 502
    DarajaToken.objects.update(refused_until=timezone.now())
    assert shop.post("/stkpush", body).status_code == 200


def test_a_safaricom_that_cant_be_reached_is_said_at_once(
    shop: Shop, simulator: Simulated, settings: Any
) -> None:
    settings.MPESA_BASE_URL = "http://127.0.0.1:9"
    answer = shop.post("/stkpush", {"phone": PAYS, "amount": 1500, "accountReference": "CART1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "daraja_unreachable")
    settings.MPESA_BASE_URL = simulator.address
    assert shop.push(PAYS, reference="CART1")["success"] is True


@pytest.mark.parametrize("fault", [None, "token_401"])
def test_a_dead_token_is_replaced_once_and_the_push_goes_through(
    fault: str | None, shop: Shop, simulator: Simulated
) -> None:
    shop.push(PAYS, reference="CART1")
    simulator.settle()
    simulator.expire_tokens()
    if fault:
        simulator.fault(fault)
    assert shop.push("254798765400", reference="CART2")["success"] is True
    assert simulator.count("oauth") == 2
    assert len(simulator.state()["transactions"]) == 2


def test_the_token_is_sealed_in_the_database(shop: Shop, simulator: Simulated) -> None:
    shop.push(PAYS)
    assert len(DarajaToken.objects.get().sealed) > 100


# --- on the callback ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("callback_before_answer", True), ("duplicate_callback", 3), ("wrong_order", True), ("masked_phone", True),
        ("missing_phone", True), ("string_phone", True), ("string_codes", True), ("string_amount", True),
        ("contrary_callback", True), ("contrary_callback", "before"), ("expires_in_number", True),
        ("no_customer_message", True),
    ],
)  # fmt: skip
def test_however_the_callback_comes_the_ledger_is_the_same(
    fault: str, value: Any, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault(fault, value)
    pushed = shop.push(PAYS)
    simulator.settle()
    told = shop.status(pushed["checkoutRequestId"])
    attempt = only_attempt()
    receipt = simulator.state()["transactions"][0]["receipt"]
    assert (told["status"], told["MpesaReceiptNumber"]) == ("completed", receipt)
    assert (attempt.state, attempt.pays_order, attempt.refund_due) == (State.COMPLETED, True, False)
    assert Order.objects.get().state == Order.State.PAID


def test_a_late_callback_is_waited_for(shop: Shop, simulator: Simulated) -> None:
    simulator.fault("late_callback", 300)
    pushed = shop.push(PAYS)
    assert shop.status(pushed["checkoutRequestId"])["status"] == "pending"
    simulator.advance(301)
    simulator.settle()
    assert shop.status(pushed["checkoutRequestId"])["status"] == "completed"


@pytest.mark.parametrize(("phone", "state"), [(PAYS, State.COMPLETED), (CANCELS, State.FAILED)])
def test_a_callback_that_never_comes_is_made_up_for_by_asking(
    phone: str, state: State, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault("no_callback")
    pushed = shop.push(phone)
    assert shop.status(pushed["checkoutRequestId"])["status"] == "pending"
    reconcile()
    attempt = only_attempt()
    assert (attempt.state, attempt.receipt) == (state, None)
    assert shop.status(pushed["checkoutRequestId"])["success"] is (state == State.COMPLETED)


def test_an_overdue_poll_asks_by_itself(shop: Shop, simulator: Simulated) -> None:
    simulator.fault("no_callback")
    pushed = shop.push(PAYS)
    overdue(only_attempt())
    assert shop.status(pushed["checkoutRequestId"])["status"] == "completed"
    assert shop.status(pushed["checkoutRequestId"])["MpesaReceiptNumber"] is None


@pytest.mark.parametrize(("fault", "value"), [("missing_amount", True), ("missing_metadata", True)])
def test_a_success_that_names_no_amount_is_asked_about(
    fault: str, value: Any, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault(fault, value)
    pushed = shop.push(PAYS)
    simulator.settle()
    # the hint made the next check due: the page's own poll asks
    assert shop.status(pushed["checkoutRequestId"])["status"] == "completed"
    assert simulator.count("query") == 1


def test_a_callback_with_another_amount_never_pays(shop: Shop, simulator: Simulated) -> None:
    simulator.fault("wrong_amount_callback", 1)
    pushed = shop.push(PAYS)
    simulator.settle()
    told = shop.status(pushed["checkoutRequestId"])
    assert (told["status"], Order.objects.get().state) == ("pending", Order.State.OPEN)
    assert only_attempt().amount_differs is True
    again = shop.push(PAYS)
    assert (again["success"], again["code"]) == (False, "being_checked")


def test_forged_callbacks_pay_nothing(shop: Shop, simulator: Simulated) -> None:
    pushed = shop.push(WAITS)
    items = [{"Name": "Amount", "Value": 1500}, {"Name": "MpesaReceiptNumber", "Value": "UKNFORGED1"}]
    told = {"MerchantRequestID": "1", "CheckoutRequestID": pushed["checkoutRequestId"], "ResultCode": 0}
    forged = {"Body": {"stkCallback": {**told, "ResultDesc": "", "CallbackMetadata": {"Item": items}}}}
    for path in ("/api/mpesa-callback", "/api/payments/callback", "/api/mpesa-callback/" + "a" * 48):
        answer = shop.post(path, forged)
        assert (answer.status_code, answer.json()) == (200, {"ResultCode": 0, "ResultDesc": "Accepted"})
    assert shop.status(pushed["checkoutRequestId"])["status"] == "pending"
    assert CallbackDelivery.objects.filter(verdict=CallbackDelivery.Verdict.APPLIED).count() == 0


# --- on the query ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("pending_500", True), ("pending_empty", True), ("pending_400", True), ("random_no_answer", 1),
        ("query_429", True), ("query_html", True), ("query_drop", True), ("query_other_id", True),
        ("oauth_empty_400", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("phone", [PAYS, CANCELS, WAITS])
def test_no_answer_to_a_query_leaves_the_payment_pending(
    fault: str, value: Any, phone: str, shop: Shop, simulator: Simulated
) -> None:
    simulator.fault("no_callback")
    pushed = shop.push(phone)
    simulator.fault(fault, value)
    if fault.startswith("oauth"):
        simulator.expire_tokens()
    overdue(only_attempt())
    told = shop.status(pushed["checkoutRequestId"])
    expected = {"pending"}
    if fault.startswith("pending") and phone != WAITS:  # these forms end with the payment
        expected = {"completed" if phone == PAYS else "failed"}
    assert {told["status"]} == expected
    assert simulator.count("push") == 1


def test_one_token_serves_push_and_query(shop: Shop, simulator: Simulated) -> None:
    simulator.fault("no_callback")
    shop.push(PAYS)
    reconcile()
    assert simulator.count("oauth") == 1


# --- clicks ---------------------------------------------------------------------------------------------


def test_the_merchants_page_clicked_twice_rings_once(shop: Shop, simulator: Simulated) -> None:
    first = shop.push(WAITS, reference="CART1732381200000")
    second = shop.push(WAITS, reference="CART1732381201234")
    assert second["checkoutRequestId"] == first["checkoutRequestId"]
    assert simulator.count("push") == 1


def test_an_idempotency_key_replays_its_answer(shop: Shop, simulator: Simulated) -> None:
    key = {"Idempotency-Key": "click-1"}
    first = shop.push(WAITS, headers=key)
    simulator.answer(first["checkoutRequestId"], "cancel")
    assert shop.push(WAITS, headers=key) == first
    assert shop.push(WAITS, amount=1, headers=key)["code"] == "key_reused"
    assert simulator.count("push") == 1
