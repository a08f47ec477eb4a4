"""Money that is paid by hand: told by an unsigned notice, believed once Safaricom, asked by receipt, says the same."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from orders.models import Order
from payments import enquiries, gateway, ledger, lookups, manual
from payments.models import CallbackDelivery, HandSettlement, Lookup, MpesaTransaction, Receipt
from payments.simulator.accounts import INITIATOR, INITIATOR_PASSWORD
from payments.simulator.options import Config
from payments.simulator.server import running
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk, words_of
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import asked_and_paid, called_back
from tests.support.payments.simulator import Client, Shop, daraja, hearing
from tests.support.places import ROOT

pytestmark = pytest.mark.django_db


class Line:
    """The shop at the simulated Safaricom; what that posts waits until a test lets it arrive."""

    def __init__(self, simulator: Client, posts: Shop, clock: Clock) -> None:
        self.simulator = simulator
        self.posts = posts
        self.clock = clock
        self._arrived = 0

    def arrive(self) -> None:
        self.simulator.idle()
        waiting = list(zip(self.posts.paths, self.posts.bodies, strict=True))[self._arrived :]
        self._arrived += len(waiting)
        for path, body in waiting:
            self.post(path, body)

    def post(self, path: str, body: Any) -> dict[str, Any]:
        answer = Browser().post(path, json.dumps(body), content_type="application/json")
        assert answer.status_code == 200, answer.content
        told: dict[str, Any] = answer.json()
        return told

    def work(self, rounds: int = 1) -> None:
        """The worker looks, and Safaricom's results come."""
        for _ in range(rounds):
            lookups.look_next(clock=self.clock)
            self.arrive()

    def told(self, **changes: Any) -> dict[str, str]:
        """A notice as somebody else could write it."""
        return {
            "TransID": "UKN4AB12CD",
            "TransAmount": "1500.00",
            "BusinessShortCode": "174379",
            "BillRefNumber": "",
            "TransTime": "20261127120000",
            "MSISDN": "2547 ***** 000",
            "FirstName": "JOHN",
            **changes,
        }


