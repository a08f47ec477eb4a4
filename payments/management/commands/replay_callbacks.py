"""Reads stored callbacks once more through the same code: after a parser was mended, or a crash. What was applied
is left alone; nothing is made up; the same replay twice changes nothing."""

import argparse
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from payments import callbacks, gateway
from payments.models import DONE_VERDICTS, CallbackDelivery

Verdict = CallbackDelivery.Verdict


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--id", type=int, help="this delivery only")
        parser.add_argument("--verdict", choices=Verdict.values, help="those with this verdict only")
        parser.add_argument("--dry-run", action="store_true", help="say how many there are, and read none")

    def handle(self, *_args: Any, **options: Any) -> None:
        wanted = CallbackDelivery.objects.exclude(verdict__in=DONE_VERDICTS)
        if options["id"] is not None:
            wanted = wanted.filter(id=options["id"])
            if not wanted.exists():
                raise CommandError(f"No delivery {options['id']} that is not applied yet.")
        if options["verdict"]:
            wanted = wanted.filter(verdict=options["verdict"])
        if options["dry_run"]:
            self.stdout.write(f"{wanted.count()} deliveries would be read once more.")
            return
        verdicts: Counter[str] = Counter()
        for delivery in callbacks.stored_deliveries(wanted):
            verdicts[callbacks.apply_delivery(delivery, now=gateway.now()).label] += 1
        told = ", ".join(f"{count} {label.lower()}" for label, count in verdicts.most_common())
        self.stdout.write(f"{verdicts.total()} deliveries read once more: {told or 'none'}.")
