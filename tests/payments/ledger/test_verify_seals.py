"""What was sealed is held against its seal: whatever is taken away, changed or put in afterwards is named, with the
payment and the order it belongs to."""

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F

from orders.models import Order
from payments import ledger, manual
from payments.models import (
    CallbackDelivery,
    HandSettlement,
    MpesaTransaction,
    PaymentEvent,
    Posting,
    Receipt,
    Refund,
    Seal,
    StatementLine,
)
from payments.signing import key_id
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, pay
from tests.support.payments.stating import row_of, state
from tests.support.sealing import seal
from tests.support.tampering import tampering


@pytest.fixture
def paid(click: Click, safaricom: FakeDaraja, clock: Clock) -> MpesaTransaction:
    """Two payments, a refund of the first, its line of the statement, and a proposal that was declined: all sealed."""
    attempt = pay(click, safaricom, clock)
    state([row_of(attempt)], clock)
    manual.record_refund(
        attempt.pk, reference="UKN4RF0001", amount_kes=500, reason="A gift.", by="akinyi", now=clock()
    )
    other = click(msisdn="254712345679", reference="CART2", amount=20_000)
    clock.advance(minutes=9)
    wanted = manual.Settlement(receipt="UKN4AB12ZZ", amount_kes=20_000, evidence="portal", reason="Seen.")
    proposed = manual.propose_settlement(other.pk, wanted, by="akinyi", now=clock())
    manual.decline_settlement(proposed.pk, why="Not hers.", by="brian", now=clock())
    assert seal(clock) is not None
    assert found() == []
    return attempt


def found() -> list[str]:
    return [str(fault) for fault in ledger.faults()]


def taken_whole(paid: MpesaTransaction) -> None:
    """The payment with all that belongs to it, its order open again."""
    StatementLine.objects.filter(attempt=paid).update(attempt=None, match="")
    for model in (HandSettlement, Refund, Posting, Receipt, PaymentEvent, CallbackDelivery):
        model.objects.filter(attempt=paid).delete()
    MpesaTransaction.objects.filter(pk=paid.pk).delete()
    Order.objects.filter(pk=paid.order_id).update(
        state="open", paid_at=None, received_cents=0, returned_cents=0
    )


def newest_event_taken(paid: MpesaTransaction) -> None:
    """The refund never was: event, postings and refund are gone, payment and order as they stood before."""
    newest = paid.events.latest("number")
    newest.delete()
    Posting.objects.filter(attempt=paid, event_number=newest.number).delete()
    Refund.objects.all().delete()
    MpesaTransaction.objects.filter(pk=paid.pk).update(
        events_count=newest.number - 1, chain_head=newest.previous_hash, refunded_at=None, refunded_kes=None,
        refund_reference=None,
    )  # fmt: skip
    Order.objects.filter(pk=paid.order_id).update(returned_cents=0)


def copied(row: Any, **edit: Any) -> None:
    row.pk = None
    for name, value in edit.items():
        setattr(row, name, value)
    row.save(force_insert=True)


def swapped(rows: Any) -> None:
    """Two rows change places."""
    first, second = (row.pk for row in rows.order_by("id")[:2])
    for before, after in ((first, -1), (second, first), (-1, second)):
        rows.filter(pk=before).update(id=after)