@pytest.fixture
def line(clock: Clock, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    clock.now = datetime.now(UTC)
    monkeypatch.setattr(gateway, "now", clock)
    settings.MPESA_INITIATOR_NAME, settings.MPESA_INITIATOR_PASSWORD = INITIATOR, INITIATOR_PASSWORD
    settings.MPESA_CERTIFICATE = str(ROOT / "payments/simulator/static/certificate.pem")
    with hearing() as posts, running(Config(port=0, speed="instant")) as server:
        settings.MPESA_CALLBACK_URL = f"{posts.url.split('/cb/')[0]}/api/payments/callback"
        client = daraja(server.base_url)
        monkeypatch.setattr(gateway, "client", lambda: client)
        yield Line(Client(server.base_url, posts.url), posts, clock)


@pytest.fixture
def registered(line: Line) -> Line:
    call_command("register_c2b", "--register")
    return line


def order_stands(order: Order) -> tuple[str, int]:
    order.refresh_from_db()
    return order.state, order.received_cents


def agrees() -> None:
    assert list(ledger.faults()) == []


# --- the usual way ---


@pytest.mark.parametrize("typed", ["{code}", "{code} ", "order {lower}", "{spaced}"])
def test_it_is_claimed_by_the_orders_code_as_people_type_it(
    registered: Line, clock: Clock, typed: str
) -> None:
    order = place(clock)
    account = typed.format(code=order.code, lower=order.code.lower(), spaced=f"DK {order.code[2:]}")
    receipt = registered.simulator.paid_by_hand(order.total_kes, account)
    registered.arrive()
    assert order_stands(order) == ("open", 0), "nothing is believed yet"
    registered.work()
    assert order_stands(order) == ("paid", 100 * order.total_kes)
    row = Lookup.objects.get()
    assert (row.code, row.state, row.booked_as.code if row.booked_as else "") == (
        receipt,
        "confirmed",
        receipt,
    )
    agrees()


def test_what_names_no_order_is_nobodys(registered: Line) -> None:
    registered.simulator.paid_by_hand(450, "WANJIRU")
    registered.arrive()
    registered.work()
    booked = Receipt.objects.get()
    assert (booked.unclaimed_cents, booked.account_no, booked.told_by) == (45_000, "WANJIRU", "query")
    assert booked.payer_masked == "2547••••0000"
    agrees()


def test_told_twice_it_counts_once(registered: Line, clock: Clock) -> None:
    order = place(clock)
    registered.simulator.fault("duplicate_confirmation", 3)
    registered.simulator.paid_by_hand(order.total_kes, order.code)
    registered.arrive()
    registered.work(3)
    registered.arrive()
    assert order_stands(order) == ("paid", 100 * order.total_kes)
    assert Lookup.objects.count() == Receipt.objects.count() == 1
    verdicts = list(CallbackDelivery.objects.order_by("id").values_list("verdict", flat=True))
    assert verdicts == ["hint", "repeated", "repeated", "applied"]


# --- what is not believed ---


def test_a_forged_notice_pays_nothing(line: Line, clock: Clock) -> None:
    order = place(clock)
    confirmation, _ = gateway.notice_addresses()
    line.post(confirmation[confirmation.index("/api/") :], line.told(BillRefNumber=order.code))
    for _ in range(5):
        line.work()
        clock.advance(minutes=10)
    assert order_stands(order) == ("open", 0)
    row = Lookup.objects.get()
    assert (row.state, row.looks) == ("denied", 3)
    assert not Receipt.objects.exists()


def test_the_amount_that_counts_is_safaricoms(line: Line, clock: Clock) -> None:
    order = place(clock)
    receipt = line.simulator.paid_by_hand(10, order.code)
    confirmation, _ = gateway.notice_addresses()
    forged = line.told(TransID=receipt, TransAmount=f"{order.total_kes}.00", BillRefNumber=order.code)
    line.post(confirmation[confirmation.index("/api/") :], forged)
    line.work()
    assert order_stands(order) == ("open", 1000)
    agrees()


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "confirmed"),
        ({"CreditPartyName": "600999 - Another"}, "denied"),
        ({"CreditPartyName": None}, "denied"),
        ({"ReceiptNo": "UKN9ZZ12CD"}, "denied"),
        ({"Amount": None}, "denied"),
        ({"TransactionStatus": "Declined"}, "denied"),
        ({"TransactionStatus": "Initiated"}, "asked"),
        ({"TransactionStatus": None}, "asked"),
    ],
)
def test_only_this_receipt_of_ours_that_came_is_booked(
    line: Line, changes: dict[str, Any], state: str
) -> None:
    confirmation, _ = gateway.notice_addresses()
    line.post(confirmation[confirmation.index("/api/") :], line.told())
    Lookup.objects.update(state="asked", looks=1, token_hash=gateway.token_hash("t" * 48))
    told = {
        "DebitPartyName": "254708374149 - John Doe",
        "CreditPartyName": "174379 - Shop",
        "TransactionStatus": "Completed",
        "Amount": "1500",
        "ReceiptNo": "UKN4AB12CD",
        **changes,
    }
    listed = [{"Key": key, "Value": value} for key, value in told.items() if value is not None]
    body = {
        "Result": {
            "ResultCode": 0,
            "OriginatorConversationID": "1-2-3",
            "ResultParameters": {"ResultParameter": listed},
        }
    }
    line.post(f"/api/payments/results/{'t' * 48}", body)
    row = Lookup.objects.get()
    assert (row.state, Receipt.objects.count()) == (state, 1 if state == "confirmed" else 0)
    agrees()


def test_at_an_address_of_nobody_it_is_not_even_asked_about(line: Line) -> None:
    line.post(f"/api/payments/confirmed/{'0' * 48}", line.told())
    assert CallbackDelivery.objects.get().verdict == "unreadable"
    assert not Lookup.objects.exists()


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"BusinessShortCode": "600999"}, "wrong_id"),
        ({"TransID": ""}, "unreadable"),
        ({"TransID": "x" * 99}, "unreadable"),
    ],
)
def test_a_notice_that_makes_no_sense(line: Line, changes: dict[str, str], verdict: str) -> None:
    confirmation, _ = gateway.notice_addresses()
    line.post(confirmation[confirmation.index("/api/") :], line.told(**changes))
    assert CallbackDelivery.objects.get().verdict == verdict
    assert not Lookup.objects.exists()


