"""Everything about one order's money: its requests, receipts, postings, refunds and events. By the order's code, an
M-PESA receipt (also a part's, a reversal's or a refund's), a CheckoutRequestID or a payment's own id."""

import argparse
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import desk


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("reference", metavar="REF")
        parser.add_argument("--json", action="store_true", help="as one JSON object, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        found = desk.trace(options["reference"].replace("\x00", ""))
        if found is None:
            raise CommandError(f"Nothing is known under {options['reference']!r}.")
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
            return
        self.stdout.write(_of(found["order"]))
        for part in ("attempts", "receipts", "postings", "refunds", "events"):
            self.stdout.write(f"\n{part.capitalize()}:")
            for row in found[part]:
                self.stdout.write("  " + ", ".join(f"{name} {value}" for name, value in row.items() if value))
            if not found[part]:
                self.stdout.write("  none")


def _of(order: dict[str, Any] | None) -> str:
    if order is None:
        return "It is no order's."
    return (
        f"Order {order['code']}: {order['state']}, KES {order['total_kes']:,}. Received KES "
        f"{order['received_kes']:,}, gave back KES {order['returned_kes']:,}, to pay KES {order['to_pay_kes']:,}."
    )
