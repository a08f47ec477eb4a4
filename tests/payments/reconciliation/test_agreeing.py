"""Two files of the same time agree, or each line on which they differ is marked and told."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from payments.desk.day.agreement import agreement
from payments.models import Statement, StatementLine
from payments.reconciliation import importing
from tests.support.payments.clock import Clock
from tests.support.payments.stating import charge, head, line, matched, row, taken_in, wall
from tests.support.statements import Row, sample, write_csv

pytestmark = pytest.mark.django_db


def absent() -> dict[str, str]:
    """Receipt → the file that lacks it."""
    found = StatementLine.objects.exclude(absent_from=None)
    return {each.receipt: str(each.absent_from) for each in found.select_related("absent_from")}


def brought(data: bytes, name: str, clock: Clock) -> Statement:
    return importing.import_file(data, file_name=name, by="akinyi", now=clock()).statement


def test_files_that_agree_where_they_overlap_say_nothing(clock: Clock) -> None:
    rows = [row(f"UKN4AB12C{n}", clock() + timedelta(seconds=n)) for n in range(4)]
    end = wall(clock() + timedelta(seconds=1))
    taken_in(rows[:2], clock, name="a.csv", period_to=end)
    second = taken_in(rows, clock, name="b.csv")
    assert (absent(), second.warnings) == ({}, [])


def test_a_receipt_that_a_covering_file_lacks_is_named(clock: Clock) -> None:
    rows = [row(f"UKN4AB12C{n}", clock()) for n in range(3)]
    taken_in(rows, clock, name="a.csv")
    second = taken_in(rows[:1], clock, name="b.csv")
    assert absent() == {"UKN4AB12C1": "b.csv", "UKN4AB12C2": "b.csv"}
    assert second.warnings[0].startswith(
        "Both this file and a.csv, uploaded before, cover 23-11-2026 00:00:00 to"
    )
    assert second.warnings[0].endswith(
        "that one names receipt UKN4AB12C1 and 1 more, and this file does not. Find out in the portal which is right."
    )


def test_a_receipt_that_an_earlier_covering_file_lacks_is_named(clock: Clock) -> None:
    taken_in([row("UKN4AB12C0", clock())], clock, name="a.csv")
    second = taken_in([row("UKN4AB12C0", clock()), row("UKN4AB12C1", clock())], clock, name="b.csv")
    assert absent() == {"UKN4AB12C1": "a.csv"}
    assert "that one does not name receipt UKN4AB12C1, and this file does." in second.warnings[0]


@pytest.mark.parametrize("genuine_first", [True, False])
def test_what_was_typed_in_an_editor_is_absent_from_the_genuine_file(
    genuine_first: bool, clock: Clock
) -> None:
    files = [("invented.csv", "DK34679ACD"), ("genuine-same-day.csv", "DKH4J6K7M9")]
    for name, code in reversed(files) if genuine_first else files:
        matched(brought(sample(name, CODE=code, CODE2=code), name, clock), clock)
    assert absent() == {"UKP7AB12CD": "genuine-same-day.csv"}
    of_invented = line("UKP7AB12CD").completed_at
    day = agreement(of_invented - timedelta(hours=12), of_invented + timedelta(hours=11))
    assert (day.disputed_receipts, day.differs) == (["UKP7AB12CD"], True)


def test_a_file_that_doesnt_say_what_it_is_of_covers_nothing(clock: Clock) -> None:
    taken_in([row("UKN4AB12C0", clock())], clock, name="a.csv")
    bare = b"\r\n".join(write_csv([row("UKN4AB12C1", clock())], head=head(clock)).splitlines()[6:])
    brought(bare, "bare.csv", clock)
    assert absent() == {"UKN4AB12C1": "a.csv"}


def test_another_short_codes_file_and_another_time_are_not_compared(clock: Clock, settings: Any) -> None:
    taken_in([row("UKN4AB12C0", clock())], clock, name="a.csv")
    settings.MPESA_BUSINESS_SHORT_CODE = "600000"
    taken_in([row("UKN4AB12C1", clock())], clock, name="b.csv", short_code="600000")
    later = wall(clock()) + timedelta(days=1)
    taken_in(
        [], clock, name="c.csv", short_code="600000", period_from=later, period_to=later + timedelta(days=1)
    )
    assert absent() == {}


def test_a_fee_that_only_one_export_has_is_no_difference(clock: Clock) -> None:
    taken_in([row("UKN4AB12CD", clock()), charge(clock())], clock, name="a.csv")
    assert taken_in([row("UKN4AB12CD", clock())], clock, name="b.csv").warnings == []


class AnyTwoFiles(TestCase):
    """Whatever two files of one day hold: marked is exactly what one of them has and the other lacks."""

    @given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
    def test_what_one_has_and_the_other_lacks(self, first: set[int], second: set[int]) -> None:
        clock = Clock()
        for name, numbers in (("a.csv", first), ("b.csv", second)):
            rows: list[Row] = [row(f"UKN4AB12C{n}", clock() + timedelta(seconds=n)) for n in sorted(numbers)]
            brought(write_csv(rows, head=head(clock, holder=name)), name, clock)
        assert absent() == {
            **{f"UKN4AB12C{n}": "b.csv" for n in first - second},
            **{f"UKN4AB12C{n}": "a.csv" for n in second - first},
        }
