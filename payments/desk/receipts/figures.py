"""One receipt as staff tell it: where its shillings are now, in words and by account. Reads only."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from orders.models import Order
from payments.desk.lists import search
from payments.desk.receipts.flows import Code, Flows, flows
from payments.desk.words import kes_of, moment
from payments.facts import PART_TAKEN_BACK, is_to_send_back, is_unclaimed, left_undecided, was_reversed_unseen
from payments.ledger import ORDER
from payments.models import MpesaTransaction, Posting, Receipt, Refund, StatementLine

Kind, Direction = Receipt.Kind, Receipt.Direction
Receipts = QuerySet[Receipt]


@dataclass(frozen=True, kw_only=True)
class Share:
    """Some of a receipt's money: where it is (`what`, for a table), and how one says so (`said`, after the amount)."""

    cents: int
    what: str
    said: str
    tone: str = ""
    order: Order | None = None


@dataclass(frozen=True, kw_only=True)
class Need:
    """Why somebody is needed, in words: a badge, and two sentences."""

    label: str
    what: str
    to_do: str


def needs(
    receipt: Receipt, *, named: bool = False, waits: bool = False, part_taken_back: bool = False
) -> list[Need]:
    """`named`: for a page where other receipts stand too. `waits`: that it came must be believed first.
    `part_taken_back`: somebody had placed some of it, and it is another's."""
    it = f"receipt {receipt}" if named else "it"
    found = []
    if is_unclaimed(receipt) and waits:
        found.append(
            Need(
                label="To be believed",
                what="Only a statement's file says that this money came.",
                to_do="A second person opens the statement below, looks whether it is genuine, and believes it.",
            )
        )
    elif is_unclaimed(receipt):
        found.append(
            Need(
                label="Nobody's yet",
                what=f"{kes_of(receipt.unclaimed_cents)} of {it} is nobody's yet.",
                to_do="Find out which order it is for and claim it, or send it back, or keep it with a reason.",
            )
        )
    if is_to_send_back(receipt):
        found.append(
            Need(
                label="To send back",
                what=f"{kes_of(receipt.due_cents)} of {it} must be sent back.",
                to_do="Send it back in the M-PESA portal, then record the refund with its reference.",
            )
        )
    if was_reversed_unseen(receipt):
        found.append(
            Need(
                label="Reversed",
                what="Safaricom gave this money back to the buyer.",
                to_do="Open what it was for: are the mixes handed out already? Then ask the buyer to pay again.",
            )
        )
    if part_taken_back:
        words = PART_TAKEN_BACK
        found.append(Need(label=words.label, what=words.what, to_do=words.to_do))
    if left_undecided(receipt):
        found.append(
            Need(
                label="Nobody decided it",
                what="This money left, and nobody here has decided that.",
                to_do="Ask who sent it in the M-PESA portal. If nobody did, call Safaricom at once.",
            )
        )
    return found


def shares(receipt: Receipt, moved: Flows) -> list[Share]:
    """All of its money, each shilling once."""
    came = receipt.direction == Direction.IN and receipt.kind == Kind.PAYMENT
    return list(_of_payment(moved) if came else _of_other(receipt, moved))


def _of_payment(moved: Flows) -> Iterator[Share]:
    orders = {order.code: order for order in Order.objects.filter(code__in=moved.orders)}
    for code, cents in moved.orders.items():
        yield Share(
            cents=cents, what=f"For order {code}", said=f"for order {code}", tone="ok", order=orders.get(code)
        )
    for cents, what, said, tone in (
        (moved.kept, "Kept by the shop", "kept", ""),
        (moved.unclaimed, "Nobody's yet", "nobody's yet", "warn"),
        (moved.due, "To be sent back", "to be sent back", "warn"),
        (moved.moved(Code.REFUND_SENT), "Sent back", "sent back", ""),
        (moved.moved(Code.REVERSED), "Given back by Safaricom", "given back by Safaricom", ""),
    ):
        if cents:
            yield Share(cents=cents, what=what, said=said, tone=tone)


def _of_other(receipt: Receipt, moved: Flows) -> Iterator[Share]:
    """Of what is no customer's payment: a sweep, a charge, what went back, what nobody decided."""
    undecided = moved.moved(Code.LEFT)
    rest = receipt.amount_cents - undecided
    if rest:
        yield Share(cents=rest, what=_ELSEWHERE.get((receipt.kind, receipt.direction), "Other"), said="")
    if undecided:
        what = "Nobody decided it" if receipt.direction == Direction.OUT else "Nobody knows what for"
        yield Share(cents=undecided, what=what, said="", tone="warn")


_ELSEWHERE: dict[tuple[str, str], str] = {
    (Kind.CHARGE, Direction.OUT): "Safaricom's charge",
    (Kind.CHARGE, Direction.IN): "A charge that came back",
    (Kind.TO_BANK, Direction.OUT): "Moved to the bank",
    (Kind.TO_BANK, Direction.IN): "Came back from the bank",
    (Kind.REVERSAL, Direction.OUT): "Given back to the buyer",
    (Kind.REFUND, Direction.OUT): "A refund that a person recorded",
}


