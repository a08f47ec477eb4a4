"""Money beside any request that a person sent back, and a refund of it that never left."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from payments.ledger.beside import NotThere
from payments.ledger.book import CENTS, Because, Code
from payments.ledger.standing import hold, in_force, mend, move, sent_back
from payments.ledger.write import decide_anew
from payments.models import Posting, Receipt, Refund


def _nothing_more() -> None: ...


def send_back(
    receipt_id: int, *, cents: int, now: datetime, then: Callable[[], None] = _nothing_more, **told: Any
) -> int:
    """A refund that left, of this receipt's money: the refund's id. `then`: in the same transaction, last. `told`: its
    reference, reason, and who recorded it. Raises NotThere where so much of it is not here, or where the receipt is a
    request's by now."""

    def once(_afresh: bool) -> int:
        receipt = Receipt.objects.get(pk=receipt_id)
        standing = hold(receipt)
        if receipt.attempt_id is not None:
            raise NotThere("This money belongs to a payment: record the refund on the payment's page.")
        if receipt.happened_at is None:
            raise NotThere(
                "Only its reversal is known so far. Upload the statement that shows the payment itself."
            )
        if not 0 < cents <= standing.left:
            raise NotThere(f"KES {standing.left / CENTS:,.2f} of this receipt is left to send back.")
        move(standing, sent_back(standing, cents), Because(receipt_id=receipt_id, now=now))
        refund = Refund.objects.create(receipt=receipt, amount_cents=cents, recorded_at=now, **told)
        then()
        return refund.pk

    return decide_anew(once)


def take_back_refund(refund_id: int, *, now: datetime, then: Callable[[], None] = _nothing_more) -> None:
    """It never left: the money stands where it stood. Raises NotThere where a statement has shown it meanwhile."""

    def once(_afresh: bool) -> None:
        refund = Refund.objects.select_related("receipt").get(pk=refund_id)
        if refund.receipt is None:
            raise RuntimeError("A refund beside any request is a receipt's.")
        standing = hold(refund.receipt)
        waiting = Refund.objects.filter(pk=refund_id, state=Refund.State.SENT)
        if not waiting.update(state=Refund.State.FAILED):
            raise NotThere("Meanwhile it was seen on the statement, or taken back.")
        mend(
            standing,
            Because(receipt_id=standing.receipt_id, now=now),
            only=list(_of(refund, in_force(standing.receipt_id))),
        )
        then()

    decide_anew(once)


def _of(refund: Refund, postings: list[Posting]) -> Iterator[Posting]:
    """Those that were written with it, the last first: that it was sent, and of which accounts it was decided."""
    together = [posting for posting in postings if posting.at == refund.recorded_at]
    yield next(
        posting
        for posting in together
        if posting.code == Code.REFUND_SENT and posting.amount_cents == refund.amount_cents
    )
    left = refund.amount_cents
    for posting in together:
        if posting.code == Code.REFUND_DECIDED and posting.amount_cents <= left:
            left -= posting.amount_cents
            yield posting
