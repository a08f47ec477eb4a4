"""Money that Safaricom sends back by our order: once at most, and after every fault the book agrees with its books."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from payments import ledger, manual, reversals
from payments.ledger import CENTS
from payments.manual import ActionRefused
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent, Posting, Receipt, Reversal
from tests.support.payments.sending_back import Till, state_of

pytestmark = pytest.mark.django_db
WHY = "Paid twice, the customer says."


def send_back(receipt: Receipt, kes: int = 1500, by: str = "akinyi") -> Any:
    return manual.send_back(receipt.pk, amount_kes=kes, reason=WHY, by=by, now=CLOCK[0]())


CLOCK: list[Callable[[], Any]] = []


@pytest.fixture(autouse=True)
def _clock(till: Till) -> None:
    CLOCK[:] = [till.clock]


def receipt_of(attempt: MpesaTransaction) -> Receipt:
    receipt = ledger.valid_receipt(attempt.pk)
    assert receipt is not None
    return receipt


def booked_out(till: Till) -> int:
    """KES that left by reversals, as the book has it."""
    left = Posting.objects.filter(credit__startswith="mpesa:").exclude(code="correction")
    return sum(posting.amount_cents for posting in left) // CENTS


def agrees(till: Till) -> None:
    assert booked_out(till) == till.went
    assert list(ledger.faults()) == []


@pytest.fixture(params=["payment", "nobodys"])
def receipt(request: pytest.FixtureRequest, till: Till) -> Receipt:
    return receipt_of(till.payment()) if request.param == "payment" else till.nobodys()


# --- the usual way ---


def test_it_is_sent_once_told_and_booked(till: Till, receipt: Receipt) -> None:
    send_back(receipt)
    assert (state_of(receipt), till.orders()) == ("due", 0)
    till.work()
    assert state_of(receipt) == "asked"
    till.arrive()
    row = Reversal.objects.get()
    (gone,) = till.simulator.moves("reversal")
    assert (row.state, row.went_as.code if row.went_as else "") == ("done", gone["receipt"])
    assert (row.next_look_at, row.decided_by) == (None, "akinyi")
    assert (till.went, till.orders()) == (1500, 1)
    assert ledger.left_of(receipt) == 0
    agrees(till)


def needed() -> set[str]:
    from payments.attention import rows

    return {row.reason for row in rows(now=CLOCK[0]())}


def test_nobody_is_asked_to_look_at_what_was_decided_here(till: Till, receipt: Receipt) -> None:
    send_back(receipt)
    till.work()
    till.arrive()
    assert not {"reversed", "refund_due", "refund_unseen"} & needed()


@pytest.mark.parametrize(("fault", "reason"), [("swept_out", "refund_due"), ("deed_drop", "refund_unseen")])
def test_a_person_is_told_of_one_that_failed_and_of_one_without_a_word(
    till: Till, receipt: Receipt, fault: str, reason: str
) -> None:
    till.simulator.fault(fault, times=1)
    send_back(receipt)
    till.work()
    till.arrive()
    till.clock.advance(hours=2)
    assert reason in needed()
    if reason == "refund_due":
        manual.mark_reversal_reviewed(Reversal.objects.get().pk, by="akinyi", now=till.clock())
        assert reason not in needed()


def test_a_time_out_has_it_looked_for_at_once(till: Till, receipt: Receipt) -> None:
    till.simulator.fault("queue_timeout", times=1)
    send_back(receipt)
    till.work()
    later = Reversal.objects.get().next_look_at
    till.arrive()
    row = Reversal.objects.get()
    assert (row.state, row.next_look_at) == ("asked", till.clock())
    assert later is not None
    assert later > till.clock()


def test_however_many_strangers_write_a_result_of_ours_is_taken(
    till: Till, receipt: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    from payments.callbacks import strangers

    monkeypatch.setattr(strangers, "are_too_many", lambda _address: True)
    send_back(receipt)
    till.work()
    till.arrive()
    assert state_of(receipt) == "done"


def test_a_part_goes_back_and_the_order_keeps_the_rest(till: Till) -> None:
    attempt = till.payment(1500)
    send_back(receipt_of(attempt), 500)
    till.work()
    till.arrive()
    attempt.refresh_from_db()
    assert (attempt.refunded_kes, attempt.refunded_at) == (500, None)
    attempt.order.refresh_from_db()
    assert attempt.order.returned_cents == 50_000
    agrees(till)
    with pytest.raises(ActionRefused, match="once only"):
        send_back(receipt_of(attempt), 500)


def test_the_history_says_who_ordered_it_and_what_came_of_it(till: Till) -> None:
    attempt = till.payment()
    send_back(receipt_of(attempt))
    till.work()
    till.arrive()
    kinds = list(PaymentEvent.objects.filter(attempt=attempt).values_list("kind", flat=True))
    assert kinds[-2:] == ["reversal_ordered", "reversed"]
    ordered = PaymentEvent.objects.get(attempt=attempt, kind="reversal_ordered")
    assert (ordered.facts["by"], ordered.facts["amount"], ordered.facts["reason"]) == ("akinyi", "1500", WHY)


def test_above_the_limit_a_second_person_confirms_and_nothing_is_sent_before(till: Till) -> None:
    receipt = receipt_of(till.payment(20_000))
    waits = send_back(receipt, 20_000)
    till.work()
    assert (Reversal.objects.count(), till.orders()) == (0, 0)
    with pytest.raises(ActionRefused, match="second person"):
        manual.confirm_settlement(waits.pk, by="akinyi", now=till.clock())
    manual.confirm_settlement(waits.pk, by="kraph", now=till.clock())
    till.work()
    till.arrive()
    row = Reversal.objects.get()
    assert (row.state, row.decided_by, row.confirmed_by) == ("done", "akinyi", "kraph")
    agrees(till)


def test_it_is_off_until_there_is_an_initiator(till: Till, receipt: Receipt, settings: Any) -> None:
    send_back(receipt)
    settings.MPESA_INITIATOR_NAME = ""
    till.work()
    assert (state_of(receipt), till.orders()) == ("due", 0)
    assert "no initiator" in manual.refusal_to_send_back(receipt)


# --- every fault of the way ---

FAULTS: list[tuple[str, Any, str]] = [
    ("no_result", True, "done"),
    ("late_result", 600, "done"),
    ("duplicate_result", 3, "done"),
    ("result_before_answer", True, "done"),
    ("result_for_nobody", True, "done"),
    ("queue_timeout", True, "done"),
    ("bare_result", True, "done"),
    ("lost_deed_answer", True, "done"),
    ("deed_500", "accepted", "done"),
    ("initiator_locked", True, "refused"),
    ("no_permission", True, "refused"),
    ("swept_out", True, "refused"),
    ("already_reversed", True, "refused"),
    ("deed_html", True, "refused"),
    ("token_401", True, "done"),
    ("deed_429", True, "due"),
    ("deed_drop", True, "unknown"),
    ("deed_500", "on", "unknown"),
]


@pytest.mark.parametrize(("fault", "value", "ends"), FAULTS)
def test_after_each_fault_the_book_agrees_with_safaricoms(
    till: Till, receipt: Receipt, fault: str, value: Any, ends: str
) -> None:
    """The fault strikes once; then the worker goes on for an hour."""
    till.simulator.register_pull()
    till.simulator.fault(fault, value, times=1)
    send_back(receipt)
    sent = 0
    for _ in range(12):
        till.work()
        till.arrive()
        sent = max(sent, till.orders())
        till.clock.advance(minutes=0 if ends == "due" else 5)
    till.simulator.control("POST", "clock", {"advance": 3600})
    till.arrive()
    assert sent == 1, "an order leaves once"
    assert state_of(receipt) == ends
    assert till.went == (1500 if ends == "done" else 0)
    agrees(till)


def test_what_was_not_taken_is_sent_again_and_only_that(till: Till, receipt: Receipt) -> None:
    till.simulator.fault("deed_429", times=1)
    send_back(receipt)
    till.work()
    assert (state_of(receipt), till.went) == ("due", 0)
    till.work()
    assert till.orders() == 1  # not at once
    till.clock.advance(minutes=2)
    till.work()
    till.arrive()
    assert (state_of(receipt), till.went, till.orders()) == ("done", 1500, 2)
    agrees(till)


def test_a_process_that_dies_while_it_sends_leaves_it_unknown_and_never_sends_again(
    till: Till, receipt: Receipt
) -> None:
    send_back(receipt)
    Reversal.objects.update(state="sending", sent_at=till.clock(), next_look_at=till.clock.advance(minutes=2))
    till.work(3)
    assert (state_of(receipt), till.orders()) == ("unknown", 0)
    till.clock.advance(hours=80)
    till.work(3)
    assert (state_of(receipt), till.orders()) == ("unknown", 0)
    assert Reversal.objects.get().next_look_at is None


@pytest.mark.parametrize("ends_by", ["result", "pull"])
def test_a_process_that_dies_after_it_was_sent_finds_it_gone(
    till: Till, receipt: Receipt, ends_by: str
) -> None:
    till.simulator.register_pull()
    if ends_by == "pull":
        till.simulator.fault("no_result", times=1)
    send_back(receipt)
    till.work()
    Reversal.objects.update(  # as if nothing of the answer had been noted
        state="sending", originator_conversation_id="", conversation_id="", next_look_at=till.clock()
    )
    if ends_by == "result":
        till.arrive()
    till.clock.advance(minutes=3)
    till.work(4)
    assert (state_of(receipt), till.orders()) == ("done", 1)
    agrees(till)


# --- who says what ---


def test_a_result_of_another_order_moves_nothing(till: Till, receipt: Receipt) -> None:
    till.simulator.fault("no_result", times=1)
    send_back(receipt)
    till.work()
    token = Reversal.objects.get().token_hash
    forged = {"Result": {"ResultCode": 0, "OriginatorConversationID": "1-1-1", "TransactionID": "UKN9ZZ12CD"}}
    till.post("/api/payments/results/of-nobody", forged)
    assert CallbackDelivery.objects.latest("id").verdict == "unreadable"
    path = next(iter(till.simulator.control("GET", "state")["orders"]))
    assert path["originator_conversation_id"] != "1-1-1"
    body = {"Result": {**forged["Result"]}}
    verdict = reversals.apply_result(token or "", json.dumps(body), now=till.clock())
    assert verdict == "wrong_id"
    assert state_of(receipt) == "asked"


@pytest.mark.parametrize(
    "told", [{"OriginalTransactionID": "UKN9ZZ12CD"}, {"Amount": 1}, {"Amount": "1500.50"}]
)
def test_a_result_that_names_another_payment_or_amount_is_not_believed(
    till: Till, receipt: Receipt, told: dict[str, Any]
) -> None:
    till.simulator.fault("no_result", times=1)
    send_back(receipt)
    till.work()
    row = Reversal.objects.get()
    listed = [{"Key": key, "Value": value} for key, value in told.items()]
    body = {
        "Result": {
            "ResultCode": 0,
            "OriginatorConversationID": row.originator_conversation_id,
            "TransactionID": "UKN9ZZ12CD",
            "ResultParameters": {"ResultParameter": listed},
        }
    }
    verdict = reversals.apply_result(row.token_hash or "", json.dumps(body), now=till.clock())
    assert verdict == "wrong_amount"
    assert (state_of(receipt), booked_out(till)) == ("asked", 0)


def test_a_success_after_a_refusal_is_booked_all_the_same(till: Till, receipt: Receipt) -> None:
    send_back(receipt)
    till.simulator.fault("no_result", times=1)
    till.work()
    row = Reversal.objects.select_related("receipt").get()
    from payments.reversals.ending import never_went

    assert never_went(row, words="as somebody said", source=ledger.Source.QUERY, now=till.clock())
    till.clock.advance(minutes=1)
    body = {
        "Result": {
            "ResultCode": "0",
            "OriginatorConversationID": row.originator_conversation_id,
            "TransactionID": till.simulator.moves("reversal")[0]["receipt"],
        }
    }
    assert reversals.apply_result(row.token_hash or "", json.dumps(body), now=till.clock()) == "applied"
    assert state_of(receipt) == "done"
    agrees(till)


# --- beside other ways ---


def test_no_other_way_is_open_while_it_is_under_way(till: Till) -> None:
    attempt, loose = till.payment(), till.nobodys()
    for receipt in (receipt_of(attempt), loose):
        send_back(receipt)
        with pytest.raises(ActionRefused, match="ordered to send it back already"):
            send_back(receipt, 100)
    told: dict[str, Any] = {"reference": "UKN5RR12CD", "amount_kes": 100, "reason": WHY, "by": "kraph"}
    with pytest.raises(ActionRefused, match="ordered to send it back already"):
        manual.record_refund(attempt.pk, **told, now=till.clock())
    with pytest.raises(ActionRefused, match="ordered to send it back already"):
        manual.refund_receipt(loose.pk, **told, now=till.clock())


def test_the_guard_holds_where_the_refusal_was_asked_too_early(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two people at once: what the page allowed is decided again where the money moves."""
    from payments.manual import refunding

    attempt, loose = till.payment(), till.nobodys()
    for receipt in (receipt_of(attempt), loose):
        send_back(receipt)
    monkeypatch.setattr(refunding, "refusal_to_refund", lambda _row: "")
    monkeypatch.setattr(refunding, "_refusal_as_it_is", lambda _receipt: "")
    told: dict[str, Any] = {"amount_kes": 100, "reason": WHY, "by": "kraph", "now": till.clock()}
    with pytest.raises(ActionRefused, match="ordered to send it back already"):
        manual.record_refund(attempt.pk, reference="UKN5RR12CD", **told)
    with pytest.raises(ActionRefused, match="ordered to send it back already"):
        manual.refund_receipt(loose.pk, reference="UKN5RR12CE", **told)
    assert booked_out(till) == 0