EDITS: dict[str, tuple[Callable[[MpesaTransaction], Any], str]] = {
    "a whole payment deleted": (
        taken_whole,
        "gone: event 1, event 2, event 3, event 4, posting",
    ),
    "the newest event deleted": (newest_event_taken, "sealed in seal 1, and gone: event 4, posting"),
    "events that change places": (
        lambda paid: swapped(PaymentEvent.objects.filter(attempt=paid)),
        "changed since seal 1: event",
    ),
    "postings that change places": (
        lambda paid: swapped(Posting.objects.filter(attempt=paid)),
        "changed since seal 1: posting",
    ),
    "an event with another key's name": (
        lambda paid: paid.events.filter(number=1).update(key_id="00000000"),
        "changed since seal 1: event 1",
    ),
    "a posting deleted": (lambda paid: paid.postings.latest("id").delete(), "gone: posting"),
    "a posting rewritten": (lambda paid: paid.postings.update(hash="ab"), "changed since seal 1: posting"),
    "a receipt's amount": (
        lambda paid: paid.receipts.update(amount_cents=1),
        "changed since seal 1: receipt UKN4AB12CD",
    ),
    "a receipt's code": (
        lambda paid: paid.receipts.update(code="FORGED0001"),
        "changed since seal 1: receipt UKN4AB12CD",
    ),
    "a receipt's code emptied": (lambda paid: paid.receipts.update(code=None), "receipt UKN4AB12CD"),
    "a receipt's account number": (lambda paid: paid.receipts.update(account_no="DKX"), "receipt UKN4AB12CD"),
    "a receipt's short code": (lambda paid: paid.receipts.update(short_code="1"), "receipt UKN4AB12CD"),
    "a receipt's payer": (lambda paid: paid.receipts.update(payer_masked="2547••••9999"), "receipt UKN4AB12CD"),
    "a refund's amount": (lambda paid: paid.refunds.update(amount_cents=1), "refund UKN4RF0001"),
    "a refund's reference": (lambda paid: paid.refunds.update(reference="X"), "refund UKN4RF0001"),
    "a refund's reason": (lambda paid: paid.refunds.update(reason="?"), "refund UKN4RF0001"),
    "who refunded": (lambda paid: paid.refunds.update(recorded_by="brian"), "refund UKN4RF0001"),
    "a refund deleted": (lambda paid: paid.refunds.all().delete(), "gone: refund UKN4RF0001"),
    "a proposal's amount": (
        lambda paid: HandSettlement.objects.update(amount_kes=1),
        "changed since seal 1: proposal UKN4AB12ZZ",
    ),
    "who decided a proposal": (
        lambda paid: HandSettlement.objects.update(decided_by="chebet"),
        "proposal UKN4AB12ZZ",
    ),
    "a proposal that waits again": (
        lambda paid: HandSettlement.objects.update(decision="waiting", decided_by="", decided_at=None),
        "proposal UKN4AB12ZZ",
    ),
    "what a proposal counts for": (
        lambda paid: HandSettlement.objects.update(counts_kes=0),
        "changed since seal 1: proposal UKN4AB12ZZ",
    ),
    "a reference put into a proposal": (
        lambda paid: HandSettlement.objects.update(reference="UKN4RF0009"),
        "changed since seal 1: proposal UKN4AB12ZZ",
    ),
    "a proposal deleted": (lambda paid: HandSettlement.objects.all().delete(), "gone: proposal UKN4AB12ZZ"),
    "a line's amount": (
        lambda paid: StatementLine.objects.update(paid_in=1),
        "changed since seal 1: statement line UKN4AB12CD",
    ),
    "a line's account number": (
        lambda paid: StatementLine.objects.update(account_no="DKX"),
        "statement line UKN4AB12CD",
    ),
    "a line's details": (lambda paid: StatementLine.objects.update(details="?"), "statement line UKN4AB12CD"),
    "a line deleted": (lambda paid: StatementLine.objects.all().delete(), "gone: statement line UKN4AB12CD"),
    "an event put in": (
        lambda paid: copied(paid.events.latest("number"), number=9, id=-1),
        "event 9 was put in after its place was sealed",
    ),
    "a receipt put in": (
        lambda paid: copied(Receipt.objects.get(), code="FORGED0001", id=0),
        "receipt FORGED0001 was put in after its place was sealed",
    ),
    "a line put in": (
        lambda paid: copied(StatementLine.objects.get(), receipt="FORGED0001", attempt=None, id=0),
        "statement line FORGED0001 was put in",
    ),
}  # fmt: skip
OF_NO_PAYMENT = {name for name in EDITS if "line" in name}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_done_to_sealed_rows_is_named(edit: str, paid: MpesaTransaction) -> None:
    do, what = EDITS[edit]
    with tampering():
        do(paid)
    of_seals = [fault for fault in found() if what in fault]
    assert of_seals, found()
    named = "the book" if edit in OF_NO_PAYMENT else paid.public_id
    if "proposal" in edit:
        named = MpesaTransaction.objects.exclude(pk=paid.pk).get().public_id
    assert named in of_seals[0]
    if edit not in OF_NO_PAYMENT and "proposal" not in edit:
        assert f"(order {paid.account_reference})" in of_seals[0]


def test_without_seals_a_payment_that_is_gone_whole_is_not_missed(paid: MpesaTransaction) -> None:
    """That is what seals are for. (The refund's line and the proposal are left as they are.)"""
    with tampering():
        taken_whole(paid)
        Seal.objects.all().delete()
    assert found() == []


SEAL_EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "its time": ({"at": "2026-01-01T00:00:00Z"}, "seal 2: it was changed"),
    "its rows": ({"rows": 99}, "seal 2: it was changed"),
    "its counts": ({"counts": {"event": 1}}, "seal 2: it was changed"),
    "its sum": ({"cents": 1}, "seal 2: it was changed"),
    "its root": ({"root": "ab"}, "seal 2: it was changed"),
    "its key": ({"key_id": "00000000"}, "seal 2: it was changed"),
    "its hash": ({"hash": "ab"}, "seal 2: it was changed"),
    "what it covers": ({"covers": "[]"}, "seal 2: the list of its rows was changed"),
    "what it reaches": ({"reach": "{}"}, "seal 2: the list of its rows was changed"),
    "up to which event": ({"last_event_id": F("last_event_id") + 9}, "seal 2: the list of its rows was changed"),
    "the one before it": ({"previous_hash": "ab"}, "seal 2: it does not follow the one before it"),
    "its number": ({"number": 9}, "seal 2: it is gone"),
}  # fmt: skip


