"""How an order to send money back ends: the money went, or it did not. Each once, whoever says it first."""

from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import transaction

from payments import ledger
from payments.facts import REVERSAL_UNDER_WAY
from payments.ledger import CENTS, Change, EventKind, Source, Told
from payments.models import Receipt, Reversal
from payments.states import State

Is = Reversal.State
NOBODY: Mapping[str, str] = {}


class _Ended(Exception):
    """Somebody else said in this moment how it ended: what was to be written with it is undone."""


def it_went(row: Reversal, *, code: str, at: datetime | None, source: Source, now: datetime) -> bool:
    """Books the reversal under its own receipt, and ends the order. Also after a refusal: money that went is gone.
    False: that was known."""
    receipt = row.receipt

    def then(receipt_id: int) -> None:
        ledger.review_receipt(receipt_id, by=row.decided_by, now=now)  # whoever decided it has seen it
        ended = Reversal.objects.filter(pk=row.pk).exclude(state=Is.DONE)
        others = Reversal.objects.filter(receipt_id=row.receipt_id).exclude(pk=row.pk)
        if row.state == Is.REFUSED and others.exclude(state=Is.REFUSED).exists():
            return  # another order is under way for this receipt: this one's end stands in the book alone
        ended.update(
            state=Is.DONE,
            went_as_id=receipt_id,
            ended_at=now,
            next_look_at=None,
            sent_at=row.sent_at or now,
            code="0",
        )

    if Reversal.objects.filter(pk=row.pk, state=Is.DONE).exists():
        return False
    told = Told(
        code=code,
        kind=Receipt.Kind.REVERSAL,
        direction=Receipt.Direction.OUT,
        cents=CENTS * row.amount_kes,
        happened_at=at,
        short_code=receipt.short_code,
        account_no=receipt.account_no,
        payer_masked=receipt.payer_masked,
        source=source,
    )
    ledger.book_reversal(told, of_code=receipt.code or "", now=now, then=then)
    return True


def seen_gone(row: Reversal, *, now: datetime) -> bool:
    """Whether the book has it meanwhile, from a statement: the order ends with it."""
    went = row.receipt.reversals.filter(voided_at=None, amount_cents=CENTS * row.amount_kes).first()
    if went is None:
        return False
    under_way = Reversal.objects.filter(REVERSAL_UNDER_WAY, pk=row.pk).exclude(state=Is.DUE)
    return bool(under_way.update(state=Is.DONE, went_as=went, ended_at=now, next_look_at=None))


def never_went(
    row: Reversal,
    *,
    code: str = "",
    words: str,
    source: Source,
    people: Mapping[str, str] = NOBODY,
    now: datetime,
    then: Callable[[], None] = lambda: None,
) -> bool:
    """The money is here. False: how it ended was known before."""

    def end() -> None:
        under_way = Reversal.objects.filter(REVERSAL_UNDER_WAY, pk=row.pk)
        if source is Source.STAFF:  # who decided it saw it so: sent meanwhile, it is another thing
            under_way = under_way.filter(state=row.state)
        if not under_way.update(
            state=Is.REFUSED, code=code, words=words[:300], ended_at=now, next_look_at=None
        ):
            raise _Ended
        then()

    try:
        if row.receipt.attempt_id is None:
            with transaction.atomic():
                end()
        else:
            facts = {
                "amount": str(row.amount_kes),
                "receipt": row.receipt.code or "",
                "code": code,
                "description": words[:300],
                **people,
            }
            ledger.apply_change(
                row.receipt.attempt_id,
                lambda now_row: Change(kind=EventKind.REVERSAL_FAILED, to=State(now_row.state)),
                source=source,
                facts=facts,
                now=now,
                in_same_transaction=end,
            )
    except _Ended:
        return False
    return True
