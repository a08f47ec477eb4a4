"""A receipt of which a reversal was the first we heard: so much came at least. What it really was, is told later."""

from typing import Any

from djkraph import sql
from payments.ledger.book import UNCLAIMED, Because, Code, Entry, mpesa
from payments.ledger.standing import Standing, hold, mend, move, reversed_by_safaricom
from payments.models import Receipt, StatementLine

TOLD = ("code", "direction", "kind", "happened_at", "short_code", "account_no", "payer_masked", "told_by")


def told_larger(known: Receipt, cents: int, because: Because) -> tuple[Receipt, Standing]:
    """The receipt anew, with the amount that is told now: all of it nobody's, less what was reversed of it."""
    gone_back = list(known.reversals.filter(voided_at=None))
    mend(hold(known), because)
    _void([known, *gone_back], because)
    receipt = _again(known, because, amount_cents=cents, attempt_id=known.attempt_id)
    anew = Because(receipt_id=receipt.pk, now=because.now)
    standing = Standing(receipt_id=receipt.pk, short_code=receipt.short_code)
    came = Entry(debit=mpesa(receipt.short_code), credit=UNCLAIMED, cents=cents, code=Code.UNCLAIMED)
    move(standing, [came], anew)
    for each in gone_back:
        out = _again(each, because, amount_cents=each.amount_cents, reverses_id=receipt.pk)
        StatementLine.objects.filter(booked_as=each).update(booked_as=out)
        move(standing, reversed_by_safaricom(standing, min(each.amount_cents, standing.left)), anew)
    StatementLine.objects.filter(booked_as=known).update(booked_as=receipt)
    return receipt, standing


def _void(receipts: list[Receipt], because: Because) -> None:
    Receipt.objects.filter(pk__in=[each.pk for each in receipts]).update(voided_at=because.now)


def _again(receipt: Receipt, because: Because, **differs: Any) -> Receipt:
    values = {name: getattr(receipt, name) for name in TOLD} | {"told_at": because.now} | differs
    return Receipt.objects.get(pk=sql.insert(Receipt, values))