def test_money_that_went_another_way_before_it_was_sent_stops_it(till: Till) -> None:
    receipt = till.nobodys()
    manual.refund_receipt(
        receipt.pk, reference="UKN5RR12CD", amount_kes=1000, reason=WHY, by="kraph", now=till.clock()
    )
    send_back(receipt, 500)
    Reversal.objects.update(amount_kes=600)
    till.work()
    assert (state_of(receipt), till.orders()) == ("refused", 0)


def test_a_customers_own_reversal_ends_ours(till: Till) -> None:
    receipt = till.nobodys()
    send_back(receipt)
    back = till.simulator.control("POST", "reverse", {"receipt": receipt.code})
    till.work()
    till.arrive()
    row = Reversal.objects.get()
    assert (row.state, row.code) == ("refused", "R000001")
    assert back["receipt"] not in Receipt.objects.values_list("code", flat=True)  # a statement brings it


def test_a_statement_ends_what_nobody_answered(till: Till) -> None:
    attempt = till.payment()
    receipt = receipt_of(attempt)
    till.simulator.fault("lost_deed_answer", times=1)
    till.simulator.fault("no_result", times=1)
    send_back(receipt)
    till.work()
    assert state_of(receipt) == "unknown"
    (gone,) = till.simulator.moves("reversal")
    from tests.support.payments.stating import reversal, state

    state([reversal(till.clock(), receipt.code or "", 1500, gone["receipt"])], till.clock)
    till.clock.advance(minutes=5)
    till.work(2)
    row = Reversal.objects.get()
    assert (row.state, row.went_as.code if row.went_as else "") == ("done", gone["receipt"])
    agrees(till)