@pytest.mark.parametrize("fault", ["initiator_locked", "no_permission"])
def test_an_initiator_who_may_not_denies_nobodys_money(registered: Line, clock: Clock, fault: str) -> None:
    order = place(clock)
    registered.simulator.paid_by_hand(order.total_kes, order.code)
    registered.arrive()
    registered.simulator.fault(fault, times=4)
    for _ in range(6):
        registered.work()
        clock.advance(hours=1)
    assert order_stands(order) == ("paid", 100 * order.total_kes)


@pytest.mark.parametrize(
    "fault", ["deed_429", "deed_drop", "lost_deed_answer", "no_result", "duplicate_result"]
)
def test_after_each_fault_of_asking_it_is_asked_again(registered: Line, clock: Clock, fault: str) -> None:
    order = place(clock)
    registered.simulator.paid_by_hand(order.total_kes, order.code)
    registered.arrive()
    registered.simulator.fault(fault, times=1)
    for _ in range(4):
        registered.work()
        clock.advance(minutes=5)
    assert order_stands(order) == ("paid", 100 * order.total_kes)
    agrees()


def test_without_an_initiator_it_waits_for_a_statement(registered: Line, clock: Clock, settings: Any) -> None:
    settings.MPESA_INITIATOR_NAME = ""
    registered.simulator.paid_by_hand(450, "X")
    registered.arrive()
    registered.work(2)
    assert (Lookup.objects.get().state, Receipt.objects.count()) == ("due", 0)
    clock.advance(hours=80)
    registered.work(2)
    assert Lookup.objects.get().next_look_at is None


# --- beside our own requests ---


def asked(
    line: Line, monkeypatch: pytest.MonkeyPatch, fake: FakeDaraja | None = None
) -> tuple[MpesaTransaction, FakeDaraja]:
    """A request of ours, over a Safaricom that only this part of the story has."""
    from payments.checkout import push, wanted

    fake = fake or FakeDaraja()
    with monkeypatch.context() as patch:
        patch.setattr(gateway, "client", lambda: fake)
        ask = wanted.Ask(msisdn="254712345678", amount_kes=1500, reference="CART1")
        poll_id = push.request_payment(ask, clock=line.clock).poll_id
    return MpesaTransaction.objects.get(checkout_request_id=poll_id), fake


