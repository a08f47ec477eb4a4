"""How long sealing and checking a whole history takes, and in how much memory.

python -m tests.benchmarks.sealing [SIZES]

Each payment is signed as the ledger signs it: an order, three events, a receipt and a posting."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

from tests.benchmarks import rig

SIZES = (10_000, 100_000)
AT_ONCE = 2000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = (("created", "push", "", "created"), ("accepted", "push", "created", "pending"),
         ("confirmed", "callback", "pending", "completed"))  # fmt: skip


def make(first: int, last: int) -> None:
    """In the shop's own process: payments numbered first to last."""
    from django.db import transaction

    for start in range(first, last + 1, AT_ONCE):
        with transaction.atomic():
            _make(range(start, min(start + AT_ONCE, last + 1)))


def _make(numbers: range) -> None:
    from orders.models import Order
    from payments import gateway
    from payments.models import MpesaTransaction, PaymentEvent, Posting, Receipt
    from payments.signing import Link, Moved, commitment

    ring, events = gateway.keyring(), []
    at = {n: BEGAN + timedelta(seconds=n) for n in numbers}
    orders = Order.objects.bulk_create(
        Order(code=f"S{n:07}", token=f"seal-{n}", client_reference=f"SEAL{n:07}", total_kes=1500, is_priced=False,
              state="paid", paid_at=at[n], created_at=at[n], received_cents=150_000)
        for n in numbers
    )  # fmt: skip
    attempts = []
    for n, order in zip(numbers, orders, strict=True):
        receipt, public_id, head = f"UKS{n:07}", f"pay_{n:024}", ""
        told = {
            "created": {"amount": "1500", "order": order.code, "order_total": "1500", "short_code": "174379",
                        "phone": commitment("salt", f"{n:064}")},
            "accepted": {"code": "0", "description": "Success. Request accepted for processing"},
            "confirmed": {"code": "0", "receipt": receipt, "amount": "1500", "role": "pays_order",
                          "description": "The service request is processed successfully."},
        }  # fmt: skip
        for number, (kind, source, before, after) in enumerate(STEPS, start=1):
            link = Link(attempt=public_id, number=number, kind=kind, source=source, from_state=before, to_state=after,
                        at=at[n], facts=told[kind], previous_hash=head)  # fmt: skip
            key_id, digest = ring.sign(link)
            events.append((n, link, key_id, digest))
            head = digest
        attempts.append(
            MpesaTransaction(public_id=public_id, order=order, state="completed", amount_kes=1500,
                             phone_masked="2547••••0000",
                             phone_hash=f"{n:064}", phone_salt="salt", channel="CustomerPayBillOnline",
                             short_code="174379", account_reference=order.code, description="DJ Kraph",
                             callback_token_hash=f"seal{n:060}", checkout_request_id=f"ws_CO_S{n}", receipt=receipt,
                             received_kes=1500, pays_order=True, unpriced=True, created_at=at[n], concluded_at=at[n],
                             events_count=3, chain_head=head)
        )  # fmt: skip
    MpesaTransaction.objects.bulk_create(attempts)
    of = dict(zip(numbers, attempts, strict=True))
    PaymentEvent.objects.bulk_create(
        PaymentEvent(attempt=of[n], number=link.number, kind=link.kind, source=link.source, from_state=link.from_state,
                     to_state=link.to_state, at=link.at, facts=dict(link.facts), previous_hash=link.previous_hash,
                     hash=digest, key_id=key_id)
        for n, link, key_id, digest in events
    )  # fmt: skip
    receipts = Receipt.objects.bulk_create(
        Receipt(code=attempt.receipt, direction="in", kind="payment", amount_cents=150_000, short_code="174379",
                account_no=attempt.account_reference, attempt=attempt, told_by="callback", told_at=at[n])
        for n, attempt in of.items()
    )  # fmt: skip
    postings = []
    for (n, attempt), receipt_row in zip(of.items(), receipts, strict=True):
        moved = Moved(ref=f"{n:024}", at=at[n], debit="mpesa:174379", credit=f"order:{attempt.account_reference}",
                      amount_cents=150_000, code="paid", receipt_id=receipt_row.pk, attempt=attempt.public_id,
                      event_number=3, mends="")  # fmt: skip
        key_id, digest = ring.sign(moved)
        postings.append(
            Posting(ref=moved.ref, at=moved.at, debit=moved.debit, credit=moved.credit, amount_cents=150_000,
                    code="paid", receipt=receipt_row, attempt=attempt, event_number=3, hash=digest, key_id=key_id)
        )  # fmt: skip
    Posting.objects.bulk_create(postings)


def main(sizes: tuple[int, ...] = SIZES) -> None:
    sys.stdout.write(
        f"{rig.machine()}\n\n| payments | what | seconds | megabytes at most |\n|---|---|---|---|\n"
    )
    with rig.postgres() as url:
        made = 0
        for size in sizes:
            program = f"from tests.benchmarks.sealing import make; make({made + 1}, {size})"
            rig.manage(url, "shell", "-v", "0", "-c", program)
            rig.rows(url, "VACUUM ANALYZE")
            for command in ("seal_ledger", "verify_ledger"):
                seconds, megabytes = _measured(url, command)
                of = size - made if command == "seal_ledger" else size
                sys.stdout.write(f"| {of:,} | {command} | {seconds:.1f} | {megabytes:.0f} |\n")
                sys.stdout.flush()
            made = size
        (seals,) = rig.rows(
            url, "SELECT count(*), sum(rows), pg_total_relation_size('payments_seal') FROM payments_seal"
        )
        sys.stdout.write(f"\n{seals[0]:,} seals over {seals[1]:,} rows: {seals[2] / 2**20:.0f} MB on disk\n")


def _measured(url: str, command: str) -> tuple[float, float]:
    """Seconds, and the most memory that it held at any time."""
    began = time.perf_counter()
    done = subprocess.Popen(
        [sys.executable, "manage.py", command],
        cwd=rig.ROOT, env=rig.environment(url), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    _, status, used = os.wait4(done.pid, 0)
    if status:
        raise RuntimeError(done.stdout.read() if done.stdout else command)
    return time.perf_counter() - began, used.ru_maxrss / 1024


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
