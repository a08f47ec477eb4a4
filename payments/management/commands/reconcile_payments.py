"""Asks Safaricom, now, what became of the payments that are still open, and moves them through the ledger.

`--watch` is the worker: it keeps asking as each payment's next check comes, reads callbacks that a crash left
behind, and gives up on payments after 24 hours. Stopping it at any point loses nothing.
"""

import argparse
import logging
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone

from payments.connections import let_go_of_database
from payments.models import MpesaTransaction
from payments.services import budget, callbacks, reconcile
from payments.services.reconcile import Due, Outcome
from payments.states import State

log = logging.getLogger(__name__)

WATCH_STEP = 1.0  # seconds between two looks at what is due
AFTER_TROUBLE = 5.0  # seconds


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=int, default=20, metavar="SECONDS", help="leave younger payments alone (20)"
        )
        parser.add_argument("--watch", action="store_true", help="keep running: the worker")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["older_than"] < 0:
            raise CommandError("--older-than is a number of seconds, 0 or more.")
        try:
            if options["watch"]:
                self._watch()
            else:
                self._once(older_than=timedelta(seconds=options["older_than"]))
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Nothing is lost: the next run goes on from here.")
        except DatabaseError as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away

    def _once(self, *, older_than: timedelta) -> None:
        callbacks.apply_left_behind(now=timezone.now())
        before = timezone.now() - older_than
        outcomes: Counter[Outcome] = Counter()
        for done, seen in enumerate(reconcile.open_since(before=before), start=1):
            outcomes[self._ask(seen)] += 1
            if self.stderr.isatty():
                self.stderr.write(f"\r{done} asked …", ending="")
                self.stderr.flush()
        if self.stderr.isatty() and outcomes:
            self.stderr.write("")
        self.stdout.write(_summary(outcomes))

    def _ask(self, seen: Due) -> Outcome:
        if reconcile.settle_without_asking(seen, now=timezone.now()):
            return Outcome.NOT_ASKED
        _wait_for_a_turn()
        return reconcile.ask(seen, clock=timezone.now)

    def _watch(self) -> None:
        self.stdout.write("Watching open payments. Ctrl-C stops.")
        self.stdout.flush()
        while True:
            try:
                busy = run_due()
            except DatabaseError:
                log.exception("The worker can't reach the database; it tries again")
                let_go_of_database()
                time.sleep(AFTER_TROUBLE)
                continue
            if not busy:
                let_go_of_database()
                time.sleep(WATCH_STEP)


def run_due() -> bool:
    """One round of the worker: what the clock decides at once, and at most one question to Daraja.

    True: there may be more to do right away.
    """
    now = timezone.now()
    if callbacks.apply_left_behind(now=now):
        return True
    for seen in reconcile.due(now=now):
        if not reconcile.settle_without_asking(seen, now=now):
            return reconcile.ask(seen, clock=timezone.now) is not Outcome.NOT_ASKED
    return False


def _wait_for_a_turn() -> None:
    while (free_at := budget.free_at()) is not None and (
        wait := (free_at - timezone.now()).total_seconds()
    ) > 0:
        let_go_of_database()
        time.sleep(min(wait, 1.0))


def _summary(outcomes: Counter[Outcome]) -> str:
    parts = [f"{outcomes[outcome]} {outcome.value}" for outcome in Outcome if outcomes[outcome]]
    waiting = MpesaTransaction.objects.filter(state=State.COMPLETED, receipt=None).count()
    refunds = MpesaTransaction.objects.filter(refund_due=True).count()
    return (
        f"{outcomes.total()} open payments looked at: {', '.join(parts) or 'nothing to do'}. "
        f"For a person: {refunds} refunds due, {waiting} receipts awaited."
    )
