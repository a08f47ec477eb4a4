"""Which payment of ours a line of a statement may be: by its order's code, however typed, by amount and by time. Reads
only: what is found is written in matching.py, and what is left open is a person's (manual/)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, QuerySet

from orders.codes import codes_meant
from orders.selectors import codes_known
from payments.facts import FOLLOW_UP_FOR, held_kes, is_live, is_paid, is_settled, was_refused
from payments.ledger import EventKind
from payments.models import MpesaTransaction, PaymentEvent, StatementLine
from payments.phones import masked_payer, may_be_the_same

Kind, Match = StatementLine.Kind, StatementLine.Match

CLOCKS_DIFFER = timedelta(minutes=1)  # a line may seem that much earlier than the request that it answers
ANSWERED_WITHIN = timedelta(minutes=10)  # after a request: a prompt is long gone by then
READINGS = 16  # of one account number: what may mean more codes than that is looked at by a person


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """Money that is nobody's yet, as far as matching needs it."""

    id: int
    statement_id: int
    receipt: str
    completed_at: datetime
    paid_in: Decimal
    account_no: str
    other_party: str
    # whose word it is
    row: int
    file_name: str
    uploaded_by: str
    believed_by: str
    waits_since: datetime | None

    @property
    def word(self) -> dict[str, str]:
        """Who says so, as events hold it: the uploader, the file and its line, and who believed it."""
        said = {"by": self.uploaded_by, "evidence": f"{self.file_name}, row {self.row}"}
        return said | ({"confirmed_by": self.believed_by} if self.believed_by else {})


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A payment of ours that a line may be."""

    id: int
    order_id: int
    receipt: str | None
    state: str
    amount_kes: int
    received_kes: int | None
    amount_differs: bool
    pays_order: bool
    refund_due: bool
    unclaimed: bool
    due_cents: int
    refunded_at: datetime | None
    created_at: datetime
    checkout_request_id: str | None
    result_code: str
    phone_masked: str
    order_code: str


_OF_ITS_FILE = {"file_name": F("statement__file_name"), "uploaded_by": F("statement__uploaded_by")}
_LINE = tuple(column.name for column in fields(Line) if column.name not in _OF_ITS_FILE)
_CANDIDATE = tuple(column.name for column in fields(Candidate) if column.name != "order_code")


Candidates = Mapping[str, list[Candidate]]  # payments without a receipt, by their order's code


def lines_of(rows: QuerySet[StatementLine]) -> list[Line]:
    return [Line(**row) for row in rows.values(*_LINE, **_OF_ITS_FILE)]


def only_the_file_says(line: Line, attempt: Candidate) -> Decimal:
    """How much the payment would hold by this line that neither a callback nor a query of Safaricom's said before."""
    if is_settled(attempt):
        return max(Decimal(0), line.paid_in - held_kes(attempt))
    if attempt.receipt is not None and line.paid_in != attempt.amount_kes:
        return Decimal(0)  # it stays in doubt
    if attempt.amount_differs and line.paid_in in _doubted_amounts(line, attempt):
        return Decimal(0)
    return line.paid_in


def _doubted_amounts(line: Line, attempt: Candidate) -> set[Decimal]:
    """What the payment's own callbacks named with this receipt."""
    said = PaymentEvent.objects.filter(
        attempt=attempt.id, kind=EventKind.AMOUNT_DIFFERS, facts__receipt=line.receipt
    )
    return {Decimal(facts["amount"]) for facts in said.values_list("facts", flat=True) if facts.get("amount")}


def spelt_as_coded(lines: list[Line]) -> list[Line]:
    """With the code of the one order that each account number can mean, however it was typed."""
    typed = {line.account_no for line in lines} - {""}
    meant = {text: codes_meant(text) for text in typed - codes_known(typed)}
    meant = {text: codes for text, codes in meant.items() if len(codes) <= READINGS}
    known = codes_known({code for codes in meant.values() for code in codes})
    codes = {text: next(iter(found)) for text in meant if len(found := meant[text] & known) == 1}
    return [replace(line, account_no=codes.get(line.account_no, line.account_no)) for line in lines]


def the_doubted_one(line: Line, candidates: Candidates) -> Candidate | None:
    """The payment whose own callback named this receipt, and was not believed because of its amount."""
    doubted = [row.id for row in candidates.get(line.account_no, []) if row.amount_differs]
    if not doubted:
        return None
    said = PaymentEvent.objects.filter(
        attempt__in=doubted, kind=EventKind.AMOUNT_DIFFERS, facts__receipt=line.receipt
    )
    found = said.values_list("attempt_id", flat=True).first()
    return next((row for row in candidates.get(line.account_no, []) if row.id == found), None)


def the_only_one(line: Line, candidates: Candidates) -> Candidate | None:
    """The payment without a receipt that this line can only be. None: there is none, or a person must say which.

    Where one is known to be paid and its receipt awaited, and Safaricom said "not paid" of the others, it is that
    one. Where another line could be the same payment's, both are left.
    """
    fits = [row for row in candidates.get(line.account_no, []) if _fits(row, line)]
    if len(fits) > 1:
        fits = [row for row in fits if not was_refused(row)]
    if len(fits) > 1 and not any(is_live(row) for row in fits):
        fits = [row for row in fits if is_paid(row)]
    if len(fits) != 1 or _rivals(line, fits[0]).exists():
        return None
    return fits[0]


