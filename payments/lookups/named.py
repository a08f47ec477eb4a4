"""A receipt that a person names as a payment's, while it waits for a second one: Safaricom is asked, whose word needs
no second person."""

from datetime import datetime

from djkraph import sql
from payments.models import Lookup, MpesaTransaction

Is = Lookup.State


def name_by_person(attempt_id: int, code: str, *, amount_kes: int, now: datetime) -> None:
    """Once for each receipt: one that was told already is asked about for this payment, unless it ended."""
    attempt = MpesaTransaction.objects.get(pk=attempt_id)
    told = {
        "code": code,
        "short_code": attempt.short_code,
        "amount_kes": amount_kes,
        "account_no": "",
        "happened_at": None,
        "attempt_id": attempt_id,
        "told_at": now,
        "next_look_at": now,
        "words": "",
        "looks": 0,
    }
    if sql.insert_unless_there(Lookup, told) is None:
        open_ones = Lookup.objects.filter(code=code, state__in=(Is.DUE, Is.ASKED))
        open_ones.update(attempt_id=attempt_id, next_look_at=now)


def said_of(code: str) -> str:
    """What Safaricom, asked about this receipt, has said so far, as a sentence. Empty: it was not asked."""
    row = Lookup.objects.filter(code=code).first()
    if row is None:
        return ""
    if row.state in (Is.DUE, Is.ASKED) and not row.words:
        return "Safaricom is being asked about this receipt."
    if row.state == Is.CONFIRMED:
        return "Safaricom, asked, says that this money came to us."
    return f"Safaricom, asked: {row.words}"
