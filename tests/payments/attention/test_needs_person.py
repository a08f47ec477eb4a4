"""All that needs a person is in one list, with its order and what to do, until somebody has done it."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from payments import attention, callbacks, enquiries, ledger, manual
from payments.callbacks import spool
from payments.daraja import OutcomeUnknown, QueryAnswer, Verdict
from payments.desk import needs
from payments.desk.home import figures
from payments.facts import WORDS
from payments.manual import Settlement, actions
from payments.models import MpesaTransaction, Receipt, Statement
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import Click, called_back, doubted, paid_twice
from tests.support.payments.stating import paid_now, reversal, row, row_of, state, withdrawal

REASONS = (
    "refund_due unclaimed part_paid wrong_amount receipt_awaited unknown given_up late_success unpriced reversed "
    "refund_unseen refund_undecided belief proposal inbox spool unsealed statement_differs"
)  # the contract's
TROUBLES = ("spool", "unsealed")  # the home tells them apart from its counts
KEYS = ["reason", "label", "payment", "order", "receipt", "amount_kes", "since", "to_do"]

Listed = dict[str, dict[str, Any]]


@pytest.fixture(autouse=True)
def spool_folder(db: None, settings: Any, tmp_path: Path) -> Path:
    settings.SPOOL_DIR = str(tmp_path)
    return tmp_path


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The wall clock of what is listed, too."""
    clock = Clock()
    monkeypatch.setattr("payments.gateway.now", clock)
    return clock