def requests_that_fit(
    order_code: str, *, receipt: str, kes: Decimal, at: datetime
) -> tuple[int | None, bool]:
    """Of money that Safaricom itself names: the request of this order that it can only be, as a statement's line would
    be matched; and whether any fits at all."""
    told = Line(
        id=0,
        statement_id=0,
        receipt=receipt,
        completed_at=at,
        paid_in=kes,
        account_no=order_code,
        other_party="",
        row=0,
        file_name="",
        uploaded_by="",
        believed_by="",
        waits_since=None,
    )
    candidates = without_receipt([told])
    fitting = any(_fits(row, told) for row in candidates.get(order_code, []))
    one = the_doubted_one(told, candidates) or the_only_one(told, candidates)
    return (None if one is None else one.id), fitting


def without_receipt(lines: Iterable[Line]) -> Candidates:
    """Payments that a line may be: one query for many lines. What changes until one is written, _take finds out."""
    codes = {line.account_no for line in lines} - {""}
    with_a_line = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt=OuterRef("id"))
    attempts = MpesaTransaction.objects.filter(order__code__in=codes, receipt=None).exclude(
        Exists(with_a_line)
    )
    found: dict[str, list[Candidate]] = {}
    for row in candidates_of(attempts) if codes else ():
        found.setdefault(row.order_code, []).append(row)
    return found


def by_payer(lines: Iterable[Line]) -> Mapping[int, Candidate]:
    """A till's lines name no account. By line: the one payment without a receipt that fits by amount, time and masked
    payer, where it is open or known to be paid, and this line is the only money that fits it. One query for all lines,
    and one for each pair found."""
    of_tills = [line for line in lines if not line.account_no and masked_payer(line.other_party) != "—"]
    if not of_tills:
        return {}
    with_a_line = StatementLine.objects.filter(kind=Kind.PAYMENT, attempt=OuterRef("id"))
    times = [line.completed_at for line in of_tills]
    asked = MpesaTransaction.objects.filter(
        receipt=None,
        amount_kes__in={int(line.paid_in) for line in of_tills if line.paid_in == int(line.paid_in)},
        created_at__range=(min(times) - ANSWERED_WITHIN, max(times) + CLOCKS_DIFFER),
    ).exclude(Exists(with_a_line))
    candidates: dict[int, list[Candidate]] = {}
    for row in candidates_of(asked):
        candidates.setdefault(row.amount_kes, []).append(row)
    found = {}
    for line in of_tills:
        fits = [row for row in candidates.get(int(line.paid_in), ()) if _fits_by_payer(row, line)]
        alone = len(fits) == 1 and (is_paid(fits[0]) or is_live(fits[0]))
        if alone and not _rivals_by_payer(line, fits[0]):
            found[line.id] = fits[0]
    return found


def _fits_by_payer(attempt: Candidate, line: Line) -> bool:
    after = line.completed_at - attempt.created_at
    in_time = -CLOCKS_DIFFER <= after <= ANSWERED_WITHIN
    same = line.paid_in == attempt.amount_kes and in_time
    return same and may_be_the_same(masked_payer(line.other_party), attempt.phone_masked)


def _rivals_by_payer(line: Line, attempt: Candidate) -> bool:
    """Whether other money could be this payment's just as well."""
    in_time = StatementLine.objects.filter(
        kind=Kind.PAYMENT,
        match=Match.NONE,
        account_no="",
        paid_in=line.paid_in,
        absent_from=None,
        completed_at__gte=attempt.created_at - CLOCKS_DIFFER,
        completed_at__lte=attempt.created_at + ANSWERED_WITHIN,
    )
    others = in_time.exclude(id=line.id).exclude(receipt_is_known()).values_list("other_party", flat=True)
    return any(may_be_the_same(masked_payer(payer), attempt.phone_masked) for payer in others)


def _fits(attempt: Candidate, line: Line) -> bool:
    after = line.completed_at - attempt.created_at
    return bool(line.paid_in == attempt.amount_kes and -CLOCKS_DIFFER <= after <= FOLLOW_UP_FOR)


def candidates_of(attempts: QuerySet[MpesaTransaction]) -> Iterator[Candidate]:
    for row in attempts.values(*_CANDIDATE, order_code=F("order__code")):
        yield Candidate(**row)


def _rivals(line: Line, attempt: Candidate) -> QuerySet[StatementLine]:
    """Other money that could be this payment's just as well. (Not what another file of the same time lacks.)"""
    same = StatementLine.objects.filter(
        kind=Kind.PAYMENT,
        match=Match.NONE,
        account_no=line.account_no,
        paid_in=line.paid_in,
        absent_from=None,
    )
    in_time = same.filter(
        completed_at__gte=attempt.created_at - CLOCKS_DIFFER,
        completed_at__lte=attempt.created_at + FOLLOW_UP_FOR,
    )
    return in_time.exclude(id=line.id).exclude(receipt_is_known())


def receipt_is_known() -> Exists:
    return Exists(MpesaTransaction.objects.filter(receipt=OuterRef("receipt")))