def test_result_and_statement_are_one_movement(till: Till) -> None:
    receipt = receipt_of(till.payment())
    send_back(receipt)
    till.work()
    till.arrive()
    (gone,) = till.simulator.moves("reversal")
    from tests.support.payments.stating import reversal, state

    state([reversal(till.clock(), receipt.code or "", 1500, gone["receipt"])], till.clock)
    assert Receipt.objects.filter(kind="reversal").count() == 1
    agrees(till)


# --- it never went ---


def test_what_is_not_sent_yet_can_be_stopped(till: Till, receipt: Receipt) -> None:
    send_back(receipt)
    manual.say_never_went(
        Reversal.objects.get().pk, reason="Wrong customer, sorry.", by="akinyi", now=till.clock()
    )
    till.work()
    assert (state_of(receipt), till.orders()) == ("refused", 0)
    send_back(receipt)
    till.work()
    till.arrive()
    assert (state_of(receipt), till.went) == ("done", 1500)


def test_nobody_says_so_of_one_that_is_being_asked_about(till: Till, receipt: Receipt) -> None:
    till.simulator.fault("deed_drop", times=1)
    send_back(receipt)
    till.work()
    row = Reversal.objects.get()
    with pytest.raises(ActionRefused, match="wait for an hour"):
        manual.say_never_went(row.pk, reason="I am in a hurry.", by="akinyi", now=till.clock())
    till.clock.advance(hours=2)
    manual.say_never_went(row.pk, reason="The portal shows none.", by="akinyi", now=till.clock())
    assert state_of(receipt) == "refused"
    row.refresh_from_db()
    assert "The portal shows none." in row.words


def test_what_was_sent_in_the_moment_it_was_stopped_is_not_stopped(till: Till, receipt: Receipt) -> None:
    send_back(receipt)
    seen = Reversal.objects.select_related("receipt").get()
    till.work()
    from payments.reversals.ending import never_went

    assert not never_went(seen, words="stopped", source=ledger.Source.STAFF, now=till.clock())
    assert state_of(receipt) == "asked"


# --- the database refuses ---


def test_the_database_holds_one_order_for_a_receipt(till: Till, receipt: Receipt) -> None:
    from django.db import IntegrityError

    send_back(receipt)
    with pytest.raises(IntegrityError):
        Reversal.objects.create(
            receipt=receipt, amount_kes=1, reason="x", decided_by="x", decided_at=till.clock()
        )


def test_no_secret_of_an_order_is_kept(
    till: Till, receipt: Receipt, caplog: pytest.LogCaptureFixture
) -> None:
    send_back(receipt)
    till.work()
    (path,) = till.posts.paths
    token = path.rpartition("/")[2]
    kept = str(list(Reversal.objects.values()))
    assert token not in kept
    assert token not in caplog.text
