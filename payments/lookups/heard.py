"""What a notice of a payment by hand (C2B) is good for: a reason to ask. And, where the shop wants it, whether such a
payment makes sense before it is made."""

from datetime import datetime

from django.db import Error

from djkraph import sql
from payments import gateway, ledger, reconciliation
from payments.daraja import C2bNotice, NoticeUnreadable, read_notice
from payments.gateway import token_hash
from payments.models import CallbackDelivery, Lookup
from payments.phones import blank_phones

Verdict = CallbackDelivery.Verdict
REJECTED_ACCOUNT, REJECTED_SHORT_CODE = "C2B00012", "C2B00015"


def is_ours(hashed: str) -> bool:
    """Whether it is the shop's own address for such notices."""
    return hashed in {token_hash(token) for token in gateway.notice_tokens()}


def hear(body: str, *, now: datetime) -> CallbackDelivery.Verdict:
    """Once for each receipt, however often it is told."""
    try:
        notice = read_notice(body)
    except NoticeUnreadable:
        return Verdict.UNREADABLE
    if notice.short_code not in gateway.short_codes():
        return Verdict.WRONG_ID
    told = {
        "code": notice.receipt,
        "short_code": notice.short_code,
        "amount_kes": notice.amount,
        "account_no": blank_phones(notice.account),
        "happened_at": notice.paid_at,
        "told_at": now,
        "next_look_at": now,
        "words": "",
        "looks": 0,
    }
    new = sql.insert_unless_there(Lookup, told)
    return Verdict.REPEATED if new is None else Verdict.HINT


def refusal_of(body: str, *, now: datetime) -> str:
    """C2B's code for what can't be meant for any order; empty where it can, or nobody can say."""
    try:
        notice = read_notice(body)
    except NoticeUnreadable:
        return ""
    if notice.short_code not in gateway.short_codes():
        return REJECTED_SHORT_CODE
    if not gateway.is_paybill():
        return ""  # a till asks for no account
    return "" if _can_mean_an_order(notice, now=now) else REJECTED_ACCOUNT


def _can_mean_an_order(notice: C2bNotice, *, now: datetime) -> bool:
    try:
        order = reconciliation.order_meant(notice.account)
        return order is not None and not ledger.has_ended(order, now=now)
    except Error:
        return True  # a sale is not refused because our database is away