def test_a_receipt_that_was_awaited_is_filled_in(registered: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt, fake = asked(registered, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(gateway, "client", lambda: fake)
        asked_and_paid(attempt, fake, registered.clock)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == ("completed", None)
    receipt = registered.simulator.paid_by_hand(1500, attempt.account_reference)
    registered.arrive()
    registered.clock.advance(seconds=5)  # the next turn
    registered.work()
    attempt.refresh_from_db()
    assert attempt.receipt == receipt
    assert Receipt.objects.filter(direction="in").count() == 1
    assert Lookup.objects.get().state == "confirmed"
    agrees()


def test_whoever_waits_for_a_payment_is_asked_about_before(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backlog of receipts takes the turns of the watched, and no buyer's."""
    from payments.enquiries import lanes

    for number in range(20):
        registered.simulator.paid_by_hand(10 + number, "X")
    registered.arrive()
    attempt, _ = asked(registered, monkeypatch)
    lanes.wait_in(enquiries.Lane.BUYER, attempt.pk, now=clock())
    taken = []
    for _ in range(16):
        clock.advance(seconds=1)
        lanes.wait_in(enquiries.Lane.BUYER, attempt.pk, now=clock())
        if lookups.look_next(clock=clock):
            taken.append(Lookup.objects.filter(looks__gt=0).count())
        else:
            enquiries.take_turn(now=clock())  # the buyer's
    assert len(taken) == 2


def test_a_request_that_is_on_the_phone_gets_its_money_once(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safaricom may tell of one payment by callback and by notice: it is one."""
    attempt, fake = asked(registered, monkeypatch)
    receipt = registered.simulator.paid_by_hand(1500, attempt.account_reference)
    registered.arrive()
    registered.work()
    called_back(fake, clock, receipt=receipt)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt) == ("completed", receipt)
    assert Receipt.objects.filter(direction="in").count() == 1
    assert Lookup.objects.get().state == "confirmed"
    agrees()


def test_a_second_payment_beside_the_requests_own_goes_back(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paid by hand and by the prompt: both are here, and one is to be sent back."""
    attempt, fake = asked(registered, monkeypatch)
    registered.simulator.paid_by_hand(1500, attempt.account_reference)
    registered.arrive()
    registered.work()
    called_back(fake, clock, receipt="UKN4ZZ99CD")
    assert Receipt.objects.filter(direction="in").count() == 2
    assert sum(Receipt.objects.values_list("due_cents", flat=True)) == 150_000
    agrees()


@pytest.mark.parametrize("ends", ["failed", "expired", "paid later"])
def test_a_request_that_was_taken_for_failed_gets_its_money(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    """Else the same shillings would count twice, once Safaricom, asked about the request, says "paid" too."""
    attempt, fake = asked(registered, monkeypatch)
    if ends == "expired":
        enquiries.expire(attempt.pk, now=clock(), why="Nobody answered.")
    else:
        called_back(fake, clock, code=1037)
    receipt = registered.simulator.paid_by_hand(1500, attempt.account_reference)
    registered.arrive()
    for _ in range(3):
        registered.work()
        clock.advance(seconds=5)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, attempt.came_late) == ("completed", receipt, True)
    if ends == "paid later":
        with monkeypatch.context() as patch:
            patch.setattr(gateway, "client", lambda: fake)
            asked_and_paid(attempt, fake, clock)
    attempt.refresh_from_db()
    assert (attempt.refund_due, attempt.due_cents, Receipt.objects.count()) == (False, 0, 1)
    agrees()


def test_one_of_several_requests_is_a_persons_to_choose(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, fake = asked(registered, monkeypatch)
    called_back(fake, clock, code=1037)
    clock.advance(minutes=3)
    second, _ = asked(registered, monkeypatch, fake)
    assert second.pk != first.pk
    called_back(fake, clock, code=1037)
    registered.simulator.control("POST", "clock", {"advance": 240})
    registered.simulator.paid_by_hand(1500, first.account_reference)
    registered.arrive()
    for _ in range(3):
        registered.work()
        clock.advance(seconds=5)
    assert Lookup.objects.get().looks
    assert not Receipt.objects.exists(), "the callback of one of them may come"
    for _ in range(8):
        registered.work()
        clock.advance(minutes=10)
    assert Receipt.objects.get().unclaimed_cents == 150_000
    agrees()


def test_a_callback_that_comes_while_safaricom_is_asked_is_the_same_money(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, fake = asked(registered, monkeypatch)
    receipt = registered.simulator.paid_by_hand(1500, attempt.account_reference)
    registered.arrive()
    lookups.look_next(clock=clock)
    called_back(fake, clock, receipt=receipt)
    registered.arrive()
    assert CallbackDelivery.objects.latest("id").verdict == "repeated"
    assert (Lookup.objects.get().state, Receipt.objects.count()) == ("confirmed", 1)
    agrees()


# --- what a person says, while it waits for a second one ---


def proposed(line: Line, attempt: MpesaTransaction, receipt: str, kes: int) -> HandSettlement:
    """A callback was lost, and the customer read her message to a cashier."""
    line.clock.advance(minutes=10)
    told = manual.Settlement(receipt=receipt, amount_kes=kes, evidence="sms", reason="She read it to me.")
    waiting = manual.propose_settlement(attempt.pk, told, by="akinyi", now=line.clock())
    assert waiting.decision == HandSettlement.Decision.WAITING
    return waiting


def test_what_safaricom_confirms_needs_no_second_person(
    registered: Line, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1000
    attempt, _ = asked(registered, monkeypatch)
    receipt = registered.simulator.paid_by_hand(1500, "x", "254712345678")
    waiting = proposed(registered, attempt, receipt, 1500)
    for _ in range(3):
        registered.work()
        registered.clock.advance(seconds=5)
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, attempt.by_hand) == ("completed", receipt, False)
    assert manual.close_pointless(now=registered.clock()) == 1
    waiting.refresh_from_db()
    assert waiting.decision == HandSettlement.Decision.CLOSED
    agrees()


@pytest.mark.parametrize(
    ("kes", "phone", "hours", "why"),
    [
        (1400, "254712345678", 0, "KES 1,400 came with it, and KES 1,500 was asked for."),
        (1500, "254799999999", 0, "It came from another phone than was asked."),
        (1500, "254712345678", -30, "It came at another time than this request."),
    ],
)
def test_what_does_not_fit_waits_for_the_second_person_who_reads_why(
    registered: Line,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    kes: int,
    phone: str,
    hours: int,
    why: str,
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1000
    attempt, _ = asked(registered, monkeypatch)
    if hours:
        MpesaTransaction.objects.update(created_at=attempt.created_at + timedelta(hours=hours))
    receipt = registered.simulator.paid_by_hand(kes, "x", phone)
    proposed(registered, attempt, receipt, 1500)
    for _ in range(3):
        registered.work()
        registered.clock.advance(seconds=5)
    attempt.refresh_from_db()
    assert attempt.receipt is None
    assert lookups.said_of(receipt) == f"Safaricom, asked: {why}"
    assert not Receipt.objects.exists()


def test_what_safaricom_denies_is_said_to_the_second_person(
    registered: Line, clock: Clock, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 1000
    attempt, _ = asked(registered, monkeypatch)
    proposed(registered, attempt, "UKN4AB12CD", 1500)
    assert lookups.said_of("UKN4AB12CD") == "Safaricom is being asked about this receipt."
    for _ in range(4):
        registered.work()
        clock.advance(minutes=5)
    assert lookups.said_of("UKN4AB12CD") == "Safaricom, asked: Safaricom knows no such transaction."
    page = at_desk("supervisor").get(f"/admin/payments/mpesatransaction/{attempt.pk}/change/")
    assert "Safaricom, asked: Safaricom knows no such transaction." in words_of(page)


# --- before it is made ---


@pytest.mark.parametrize(
    ("account", "refuses", "goes"),
    [("{code}", True, True), ("WANJIRU", True, False), ("WANJIRU", False, True)],
)
def test_validation_refuses_what_can_mean_no_order_where_the_shop_wants_it(
    registered: Line, clock: Clock, settings: Any, account: str, refuses: bool, goes: bool
) -> None:
    settings.C2B_REFUSES_UNKNOWN_ACCOUNTS = refuses
    order = place(clock)
    _, validation = gateway.notice_addresses()
    told = registered.told(BillRefNumber=account.format(code=order.code))
    answer = registered.post(validation[validation.index("/api/") :], told)
    assert answer["ResultCode"] == ("0" if goes else "C2B00012")
    assert answer["ResultDesc"] == ("Accepted" if goes else "Rejected")
    assert not Lookup.objects.exists()


@pytest.mark.parametrize("body", [{}, [], "x", {"TransID": None}])
def test_validation_of_rubbish_lets_it_pass(line: Line, settings: Any, body: Any) -> None:
    settings.C2B_REFUSES_UNKNOWN_ACCOUNTS = True
    _, validation = gateway.notice_addresses()
    assert line.post(validation[validation.index("/api/") :], body)["ResultCode"] == "0"


# --- the command ---


def test_the_command_tells_registers_and_takes_a_second_time_for_what_it_is(
    line: Line, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("register_c2b")
    said = capsys.readouterr().out
    assert "None was told yet." in said
    assert gateway.notice_tokens()[0] not in said
    call_command("register_c2b", "--register")
    assert "the addresses are registered" in capsys.readouterr().out
    call_command("register_c2b", "--register")
    assert "nothing was changed" in capsys.readouterr().out
    line.simulator.paid_by_hand()
    line.arrive()
    call_command("register_c2b")
    assert "1 were told" in capsys.readouterr().out


def test_an_address_that_safaricom_refuses_is_said(line: Line, settings: Any) -> None:
    settings.MPESA_CALLBACK_URL = "http://mpesa.example/api/payments/callback"
    with pytest.raises(CommandError, match="did not register"):
        call_command("register_c2b", "--register")


def test_a_new_key_of_the_ledger_still_hears_the_old_address(line: Line, settings: Any, clock: Clock) -> None:
    old, _ = gateway.notice_addresses()
    settings.LEDGER_KEY = ["a-new-key-of-the-ledger-that-is-long-enough", *settings.LEDGER_KEY]
    assert gateway.notice_addresses()[0] != old
    line.post(old[old.index("/api/") :], line.told())
    assert Lookup.objects.count() == 1
