"""A statement is taken in once, whole or not at all, and holds each line once whatever files named it."""

import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from payments.models import Statement, StatementLine
from payments.reconciliation import importing
from payments.statement_file import StatementUnreadable
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import pay
from tests.support.payments.stating import charge, head, line, matched, row, sweep, taken_in, wall
from tests.support.statements import many, sample, write_csv, write_xlsx

pytestmark = pytest.mark.django_db


def test_the_lines_that_count_are_stored_with_what_they_say(clock: Clock) -> None:
    stated = taken_in(
        [
            row("UKN4AB12CD", clock(), 1500, "dk34679acd"),
            charge(clock()),
            sweep(clock()),
            row("UKN4AB12CE", clock(), 700, status="Failed"),
        ],
        clock,
    )
    kept = list(
        StatementLine.objects.values_list("receipt", "kind", "paid_in", "withdrawn", "account_no", "row")
    )
    assert [(r, k, float(i), float(o), a, n) for r, k, i, o, a, n in kept] == [
        ("UKN4AB12CD", "payment", 1500, 0, "DK34679ACD", 8),
        ("UKN4AB12CD", "charge", 0, 2.25, "", 9),
        ("UKNSWEEP01", "sweep", 0, 1000, "", 10),
    ]
    assert (stated.lines_in_file, stated.lines_known, stated.uploaded_by) == (3, 0, "akinyi")
    assert (stated.short_code, float(stated.total_paid_in or 0)) == ("174379", 1500)
    assert StatementLine.objects.first().completed_at == clock().replace(microsecond=0)  # type: ignore[union-attr]


def test_the_same_file_twice_changes_nothing(clock: Clock) -> None:
    data = write_csv([row("UKN4AB12CD", clock())], head=head(clock))
    first = importing.import_file(data, file_name="a.csv", by="akinyi", now=clock())
    clock.advance(hours=1)
    second = importing.import_file(data, file_name="b.csv", by="kraph", now=clock())
    assert (first.again, second.again, second.statement.pk) == (False, True, first.statement.pk)
    assert Statement.objects.get().uploaded_by == "akinyi"
    assert StatementLine.objects.count() == 1