def sentence(receipt: Receipt, parts: Sequence[Share]) -> str:
    """What it was and where it is now, as one says it to the customer on the phone."""
    if receipt.voided_at:
        return (
            f"{_moved(receipt)} It was found on {moment(receipt.voided_at)} never to have been so: "
            "nothing of it counts."
        )
    if receipt.direction == Direction.IN and receipt.kind == Kind.PAYMENT:
        return f"{_moved(receipt)} {_told(parts)}"
    return _moved(receipt)


def _moved(receipt: Receipt) -> str:
    amount, at = kes_of(receipt.amount_cents), moment(receipt.happened_at or receipt.told_at)
    named = f" of receipt {receipt.reverses}" if receipt.reverses else ""
    if receipt.direction == Direction.IN:
        payer = f" from {receipt.payer_masked}" if receipt.payer_masked else ""
        typed = f", for “{receipt.account_no}”" if receipt.account_no else ""
        return {
            Kind.PAYMENT: f"{amount} came{payer} on {at}{typed}.",
            Kind.CHARGE: f"Safaricom gave a charge of {amount} back on {at}.",
            Kind.TO_BANK: f"{amount} came back from the bank on {at}.",
        }.get(Kind(receipt.kind), f"{amount} came on {at}, and it is no customer's payment.")
    return {
        Kind.CHARGE: f"Safaricom charged {amount} on {at}.",
        Kind.TO_BANK: f"{amount} was moved to the bank on {at}.",
        Kind.REFUND: f"{amount}{named} left on {at}: the refund that a person had recorded.",
        Kind.REVERSAL: f"Safaricom gave {amount}{named} back to the buyer on {at}.",
    }.get(Kind(receipt.kind), f"{amount} left on {at}, and nobody here has decided that.")


def _told(parts: Sequence[Share]) -> str:
    """`All of it is for order DK1.`; `Of it, KES 1,000 is for order DK1, and KES 300 is nobody's yet.`"""
    if not parts:
        return "Nothing of it is in the book: it was taken back by a correction."
    if len(parts) == 1:
        return (
            f"All of it is {parts[0].said}." if not _is_over(parts[0]) else f"All of it was {parts[0].said}."
        )
    told = [f"{kes_of(part.cents)} {'was' if _is_over(part) else 'is'} {part.said}" for part in parts]
    return f"Of it, {', '.join(told[:-1])} and {told[-1]}."


def _is_over(part: Share) -> bool:
    return part.said in ("sent back", "given back by Safaricom", "kept")


def kind_of(receipt: Receipt) -> str:
    """In two or three words, for a list."""
    if receipt.kind == Kind.PAYMENT:
        return "Payment"
    return _ELSEWHERE.get(
        (receipt.kind, receipt.direction), "Left" if receipt.direction == Direction.OUT else "Came"
    )


def postings_of(receipt: Receipt) -> list[Posting]:
    return list(receipt.postings.select_related("mends").order_by("id"))


def flows_of(receipts: Iterable[Receipt]) -> dict[int, Flows]:
    """By receipt, in one query."""
    by_receipt: dict[int, list[Posting]] = {receipt.pk: [] for receipt in receipts}
    for posting in Posting.objects.filter(receipt__in=by_receipt).order_by("id"):
        by_receipt[posting.receipt_id or 0].append(posting)
    return {pk: flows(postings) for pk, postings in by_receipt.items()}


def lines_of(receipt: Receipt) -> QuerySet[StatementLine]:
    """The statement's lines that are evidence of it."""
    its = Q(booked_as=receipt)
    if receipt.attempt_id and receipt.code:
        its |= Q(attempt=receipt.attempt_id, receipt=receipt.code, money_in=receipt.direction == Direction.IN)
    return StatementLine.objects.filter(its).select_related("statement").order_by("id")


def refunds_of(receipt: Receipt) -> QuerySet[Refund]:
    return Refund.objects.filter(Q(receipt=receipt) | Q(seen_as=receipt)).order_by("id")


def found(receipts: Receipts, term: str) -> Receipts:
    """Those that this term names: M-PESA's code, an order's code, what the payer typed, or what finds a
    payment of ours. Each way is a look into an index."""
    spelt = term.strip().replace("\x00", "").upper()
    payments = search.found(MpesaTransaction.objects.all(), term).order_by("-id").values_list("id", flat=True)
    ways = (
        Receipt.objects.filter(code=spelt, voided_at=None).values_list("id", flat=True),
        Receipt.objects.filter(attempt__in=list(payments[: search.AT_MOST])).values_list("id", flat=True),
        Posting.objects.filter(credit=f"{ORDER}{spelt}").values_list("receipt_id", flat=True),
        search.found_lines(StatementLine.objects.exclude(booked_as=None), term).values_list(
            "booked_as", flat=True
        ),
        Refund.objects.filter(reference=spelt).values_list("receipt_id", flat=True),
    )
    return receipts.filter(pk__in={pk for way in ways for pk in way[: search.AT_MOST] if pk})