@pytest.fixture
def three_seals(paid: MpesaTransaction, click: Click, clock: Clock) -> None:
    for number in range(2):
        click(msisdn=f"25471234568{number}", reference=f"MORE{number}")
        clock.advance(minutes=1)
        assert seal(clock) is not None


@pytest.mark.parametrize("edit", SEAL_EDITS)
def test_an_edited_seal_is_named(edit: str, three_seals: None) -> None:
    values, what = SEAL_EDITS[edit]
    with tampering():
        Seal.objects.filter(number=2).update(**values)
    assert any(fault.startswith(what) for fault in found()), found()


@pytest.mark.parametrize("number", [1, 2])
def test_a_seal_that_is_gone_is_named_and_its_rows_are_not_called_put_in(
    number: int, three_seals: None
) -> None:
    with tampering():
        Seal.objects.filter(number=number).delete()
    assert found() == [f"seal {number}: it is gone"]


def test_each_piece_of_the_seals_knows_the_one_before(
    three_seals: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.ledger.verify_seals.SEALS_AT_ONCE", 1)
    assert found() == []
    with tampering():
        Seal.objects.filter(number=3).update(previous_hash="ab")
    assert any(fault.startswith("seal 3: it does not follow") for fault in found())


# --- a printed seal -------------------------------------------------------------------------------------------


def verified(*arguments: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command("verify_ledger", *arguments, stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, out.getvalue()


def test_a_printed_seal_shows_that_the_newest_were_taken_away(three_seals: None) -> None:
    """With the newest seals and what they list gone, nothing in the database tells. The paper does."""
    newest = Seal.objects.latest("number")
    kept = f"--seal={newest.number}:{newest.hash}"
    code, told = verified(kept)
    assert code == 0
    assert f"3 seals checked: every row stands as it was sealed. Seal 3 of {newest.at.isoformat()}" in told
    with tampering():
        PaymentEvent.objects.filter(attempt__order__client_reference="MORE1").delete()
        MpesaTransaction.objects.filter(order__client_reference="MORE1").delete()
        newest.delete()
    assert verified()[0] == 0
    assert verified(kept) == (1, verified(kept)[1])
    assert "seal 3: it is gone: it was printed, and is not there any more" in verified(kept)[1]


def test_a_seal_made_anew_is_not_the_printed_one(three_seals: None) -> None:
    code, told = verified(f"--seal=3:{'0' * 64}")
    assert (code, "seal 3: it is not the one that was printed" in told) == (1, True)


@pytest.mark.parametrize("text", ["3", "3:ab", ":", "x:" + "0" * 64])
def test_a_printed_seal_is_a_number_and_a_hash(text: str, paid: MpesaTransaction) -> None:
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        call_command("verify_ledger", f"--seal={text}")


def test_seal_ledger_prints_what_is_to_be_kept(click: Click, clock: Clock) -> None:
    def said() -> str:
        out = StringIO()
        call_command("seal_ledger", stdout=out)
        return out.getvalue()

    assert said() == "There is nothing to seal yet.\n"
    click()
    told = said()
    newest = Seal.objects.get()
    assert told.startswith("Seal 1 of ")
    assert told.endswith(f" over 2 rows: {newest.hash}\n")
    assert said() == f"Nothing new to seal. {told}"


# --- keys -----------------------------------------------------------------------------------------------------


def retire(settings: Any, *, since: str) -> None:
    (old,) = settings.LEDGER_KEY
    settings.LEDGER_KEY, settings.LEDGER_KEYS_RETIRED = ["new"], [f"{old}@{since}"]


def test_a_retired_key_verifies_what_it_signed_and_sealed_while_it_was_live(
    paid: MpesaTransaction, click: Click, clock: Clock, settings: Any
) -> None:
    retire(settings, since=clock.advance(minutes=1).isoformat())
    click(msisdn="254712345680", reference="LATER")
    second = seal(clock)
    assert second is not None
    assert (second.key_id, found()) == (key_id("new"), [])


def test_a_key_that_was_retired_before_signs_nothing_that_is_believed(
    paid: MpesaTransaction, clock: Clock, settings: Any
) -> None:
    retire(settings, since="2026-11-01T00:00:00+03:00")
    told = found()
    assert any(
        fault == f"{paid.public_id}: event 1 was signed with a key after that key was retired"
        for fault in told
    )
    assert any(fault == "seal 1: it was signed with a key after that key was retired" for fault in told)


def test_an_entry_that_says_it_is_older_is_betrayed_by_its_seal(
    paid: MpesaTransaction, click: Click, clock: Clock, settings: Any
) -> None:
    """Who still holds a retired key writes any time he likes; the seal over it is of today."""
    forged = click(msisdn="254712345680", reference="LATER")
    retire(settings, since=clock.advance(hours=1).isoformat())
    clock.advance(hours=1)
    assert seal(clock) is not None
    assert found() == [
        f"{forged.public_id} (order {forged.account_reference}): "
        "signed with a key that was retired before seal 2: event 1, event 2"
    ]