def test_two_who_upload_it_in_the_same_moment_store_it_once(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_csv([row("UKN4AB12CD", clock())], head=head(clock))
    read_file = importing.read_file

    def and_then_another_is_first(data: bytes, *, file_name: str) -> Any:
        monkeypatch.setattr(importing, "read_file", read_file)
        importing.import_file(data, file_name=file_name, by="kraph", now=clock())
        return read_file(data, file_name=file_name)

    monkeypatch.setattr(importing, "read_file", and_then_another_is_first)
    imported = importing.import_file(data, file_name="a.csv", by="akinyi", now=clock())
    assert (imported.again, imported.statement.uploaded_by) == (True, "kraph")
    assert StatementLine.objects.count() == 1


def test_overlapping_files_bring_each_line_once(clock: Clock) -> None:
    rows = [row(f"UKN4AB12C{n}", clock() + timedelta(seconds=n)) for n in range(6)]
    taken_in(rows[:4], clock)
    second = taken_in([*rows[2:], charge(clock(), "UKN4AB12C2")], clock, name="december.csv")
    assert (second.lines_in_file, second.lines_known, second.lines.count()) == (5, 2, 3)
    assert StatementLine.objects.count() == 7


def test_a_line_that_came_with_another_amount_before_refuses_the_file(clock: Clock) -> None:
    taken_in([row("UKN4AB12CD", clock(), 1500)], clock)
    with pytest.raises(
        StatementUnreadable, match=r"Row 9: receipt UKN4AB12CD is KES 900\.00 here and KES 1,500\.00"
    ):
        taken_in([row("UKN4AB12CE", clock()), row("UKN4AB12CD", clock(), 900)], clock, name="other.csv")
    assert (Statement.objects.count(), StatementLine.objects.count()) == (1, 1)


def test_another_shops_statement_is_refused(clock: Clock) -> None:
    with pytest.raises(StatementUnreadable) as refused:
        taken_in([row("UKN4AB12CD", clock())], clock, short_code="600000")
    assert str(refused.value) == (
        "This is the statement of short code 600000; the shop's is 174379. Nothing was stored; export the "
        "statement of the shop's own short code and upload that."
    )
    assert Statement.objects.count() == 0


def test_a_tills_statement_may_name_the_till_or_its_store_number(clock: Clock, settings: Any) -> None:
    settings.MPESA_TRANSACTION_TYPE = "CustomerBuyGoodsOnline"
    settings.MPESA_BUSINESS_SHORT_CODE, settings.MPESA_TILL_NUMBER = "600000", "600001"
    taken_in([row("UKN4AB12CD", clock())], clock, short_code="600000")
    taken_in([row("UKN4AB12CE", clock())], clock, short_code="600001")
    assert Statement.objects.count() == 2


def test_a_file_that_names_no_short_code_is_taken_with_a_warning(clock: Clock) -> None:
    stated = taken_in([row("UKN4AB12CD", clock())], clock, short_code="")
    assert "does not say of which short code" in " ".join(stated.warnings)


def test_a_broken_row_is_named_and_nothing_is_stored(clock: Clock) -> None:
    rows = [row(f"UKN4AB12C{n}", clock()) for n in range(3)]
    data = write_csv(rows, head=head(clock)).replace(b"1500.00", b"1500.00", 1)
    broken = data.replace(b"UKN4AB12C2", b"0712345678")
    with pytest.raises(StatementUnreadable, match=r"Row 10: .*is no M-PESA receipt number"):
        importing.import_file(broken, file_name="a.csv", by="akinyi", now=clock())
    assert (Statement.objects.count(), StatementLine.objects.count()) == (0, 0)


def test_a_database_that_fails_half_way_leaves_nothing(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "BATCH", 2)
    told: list[int] = []

    def fail_at_four(done: int, _total: int) -> None:
        told.append(done)
        if done == 4:
            raise DatabaseError

    rows = [row(f"UKN4AB12C{n}", clock()) for n in range(6)]
    data = write_csv(rows, head=head(clock))
    with pytest.raises(DatabaseError):
        importing.import_file(data, file_name="a.csv", by="akinyi", now=clock(), progress=fail_at_four)
    assert told == [2, 4]
    assert (Statement.objects.count(), StatementLine.objects.count()) == (0, 0)


def test_an_excel_file_is_the_same_statement(clock: Clock) -> None:
    rows = [row("UKN4AB12CD", clock(), 1500, "DK34679ACD"), sweep(clock())]
    data = write_xlsx(rows, head=head(clock))
    importing.import_file(data, file_name="november.xlsx", by="akinyi", now=clock())
    again = taken_in(rows, clock)
    assert (again.lines_in_file, again.lines_known) == (2, 2)


@pytest.mark.parametrize("days", [-40, 2])
def test_lines_outside_the_heads_period_do_not_stretch_it(days: int, clock: Clock) -> None:
    of_the_day = taken_in([row("UKN4AB12CE", clock())], clock)
    other_day = clock() + timedelta(days=days)
    stated = taken_in([row("UKN4AB12CD", other_day), row("UKN4AB12CE", clock())], clock, name="b.csv")
    assert (stated.period_from, stated.period_to) == (of_the_day.period_from, of_the_day.period_to)
    assert "outside the statement's time period" in " ".join(stated.warnings)
    assert line("UKN4AB12CD").completed_at == other_day.replace(microsecond=0)
    assert matched(stated, clock).nobodys == 2  # on its own day, but not forgotten


def test_a_statement_made_before_its_period_ends_covers_the_time_until_then(clock: Clock) -> None:
    data = write_csv([row("UKN4AB12CD", clock())], head=head(clock))
    made = f"{wall(clock()) + timedelta(hours=1):%d-%m-%Y %H:%M:%S}".encode()
    early = re.sub(rb"Date of Report:,[^\r]*", b"Date of Report:," + made, data)
    stated = importing.import_file(early, file_name="a.csv", by="akinyi", now=clock()).statement
    assert stated.period_to == clock().replace(microsecond=0) + timedelta(hours=1) - importing.LAG
    assert "before its time period ends" in " ".join(stated.warnings)


def test_a_period_that_ends_before_it_begins_is_none(clock: Clock) -> None:
    day = wall(clock())
    stated = taken_in([row("UKN4AB12CD", clock())], clock, period_from=day, period_to=day - timedelta(days=3))
    assert stated.period_from == stated.period_to == clock().replace(microsecond=0)


# --- whose statement it is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "account",
    [
        "Organization Settlement Account",
        "Working Account",
        "Charges Paid Account",
        "Organization MMF Account",
    ],
)
def test_another_account_of_the_short_code_is_told_apart(account: str, clock: Clock) -> None:
    with pytest.raises(StatementUnreadable) as refused:
        taken_in([row("UKN4AB12CD", clock())], clock, account=account)
    assert str(refused.value) == (
        f"This is the statement of the account “{account}”; buyers pay into the Utility Account or the Merchant "
        "Account. Nothing was stored; export the statement of the Utility Account or the Merchant Account of the same "
        "short code and upload that."
    )
    assert Statement.objects.count() == 0


@pytest.mark.parametrize("account", ["Utility Account", "Merchant Account", "utility account - 174379", ""])
def test_the_accounts_that_buyers_pay_into_are_taken(account: str, clock: Clock) -> None:
    assert taken_in([row("UKN4AB12CD", clock())], clock, account=account).pk


def test_the_settlement_accounts_statement_as_the_portal_writes_it(clock: Clock) -> None:
    with pytest.raises(StatementUnreadable, match=r"Organization Settlement Account.*Utility Account"):
        importing.import_file(sample("other-account.csv"), file_name="a.csv", by="akinyi", now=clock())


