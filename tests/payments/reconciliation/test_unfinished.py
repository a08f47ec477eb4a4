"""Matching that stopped before its end (the browser was closed, the process died) is gone on with by the worker."""

import logging
from datetime import timedelta

import pytest

from payments import gateway, reconciliation
from payments.management import worker
from payments.management.worker import Matcher
from payments.models import Statement, StatementLine
from payments.reconciliation import matching
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.stating import charge, matched, row, sweep, taken_in


@pytest.fixture
def matcher(monkeypatch: pytest.MonkeyPatch, clock: Clock, db: None) -> Matcher:
    """The worker's, three lines a round."""
    monkeypatch.setattr(gateway, "now", clock)
    monkeypatch.setattr(worker, "LINES_A_ROUND", 3)
    return Matcher()


def left_behind(clock: Clock, payments: int = 7, name: str = "november.csv") -> Statement:
    """Uploaded a while ago, and never matched."""
    rows = [row(f"{name[0].upper()}KN8AB12C{number}", clock(), 100, "WANJIRU") for number in range(payments)]
    stated = taken_in([*rows, sweep(clock(), 200, f"{name[0].upper()}KNSWEEP01")], clock, name=name)
    clock.advance(minutes=10)
    return stated


def rounds(matcher: Matcher) -> int:
    count = 0
    while matcher.step():
        count += 1
    return count


def test_what_was_left_is_matched_in_steps_and_each_line_is_in_the_book(
    matcher: Matcher, clock: Clock
) -> None:
    stated = left_behind(clock)
    assert rounds(matcher) == 3
    assert balances() == {"mpesa:174379": 500, "unclaimed": 700, "bank": -200}
    assert StatementLine.objects.filter(booked_as=None).count() == 0
    stated.refresh_from_db()
    assert stated.matched_at == clock()
    assert reconciliation.unfinished(now=clock()) == []


def test_it_goes_on_where_it_stopped(matcher: Matcher, clock: Clock) -> None:
    stated = left_behind(clock)
    matching.match_some(stated.pk, now=clock(), limit=6)
    assert rounds(matcher) == 1
    assert balances() == {"mpesa:174379": 500, "unclaimed": 700, "bank": -200}


def test_whoever_has_just_uploaded_it_is_left_to_it(matcher: Matcher, clock: Clock) -> None:
    stated = taken_in([charge(clock())], clock)
    assert rounds(matcher) == 0
    matched(stated, clock)
    assert balances() == {"mpesa:174379": -2.25, "charges": -2.25}


def test_a_void_statement_is_matched_by_nobody(matcher: Matcher, clock: Clock) -> None:
    stated = left_behind(clock)
    Statement.objects.filter(pk=stated.pk).update(voided_at=clock())
    assert rounds(matcher) == 0


def test_one_that_cannot_be_matched_stops_no_other(
    matcher: Matcher, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = left_behind(clock), left_behind(clock, name="october.csv")
    match_some = reconciliation.match_some

    def not_the_first(statement_id: int, **how: object) -> matching.Matched:
        if statement_id == bad.pk:
            raise ZeroDivisionError
        return match_some(statement_id, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(reconciliation, "match_some", not_the_first)
    with caplog.at_level(logging.CRITICAL, logger=worker.log.name):
        rounds(matcher)
    good.refresh_from_db()
    assert good.matched_at is not None
    assert reconciliation.unfinished(now=clock()) == [bad.pk]


def test_a_look_is_taken_now_and_then_not_at_each_round(matcher: Matcher, clock: Clock) -> None:
    assert rounds(matcher) == 0
    left_behind(clock)
    assert rounds(matcher) == 0
    assert timedelta(seconds=worker.MATCHING) < matching.AT_ITS_DESK
