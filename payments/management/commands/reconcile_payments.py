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
import math
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error

from payments import alerts, callbacks, checkout, enquiries, facts, gateway, ledger, manual, reconciliation
from payments.desk import count_payments_in_need
from payments.enquiries import Due, Outcome
from payments.gateway import release_connection

log = logging.getLogger(__name__)

WATCH_STEP = 1.0  # seconds between two looks at what is due
AFTER_TROUBLE = 5.0  # seconds
SWEEP = 3600.0  # seconds between two looks for files that were kept long enough
FORGET = 3600.0  # seconds between two looks for old posts of strangers
PULSE = 15.0  # seconds between two words to the desk that the worker is at work
SEALING = 60.0  # seconds between two seals
MATCHING = 15.0  # seconds between two looks for statements whose matching stopped
LINES_A_ROUND = 100  # of such a statement: a buyer's question waits no longer than that
TELLING = 60.0  # seconds between two looks whether people must be told
CLOSING = 60.0  # seconds between two looks for proposals that became pointless

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


class Pulse:
    """What the worker does by its own clock: it tells the desk that it is at work (that it can't be told stops
    nothing), and tidies."""

    def __init__(self) -> None:
        self._next = self._forget_next = -math.inf

    def beat(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PULSE
        try:
            enquiries.beat(enquiries.WORKER, now=gateway.now())
        except Error:
            log.exception("The desk could not be told that the worker is at work")
            release_connection()

    def tidy(self) -> None:
        """Now and then, removes what strangers sent long ago."""
        if time.monotonic() < self._forget_next:
            return
        if not callbacks.forget_strangers(now=gateway.now()):
            self._forget_next = time.monotonic() + FORGET


class Broom:
    """Erases the files of statements that were kept long enough, once an hour. That it can't stops nothing."""

    def __init__(self) -> None:
        self._next = -math.inf

    def sweep(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SWEEP
        try:
            reconciliation.erase_old_files(now=gateway.now())
        except OSError:
            log.exception("Old files of statements could not be erased")


class Sealer:
    """Seals what was written, each minute; of a history that was never sealed, one seal a round, so that nobody who
    waits for an answer waits for that. That it can't seal stops nothing: /health/ready tells of it."""

    def __init__(self) -> None:
        self._next = -math.inf

    def seal(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SEALING
        try:
            made = ledger.seal_next(now=gateway.now())
        except Exception:  # whatever it was: asking and reading go on
            log.exception("The ledger could not be sealed; the worker tries again")
            release_connection()
            return
        if made is not None and made.has_more:
            self._next = -math.inf


class Matcher:
    """Goes on with statements whose matching stopped before its end, a few lines a round. One that can't be matched
    stops none of the others."""

    def __init__(self) -> None:
        self._next = -math.inf
        self._failed: set[int] = set()

    def step(self) -> bool:
        """False: there is nothing to match for now, and it looks again in a while."""
        if time.monotonic() < self._next:
            return False
        if self.match_some():
            return True
        self._next = time.monotonic() + MATCHING
        return False

    def match_some(self) -> bool:
        """False: there is nothing to match."""
        now = gateway.now()
        waiting = [each for each in reconciliation.unfinished(now=now) if each not in self._failed]
        if not waiting:
            self._failed.clear()
            return False
        try:
            reconciliation.match_some(waiting[0], now=now, limit=LINES_A_ROUND)
        except Exception:
            log.exception(
                "A statement could not be matched; the worker tries again", extra={"id": waiting[0]}
            )
            self._failed.add(waiting[0])
            release_connection()
        return True


class Teller:
    """Has people told, each minute. That it can't stops nothing: the desk's home says what was to be told."""

    def __init__(self) -> None:
        self._next = -math.inf

    def tell(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + TELLING
        try:
            alerts.take_round()
        except Exception:
            log.exception("People could not be told; the worker tries again")
            release_connection()


class Closer:
    """Closes what waits for a second person and makes no sense any more, each minute. That it can't stops nothing."""

    def __init__(self) -> None:
        self._next = -math.inf

    def close(self) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + CLOSING
        try:
            manual.close_pointless(now=gateway.now())
        except Exception:
            log.exception("What became pointless could not be closed; the worker tries again")
            release_connection()


class Command(BaseCommand):
    help = __doc__

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)

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
        matcher = Matcher()
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
        pulse, broom, sealer, matcher, teller = Pulse(), Broom(), Sealer(), Matcher(), Teller()
        closer = Closer()
        while True:
            try:
                busy = run_due()
                busy = matcher.step() or busy
                pulse.tidy()
            except Error:
                log.exception("The worker can't reach the database; it tries again")
                release_connection()
                time.sleep(AFTER_TROUBLE)
                continue
            pulse.beat()
            broom.sweep()
            closer.close()
            sealer.seal()
            teller.tell()
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