def test_a_short_code_that_payments_were_asked_under_is_still_the_shops(
    click: Any, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    paid = pay(click, safaricom, clock, receipt="UKP1AB12CD")
    settings.MPESA_BUSINESS_SHORT_CODE = "600999"
    data = sample("old-short-code.csv", CODE=paid.account_reference)
    stated = importing.import_file(data, file_name="a.csv", by="akinyi", now=clock()).statement
    assert matched(stated, clock).by_receipt == 1
    never = data.replace(b"Short Code:,174379", b"Short Code:,600000")
    with pytest.raises(StatementUnreadable, match="short code 600000; the shop's is 600999"):
        importing.import_file(never, file_name="b.csv", by="akinyi", now=clock())


def test_the_newer_export_pays_what_it_names(clock: Clock) -> None:
    name = "Statements for 174379 from 2026-11-25 to 2026-11-25.csv"
    stated = importing.import_file(sample(name), file_name=name, by="akinyi", now=clock()).statement
    assert (stated.short_code, stated.lines_in_file, stated.warnings) == ("174379", 3, [])
    assert line("UKP4WD0003", "sweep").withdrawn == 2500


# --- one receipt, one line ------------------------------------------------------------------------------


def test_a_payment_and_its_fee_under_another_reason_type_are_known(clock: Clock) -> None:
    taken_in([row("UKN4AB12CD", clock()), charge(clock())], clock)
    bill = row("UKN4AB12CD", clock(), reason_type="Pay Bill")
    fee = replace(charge(clock()), reason_type="Pay Bill Charge")
    again = taken_in([bill, fee], clock, name="newer.csv")
    assert (again.lines_in_file, again.lines_known, StatementLine.objects.count()) == (2, 2, 2)


def test_a_payment_in_another_amount_under_another_reason_type_refuses_the_file(clock: Clock) -> None:
    taken_in([row("UKN4AB12CD", clock(), 1500)], clock)
    with pytest.raises(StatementUnreadable, match=r"is KES 900\.00 here and KES 1,500\.00"):
        taken_in([row("UKN4AB12CD", clock(), 900, reason_type="Pay Bill")], clock, name="other.csv")


# --- the file itself ------------------------------------------------------------------------------------


def test_the_file_is_kept_as_it_came_for_the_shop_alone(clock: Clock) -> None:
    data = write_csv([row("UKN4AB12CD", clock())], head=head(clock))
    stated = importing.import_file(data, file_name="a.csv", by="akinyi", now=clock()).statement
    path = importing.kept_file(stated)
    assert path is not None
    assert path.read_bytes() == data
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    importing.import_file(data, file_name="again.csv", by="kraph", now=clock())
    assert [each.read_bytes() for each in path.parent.glob("*")].count(data) == 1


def test_a_file_that_is_refused_is_not_kept(clock: Clock, settings: Any, tmp_path: Path) -> None:
    settings.STATEMENTS_DIR = str(tmp_path / "files")
    with pytest.raises(StatementUnreadable):
        taken_in([row("UKN4AB12CD", clock())], clock, short_code="600000")
    assert not list(tmp_path.rglob("*.*"))


def test_a_file_that_cant_be_kept_is_not_taken(clock: Clock, settings: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    settings.STATEMENTS_DIR = str(tmp_path / "file" / "no-folder")
    with pytest.raises(StatementUnreadable, match="could not be kept"):
        taken_in([row("UKN4AB12CD", clock())], clock)
    assert Statement.objects.count() == 0


def test_files_are_erased_after_their_time_and_what_was_read_stays(
    clock: Clock, settings: Any, tmp_path: Path
) -> None:
    settings.STATEMENTS_DIR, settings.STATEMENT_FILES_DAYS = str(tmp_path), 30
    stated = taken_in([row("UKN4AB12CD", clock())], clock)
    (tmp_path / "notes.txt").write_text("not ours")
    path = importing.kept_file(stated)
    assert path is not None
    os.utime(path, (clock().timestamp(), clock().timestamp()))
    assert importing.erase_old_files(now=clock() + timedelta(days=29)) == 0
    assert importing.erase_old_files(now=clock() + timedelta(days=31)) == 1
    assert importing.kept_file(stated) is None
    assert ((tmp_path / "notes.txt").exists(), StatementLine.objects.count()) == (True, 1)


def test_no_phone_number_is_kept(clock: Clock) -> None:
    taken_in([row("UKN4AB12CD", clock(), other_party="0712345678 - WANJIRU")], clock, name="0712345678.csv")
    kept = str(list(StatementLine.objects.values())) + str(list(Statement.objects.values()))
    assert "712345678" not in kept


def test_overlapping_files_in_the_same_moment_bring_each_line_once(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees the other's lines before it writes its own: the database leaves them out."""
    taken_in([row("UKN4AB12CD", clock())], clock)
    monkeypatch.setattr(importing, "_not_known", list)
    second = taken_in([row("UKN4AB12CD", clock()), row("UKN4AB12CE", clock())], clock, name="b.csv")
    assert (second.lines_known, second.lines.count(), StatementLine.objects.count()) == (1, 1, 2)


def test_few_queries_for_many_lines(clock: Clock, django_assert_max_num_queries: Any) -> None:
    data = write_csv(many(3000), head=head(clock))
    with django_assert_max_num_queries(15):
        importing.import_file(data, file_name="a.csv", by="akinyi", now=clock())
    assert StatementLine.objects.count() == 3000
