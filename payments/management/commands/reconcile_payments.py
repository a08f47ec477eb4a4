"""Asks Safaricom, now, what became of the payments that are still open, and moves them through the ledger.

`--watch` is the worker: it keeps asking as each payment's next check comes, reads callbacks that a crash or an
absent database left behind, goes on with statements whose matching stopped, watches each payment for 24 hours and
until Safaricom has answered (72 hours at most), closes what waits for a second person and became pointless, seals each
minute what was written, and tells people what needs them (ALERT_EMAILS, ALERT_WEBHOOK_URL). Stopping it at any point
loses nothing.

Exit code 1: something needs a person (the summary says what). Unpriced payments are told and don't count: their
money is safe and where it belongs, and where another site's page names the amounts every sale is one.
"""

import argparse
import json
import logging
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import callbacks, checkout, enquiries, facts, gateway
from payments.desk import count_payments_in_need
from payments.enquiries import Due, Outcome
from payments.gateway import release_connection
from payments.management import worker

log = logging.getLogger(__name__)

WATCH_STEP = 1.0  # seconds between two looks at what is due
AFTER_TROUBLE = 5.0  # seconds

QUIET = (facts.UNPRICED, facts.LATE_SUCCESS)  # the money is where it belongs: a look will do
ALARMING = tuple(reason.key for reason in facts.REASONS if reason not in QUIET)


@dataclass
class Tally:
    """What one run came to."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    callbacks: int = 0

    def sentence(self, people: dict[str, int]) -> str:
        parts = [f"{self.outcomes[o]} {o.value}" for o in Outcome if self.outcomes[o]]
        left_behind = f", {self.callbacks} callbacks left behind read" if self.callbacks else ""
        needs = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in people.items() if count)
        return (
            f"{self.outcomes.total()} open payments looked at: {', '.join(parts) or 'nothing to do'}{left_behind}."
            f" Needs a person: {needs or 'nothing'}."
        )

    def as_json(self, people: dict[str, int]) -> str:
        outcomes = {outcome.name.lower(): self.outcomes[outcome] for outcome in Outcome}
        return json.dumps(
            {"looked_at": self.outcomes.total(), **outcomes, "callbacks": self.callbacks, "person": people}
        )


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=int, default=20, metavar="SECONDS", help="leave younger payments alone (20)"
        )
        parser.add_argument("--limit", type=int, metavar="N", help="look at N payments at most, oldest first")
        parser.add_argument("--dry-run", action="store_true", help="say what it would do, and do nothing")
        parser.add_argument("--json", action="store_true", help="the summary as one line of JSON")
        parser.add_argument("--watch", action="store_true", help="keep running: the worker")

    def handle(self, *_args: Any, **options: Any) -> None:
        _refuse_nonsense(options)
        try:
            if options["watch"]:
                self._watch()
            elif options["dry_run"]:
                self.stdout.write(_would_do(_before(options), options["limit"]))
            else:
                self._once(options)
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        except KeyboardInterrupt:
            self.stderr.write("Stopped. Nothing is lost: the next run goes on from here.")

    def _once(self, options: dict[str, Any]) -> None:
        tally = Tally(callbacks=_read_left_behind(gateway.now()))
        matcher = worker.Matcher()
        while matcher.match_some():
            self._progress("Statements are matched …")
        try:
            for due in enquiries.open_since(before=_before(options), limit=options["limit"]):
                tally.outcomes[_ask(due)] += 1
                self._progress(f"{tally.outcomes.total()} looked at …")
        except KeyboardInterrupt:
            self.stderr.write("\nStopped here. Nothing is lost: the next run goes on.")
        people = count_payments_in_need()
        self._end_of_progress()
        self.stdout.write(tally.as_json(people) if options["json"] else tally.sentence(people))
        if any(people[key] for key in ALARMING):
            sys.exit(1)

    def _progress(self, words: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{words:<30}", ending="")
            self.stderr.flush()

    def _end_of_progress(self) -> None:
        if self.stderr.isatty():
            self.stderr.write("")

    def _watch(self) -> None:
        self.stdout.write("Watching open payments. Ctrl-C stops.")
        self.stdout.flush()
        matcher, chores = worker.Matcher(), worker.chores()
        while True:
            try:
                busy = run_due()
                busy = matcher.step() or busy
            except Error:
                log.exception("The worker can't reach the database; it tries again")
                release_connection()
                time.sleep(AFTER_TROUBLE)
                continue
            for chore in chores:
                chore.take_turn()
            if not busy:
                release_connection()
                time.sleep(WATCH_STEP)


def run_due() -> bool:
    """One round of the worker: what was left behind, what the clock decides, and at most one question to Daraja.

    True: there may be more to do right away.
    """
    now = gateway.now()
    if _read_left_behind(now):
        return True
    for due in enquiries.due_without_id(now=now):
        enquiries.resolve_by_clock(due, now=now)
    return enquiries.ask_next(clock=gateway.now) is not Outcome.NOT_ASKED


def _read_left_behind(now: datetime) -> int:
    checkout.note_kept_answers(now=now)
    return callbacks.replay_spool(now=now) + callbacks.apply_left_behind(now=now)


def _ask(due: Due) -> Outcome:
    if enquiries.resolve_by_clock(due, now=gateway.now()):
        return Outcome.NOT_ASKED
    _wait_for_a_turn()
    return enquiries.ask_about_open(due, clock=gateway.now)


def _wait_for_a_turn() -> None:
    while (free_at := enquiries.next_turn_at(now=gateway.now())) is not None:
        release_connection()
        time.sleep(max(0.0, min((free_at - gateway.now()).total_seconds(), 1.0)))


def _before(options: dict[str, Any]) -> datetime:
    return gateway.now() - timedelta(seconds=options["older_than"])


def _would_do(before: datetime, limit: int | None) -> str:
    count = enquiries.count_open(before=before, limit=limit)
    minutes = count / gateway.queries_per_minute()
    return (
        f"Would look at {count} open payments; with the query budget that takes about {minutes:.0f} minutes."
    )


def _refuse_nonsense(options: dict[str, Any]) -> None:
    if options["older_than"] < 0:
        raise CommandError("--older-than is a number of seconds, 0 or more.")
    if options["limit"] is not None and options["limit"] < 1:
        raise CommandError("--limit is a number of payments, 1 or more.")
    if options["watch"] and (options["dry_run"] or options["json"] or options["limit"]):
        raise CommandError("--watch goes alone: it has no end to sum up.")
