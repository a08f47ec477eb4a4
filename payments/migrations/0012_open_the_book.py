"""Opens the book of a shop that has taken money before: receipts and postings are made from its payments, batch by batch.

A payment whose amount is in doubt moves nothing yet: it is booked once a person or Safaricom has named the amount.
"""

import secrets
import sys

from django.conf import settings
from django.db import migrations
from django.db.models import F

from payments.signing import Keyring, Moved

BATCH = 500
SHOWN_EVERY = 20  # batches


def open_the_book(apps, schema_editor):
    attempts = apps.get_model("payments", "MpesaTransaction").objects.filter(state="completed")
    total, done, last_id = attempts.count(), 0, 0
    ring = Keyring(settings.LEDGER_KEY)
    while batch := list(attempts.filter(id__gt=last_id).order_by("id")[:BATCH]):
        for attempt in batch:
            _book(apps, ring, attempt)
            _refunded(apps, attempt)
        done, last_id = done + len(batch), batch[-1].id
        if done // BATCH % SHOWN_EVERY == 0:
            sys.stdout.write(f"\n    {done:,} of {total:,} payments booked ...")


def _book(apps, ring, attempt):
    entries = list(_entries(attempt))
    if not entries:
        return
    receipt = apps.get_model("payments", "Receipt").objects.create(
        code=attempt.receipt,
        direction="in",
        kind="payment",
        amount_cents=entries[0][2],
        happened_at=attempt.paid_at,
        short_code=attempt.short_code,
        account_no=attempt.account_reference,
        payer_masked=attempt.phone_masked,
        attempt=attempt,
        told_by="staff" if attempt.by_hand else "callback" if attempt.receipt else "query",
        told_at=attempt.concluded_at,
    )
    for debit, credit, cents, code, at in entries:
        _post(apps, ring, attempt, receipt, debit=debit, credit=credit, cents=cents, code=code, at=at)
    order = f"order:{attempt.account_reference}"
    apps.get_model("orders", "Order").objects.filter(id=attempt.order_id).update(
        received_cents=F("received_cents") + sum(e[2] for e in entries if e[1] == order),
        returned_cents=F("returned_cents") + sum(e[2] for e in entries if e[0] == order),
    )


def _refunded(apps, attempt):
    """Until now a payment had one refund at most; what was recorded of it stands in its event."""
    if attempt.refunded_kes is None:
        return
    event = attempt.events.filter(kind="refund_recorded").last()
    facts = event.facts if event else {}
    apps.get_model("payments", "Refund").objects.create(
        attempt=attempt,
        amount_cents=100 * attempt.refunded_kes,
        reference=attempt.refund_reference,
        reason=facts.get("reason", ""),
        recorded_by=facts.get("by", ""),
        recorded_at=attempt.refunded_at,
    )


def _entries(attempt):
    """(debit, credit, cents, code, at), as the ledger would have posted them."""
    mpesa, order = f"mpesa:{attempt.short_code}", f"order:{attempt.account_reference}"
    held = 100 * (attempt.amount_kes if attempt.received_kes is None else attempt.received_kes)
    back = 100 * (attempt.refunded_kes or 0)
    came, went = attempt.concluded_at, attempt.refunded_at
    if attempt.pays_order or attempt.refund_due:
        yield mpesa, order, held, "paid", came
    elif back:
        yield mpesa, "unclaimed", back, "unclaimed", came
    if attempt.refund_due:
        yield order, "refunds_due", held, "overpaid", came
    elif back:
        yield order if attempt.pays_order else "unclaimed", "refunds_due", back, "refund_decided", went
    if back:
        yield "refunds_due", mpesa, back, "refund_sent", went


def _post(apps, ring, attempt, receipt, *, debit, credit, cents, code, at):
    moved = Moved(
        ref=secrets.token_hex(12),
        at=at,
        debit=debit,
        credit=credit,
        amount_cents=cents,
        code=code,
        receipt_id=receipt.id,
        attempt=attempt.public_id,
        event_number=None,
        mends="",
    )
    key_id, digest = ring.sign(moved)
    apps.get_model("payments", "Posting").objects.create(
        ref=moved.ref,
        at=at,
        debit=debit,
        credit=credit,
        amount_cents=cents,
        code=code,
        receipt=receipt,
        attempt=attempt,
        hash=digest,
        key_id=key_id,
    )


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0004_sums_hold"),
        ("payments", "0011_refunds_in_parts_hold"),
    ]

    operations = [migrations.RunPython(open_the_book, migrations.RunPython.noop)]
