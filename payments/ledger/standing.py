"""Where the shillings of one receipt stand, and moving them on: back to whom they came from, or to before a mistake.

The receipt is locked from `hold` until the transaction ends, so that no shilling of it is moved twice.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from orders.models import Order
from orders.services import give_back, undo
from payments.ledger.book import (
    CENTS,
    KEPT,
    MPESA,
    ORDER,
    REFUNDS_DUE,
    UNCLAIMED,
    Because,
    Code,
    Entry,
    mpesa,
    post,
)
from payments.models import Posting, Receipt

CAME = (Code.PAID, Code.UNCLAIMED)  # what brings a receipt's own amount in


@dataclass(kw_only=True)
class Standing:
    """`at`: cents by account, of those we owe. `came`, `went`: what M-PESA's account got of it, and gave back."""

    receipt_id: int
    short_code: str
    at: Counter[str] = field(default_factory=Counter)
    came: int = 0
    went: int = 0

    @property
    def left(self) -> int:
        """What can still go back."""
        return self.came - self.went

    @property
    def went_kes(self) -> int | None:
        """What an attempt says of it, in whole shillings: a part of one counts whole, so that no more goes back than
        came. None: nothing went."""
        return -(-self.went // CENTS) or None

    @property
    def orders(self) -> list[str]:
        """Codes of the orders that have some of it."""
        return [
            name.removeprefix(ORDER) for name, cents in self.at.items() if cents and name.startswith(ORDER)
        ]

    def take(self, entry: Entry, *, mended: str = "") -> None:
        """An entry's effect. `mended`: the code of the posting that it takes back."""
        sign = -1 if mended else 1
        if (mended or entry.code) in CAME and (entry.credit if mended else entry.debit).startswith(MPESA):
            self.came += sign * entry.cents
        elif MPESA in (entry.debit[: len(MPESA)], entry.credit[: len(MPESA)]):
            self.went += sign * entry.cents
        if not entry.credit.startswith(MPESA):
            self.at[entry.credit] += entry.cents
        if not entry.debit.startswith(MPESA):
            self.at[entry.debit] -= entry.cents


def hold(receipt: Receipt) -> Standing:
    """The receipt as it is now, locked. (SQLite has one writer anyway.)"""
    locked = Receipt.objects.select_for_update(no_key=True).get(pk=receipt.pk)
    return standing_of(locked, postings_of(locked.pk))


def standing_of(receipt: Receipt, postings: Iterable[Posting]) -> Standing:
    found = Standing(receipt_id=receipt.pk, short_code=receipt.short_code)
    for posting in postings:
        found.take(_entry(posting), mended=posting.mends.code if posting.mends else "")
    return found


def postings_of(receipt_id: int) -> list[Posting]:
    return list(Posting.objects.filter(receipt_id=receipt_id).select_related("mends").order_by("id"))


def draw(standing: Standing, cents: int) -> list[tuple[str, int]]:
    """(account, cents): of which accounts an amount that goes back is taken. What waits to go back goes first, an
    order's own last."""
    last = sorted(name for name in standing.at if name.startswith(ORDER))
    found: list[tuple[str, int]] = []
    for name in (REFUNDS_DUE, UNCLAIMED, KEPT, *last):
        part = min(cents, standing.at[name])
        if part > 0:
            found.append((name, part))
            cents -= part
    return found


def sent_back(standing: Standing, cents: int) -> list[Entry]:
    """A refund that a person sent: decided, where it was not, and gone."""
    decided = [
        Entry(debit=name, credit=REFUNDS_DUE, cents=part, code=Code.REFUND_DECIDED)
        for name, part in draw(standing, cents)
        if name != REFUNDS_DUE
    ]
    sent = Entry(debit=REFUNDS_DUE, credit=mpesa(standing.short_code), cents=cents, code=Code.REFUND_SENT)
    return [*decided, sent]


def reversed_by_safaricom(standing: Standing, cents: int) -> list[Entry]:
    return [
        Entry(debit=name, credit=mpesa(standing.short_code), cents=part, code=Code.REVERSED)
        for name, part in draw(standing, cents)
    ]


def in_force(receipt_id: int) -> list[Posting]:
    """What nothing has taken back, the last first."""
    return [
        posting
        for posting in reversed(postings_of(receipt_id))
        if posting.code != Code.CORRECTION and not hasattr(posting, "mended_by")
    ]


def opposite(posting: Posting) -> Entry:
    return Entry(
        debit=posting.credit,
        credit=posting.debit,
        cents=posting.amount_cents,
        code=Code.CORRECTION,
        mends=(posting.pk, posting.ref),
    )


def move(standing: Standing, entries: Iterable[Entry], because: Because) -> None:
    """Writes the entries, and with them the orders they take from and what the receipt says of itself. (What an order
    receives is told before: it says how much of it is too much.)"""
    for entry in entries:
        post([entry], because)
        standing.take(entry)
        if entry.debit.startswith(ORDER):
            give_back(_id_of(entry.debit), cents=entry.cents, at=because.now)
    tell(standing)


def mend(standing: Standing, because: Because, *, only: Iterable[Posting] | None = None) -> None:
    """Takes back all that stands of it, or only these: as if it had never been booked."""
    for posting in in_force(standing.receipt_id) if only is None else only:
        entry = opposite(posting)
        post([entry], because)
        standing.take(entry, mended=posting.code)
        if entry.debit.startswith(ORDER):
            undo(_id_of(entry.debit), received=entry.cents, at=because.now)
        if entry.credit.startswith(ORDER):
            undo(_id_of(entry.credit), returned=entry.cents, at=because.now)
    tell(standing)


def tell(standing: Standing) -> None:
    """What the receipt says of itself."""
    stands = {"unclaimed_cents": standing.at[UNCLAIMED], "due_cents": standing.at[REFUNDS_DUE]}
    Receipt.objects.filter(pk=standing.receipt_id).update(**stands)


def _entry(posting: Posting) -> Entry:
    return Entry(
        debit=posting.debit, credit=posting.credit, cents=posting.amount_cents, code=Code(posting.code)
    )


def _id_of(account: str) -> int:
    return Order.objects.values_list("id", flat=True).get(code=account.removeprefix(ORDER))