def run(*asked: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command("needs_person", *asked, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def listed() -> list[dict[str, Any]]:
    code, said = run("--json")
    found: list[dict[str, Any]] = json.loads(said)
    assert code == (1 if found else 0)
    assert all(list(each) == KEYS for each in found)
    assert [each["since"] for each in found] == sorted(each["since"] for each in found)
    _the_home_counts_the_same(found)
    return found


def _the_home_counts_the_same(found: list[dict[str, Any]]) -> None:
    counted: dict[str, int] = {}
    for need in figures.home(now=datetime(2026, 11, 23, tzinfo=UTC)).needs:
        reason = needs.BY_KEY[need.key].of.reason
        counted[reason] = counted.get(reason, 0) + need.count
    of_rows: dict[str, int] = dict.fromkeys(counted, 0)
    for each in found:
        if each["reason"] not in TROUBLES:
            of_rows[each["reason"]] += 1
    assert of_rows == counted


def only(reason: str) -> dict[str, Any]:
    """What is listed for this reason, once."""
    (found,) = [each for each in listed() if each["reason"] == reason]
    return {name: found[name] for name in ("payment", "order", "receipt", "amount_kes")}


def reasons() -> list[str]:
    """Once the worker has sealed."""
    list(ledger.seal_all(clock=timezone.now))
    return sorted(each["reason"] for each in listed())


# --- the contract ---------------------------------------------------------------------------------------


def test_there_are_words_for_every_reason_and_each_is_listed() -> None:
    assert set(WORDS) == set(REASONS.split())
    found = {work.reason for work in attention.ALL} | {*TROUBLES}
    assert found == set(REASONS.split())
    assert all(
        words.label and words.what.endswith(".") and words.to_do.endswith(".") for words in WORDS.values()
    )


def test_a_quiet_shop_needs_nobody() -> None:
    assert run("--json") == (0, "[]\n")
    assert run() == (0, "Nothing needs a person.\n")


def test_people_read_it_too(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_twice(click, safaricom, clock)
    code, said = run()
    assert code == 1
    assert (
        f"order {attempt.account_reference} · receipt UKN4AB12CD · KES 1,500 · payment {attempt.public_id}"
        in said
    )
    assert "    Open it and have Safaricom send it back." in said
    assert said.endswith("things need a person.\n")


# --- payments -------------------------------------------------------------------------------------------


def test_what_a_payment_needs_is_listed_with_its_order(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_twice(click, safaricom, clock)
    assert only("refund_due") == {
        "payment": attempt.public_id,
        "order": attempt.account_reference,
        "receipt": "UKN4AB12CD",
        "amount_kes": 1500,
    }
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1, reason="Part.", by="akinyi", now=clock()
    )
    assert only("refund_due")["amount_kes"] == 1499


def test_a_wrong_amount_an_awaited_receipt_and_its_callback_are_three_things(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    doubted(click, safaricom, clock)
    assert reasons() == ["inbox", "receipt_awaited", "wrong_amount"]
    assert only("inbox")["amount_kes"] is None


def test_a_lost_answer_is_unknown(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    safaricom.push_answer = OutcomeUnknown("read timeout")
    click()
    assert reasons() == ["unknown"]


def test_money_that_came_late_is_told_until_somebody_looked(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    called_back(safaricom, clock, code=1037)
    called_back(safaricom, clock)
    assert only("late_success")["order"] == attempt.account_reference
    actions.mark_reviewed(attempt.pk, by="akinyi", now=clock())
    assert reasons() == []


def given_up(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    """Nobody could reach Safaricom for three days."""
    attempt = click()
    safaricom.query_answer = QueryAnswer(verdict=Verdict.NO_ANSWER, asked=True, description="no word")
    for days in (1, 3):
        clock.advance(days=days)
        enquiries.ask_about(enquiries.read_due(attempt.pk), clock=clock)
    attempt.refresh_from_db()
    return attempt


def test_one_that_was_given_up_is_told_until_somebody_looked(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = given_up(click, safaricom, clock)
    assert (attempt.state, only("given_up")["payment"]) == ("expired", attempt.public_id)
    actions.mark_reviewed(attempt.pk, by="akinyi", now=clock())
    assert reasons() == []


def test_one_that_was_given_up_and_was_paid_all_the_same_is_given_up_no_more(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    given_up(click, safaricom, clock)
    called_back(safaricom, clock)
    assert reasons() == ["unclaimed"]  # its order has ended long since


def test_a_settlement_waits_for_a_second_person(click: Click, clock: Clock) -> None:
    attempt = click(amount=9000)
    claim = Settlement(receipt="UKN4AB12CD", amount_kes=9000, evidence="sms", reason="seen on her phone")
    clock.advance(minutes=5)
    manual.propose_settlement(attempt.pk, claim, by="kraph", now=clock())
    assert only("proposal") == {
        "payment": attempt.public_id,
        "order": attempt.account_reference,
        "receipt": "UKN4AB12CD",
        "amount_kes": 9000,
    }


# --- money beside requests ------------------------------------------------------------------------------


def test_nobodys_money_part_payments_and_too_much_are_told_by_their_receipts(clock: Clock) -> None:
    first, second = place(clock), place(clock)
    at = clock.advance(minutes=1)
    rows = [
        row("UKN8AB12CA", at, 250.5, "WANJIRU"),
        row("UKN8AB12CB", at, 400, first.code),
        row("UKN8AB12CC", at, 1300, second.code),
    ]
    state(rows, clock)
    assert reasons() == ["part_paid", "refund_due", "unclaimed"]
    nothing = {"payment": None, "order": None, "receipt": None}
    assert only("unclaimed") == nothing | {"receipt": "UKN8AB12CA", "amount_kes": 250.5}
    assert only("part_paid") == nothing | {"order": first.code, "amount_kes": 400}
    assert only("refund_due") == nothing | {"order": second.code, "receipt": "UKN8AB12CC", "amount_kes": 300}


def test_a_reversal_names_the_order_whose_money_went(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order, attempt = place(clock), paid_now(click, safaricom, clock)
    at = clock.advance(minutes=5)
    rows = [row_of(attempt), row("UKN8AB12CB", at, 1000, order.code)]
    state([*rows, reversal(at, "UKN4AB12CD"), reversal(at, "UKN8AB12CB", 1000, receipt="UKN8RV12CD")], clock)
    told = {each["receipt"]: each for each in listed() if each["reason"] == "reversed"}
    assert (told["UKN4RV12CD"]["order"], told["UKN4RV12CD"]["payment"]) == (
        attempt.account_reference,
        attempt.public_id,
    )
    assert (told["UKN8RV12CD"]["order"], told["UKN8RV12CD"]["payment"]) == (order.code, None)
    assert told["UKN8RV12CD"]["amount_kes"] == 1000
    Receipt.objects.filter(direction="out").update(reviewed_at=clock())
    assert "reversed" not in reasons()


def test_money_that_left_undecided_is_told_whatever_it_was_called(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1000, reason="Part.", by="akinyi", now=clock()
    )
    at = clock.advance(minutes=5)
    state([row_of(attempt), reversal(at, "UKN4AB12CD"), withdrawal(at, 700)], clock)
    told = {each["receipt"]: each["order"] for each in listed() if each["reason"] == "refund_undecided"}
    assert told == {"UKN4RV12CD": attempt.account_reference, "UKN4WD12CD": None}


def test_a_refund_that_no_statement_shows_is_told_after_three_days(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=1500, reason="Asked.", by="akinyi", now=clock()
    )
    at = clock()
    clock.advance(days=2, hours=23)
    assert "refund_unseen" not in reasons()
    clock.advance(hours=1)
    assert only("refund_unseen")["order"] == attempt.account_reference
    assert only("refund_unseen")["receipt"] == "UKN4RF0001"
    state([reversal(at, "UKN4AB12CD", receipt="UKN4RF0001")], clock)
    assert "refund_unseen" not in reasons()


# --- what Safaricom says --------------------------------------------------------------------------------


def test_what_waits_to_be_believed_is_told_as_that_alone_until_somebody_believes_it(
    click: Click, clock: Clock
) -> None:
    attempt = click(amount=12_000)
    clock.advance(minutes=1)
    state([row_of(attempt)], clock)
    assert reasons() == ["belief"]
    assert only("belief") == {
        "payment": None,
        "order": attempt.account_reference,
        "receipt": "UKN4AB12CD",
        "amount_kes": 12_000,
    }
    stated = Statement.objects.get()
    manual.believe(stated.pk, seen=manual.what_waits(stated).seen, by="otieno", now=clock())
    assert "belief" not in reasons()


def test_a_statement_that_the_book_does_not_lead_through_is_told(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = paid_now(click, safaricom, clock)
    state([row_of(attempt)], clock)
    assert "statement_differs" not in reasons()
    Statement.objects.update(closing_balance=Decimal("1499.50"))
    assert only("statement_differs")["amount_kes"] == 0.5
    clock.advance(days=60)
    assert "statement_differs" not in reasons()


def test_a_payment_that_staff_settled_counts_at_the_time_of_its_line(click: Click, clock: Clock) -> None:
    """It was settled days later, and Safaricom's time of it is only known by its line."""
    attempt = click()
    at = clock.advance(minutes=1)
    clock.advance(days=2)
    claim = Settlement(receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="seen on her phone")
    manual.propose_settlement(attempt.pk, claim, by="kraph", now=clock())
    day = at.replace(hour=0, minute=0, tzinfo=None)
    state(
        [row("UKN4AB12CD", at, 1500, attempt.account_reference)],
        clock,
        period_from=day,
        period_to=day + timedelta(hours=23),
    )
    assert "statement_differs" not in reasons()


def test_callbacks_on_disk_are_told_until_they_are_read(clock: Clock, spool_folder: Path) -> None:
    waits = spool.Spooled(
        id=uuid.uuid4(), received_at=clock(), token_hash="", checkout_request_id="", body="{}",
        source_address=None, from_safaricom=False,
    )  # fmt: skip
    spool.put(spool_folder, waits)
    assert reasons() == ["spool"]
    callbacks.replay_spool(now=clock())
    assert "spool" not in reasons()


def test_what_is_not_sealed_in_time_is_told_until_it_is(click: Click, clock: Clock) -> None:
    opened = clock()
    click()
    clock.advance(minutes=10)
    assert [each["reason"] for each in listed()] == []
    clock.advance(seconds=1)
    (told,) = listed()
    assert (told["reason"], datetime.fromisoformat(told["since"]), told["amount_kes"]) == (
        "unsealed",
        opened,
        None,
    )
    assert reasons() == []


def test_a_part_that_staff_had_placed_and_that_is_anothers_is_told_until_somebody_looks(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    state([row("UKN4AB12CD", clock.advance(minutes=1), 1500, "WANJIRU")], clock)
    order = place(clock)
    money = Receipt.objects.get(code="UKN4AB12CD")
    manual.place_part(
        money.pk, target=order.code, amount_kes=600, reason="She told me so.", by="kraph", now=clock()
    )
    assert "given_up" not in reasons()
    called_back(safaricom, clock)
    attempt.refresh_from_db()
    order.refresh_from_db()
    assert (attempt.receipt, order.received_cents) == ("UKN4AB12CD", 0)
    assert only("given_up") == {
        "payment": attempt.public_id,
        "order": order.code,
        "receipt": "UKN4AB12CD",
        "amount_kes": 1500,
    }
    desk = at_desk("supervisor", "reader")
    listed = desk.get("/admin/payments/receipt/", {"needs": "part_taken_back"}).content.decode()
    page = desk.get(f"/admin/payments/receipt/{money.pk}/change/").content.decode()
    assert "UKN4AB12CD" in listed
    assert ("then Safaricom said whose payment it is" in page, "Mark looked at" in page) == (True, True)
    manual.mark_receipt_reviewed(money.pk, by="kraph", now=clock())
    assert "given_up" not in reasons()
