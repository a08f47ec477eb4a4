"""`manage.py import_statement`: one line that says how the till stands, and an exit code for whoever runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from payments.models import MpesaTransaction, Statement
from payments.reconciliation import importing, matching
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.stating import head, paid_now, row, row_of, sweep
from tests.support.statements import write_csv

Click = Callable[..., MpesaTransaction]


@pytest.fixture
def run(db: None, tmp_path: Path, clock: Clock, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Runs it on a file with these rows; gives exit code, words and notes."""

    def with_rows(*rows: Any, data: bytes | None = None, **options: Any) -> tuple[int, str, str]:
        file = tmp_path / "november.csv"
        file.write_bytes(write_csv(rows, head=head(clock)) if data is None else data)
        code = 0
        try:
            call_command("import_statement", str(file), **options)
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out.strip(), said.err

    return with_rows


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def clock() -> Clock:
    """Yesterday, as the command goes by the wall clock."""
    from datetime import timedelta

    from django.utils import timezone

    clock = Clock()
    clock.now = (timezone.now() - timedelta(days=1)).replace(hour=9, minute=0, microsecond=0)
    return clock


def test_a_till_that_agrees_is_told_in_one_line(
    click: Click, safaricom: FakeDaraja, clock: Clock, run: Run
) -> None:
    known = paid_now(click, safaricom, clock, receipt="UKN4AB12CA")
    waits = click("254712345601", reference="C2")
    code, said, noted = run(row_of(known, "UKN4AB12CA"), row_of(waits), sweep(clock()), by="akinyi")
    assert (code, noted) == (0, "")
    assert said == (
        "november.csv: 3 lines. 1 line matched by receipt, 1 payment found paid. Needs a person: nothing. "
        "The till agrees to the shilling: KES 3,000 on both sides."
    )
    assert Statement.objects.get().uploaded_by == "akinyi"


def test_what_needs_a_person_ends_with_one(
    click: Click, safaricom: FakeDaraja, clock: Clock, run: Run
) -> None:
    paid_now(click, safaricom, clock)
    code, said, _ = run(row("UKN4AB12ZZ", clock(), 700))
    assert code == 1
    assert "Needs a person: 1 ours but not theirs, 1 theirs but not ours." in said
    assert "The till does not agree: we hold KES 800 more." in said


def test_the_same_file_again_stores_nothing_and_matches_what_came_since(
    click: Click, safaricom: FakeDaraja, clock: Clock, run: Run
) -> None:
    money = row("UKN4AB12CD", clock(), 1500)
    assert run(money)[0] == 1
    paid_now(click, safaricom, clock)
    code, said, _ = run(money)
    assert (code, Statement.objects.count()) == (0, 1)
    assert "known already, nothing new was stored. 1 line matched by receipt." in said
    assert "Nothing new matched." in run(money)[1]


def test_a_dry_run_stores_nothing(clock: Clock, run: Run) -> None:
    money = row("UKN4AB12CD", clock(), 1500)
    assert run(money, dry_run=True)[:2] == (
        0,
        "november.csv: 1 line, KES 1,500 paid in. Nothing was stored.",
    )
    assert Statement.objects.count() == 0
    run(money)
    assert "november.csv is known" in run(money, dry_run=True)[1]


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_broken_file_is_refused_in_a_sentence(clock: Clock, run: Run, dry_run: bool) -> None:
    data = write_csv([row("UKN4AB12CD", clock())], head=head(clock)).replace(b"1500.00", b"15O0.00")
    with pytest.raises(CommandError, match=r"Row 8: Paid In '15O0\.00' is no amount\. Nothing was stored"):
        run(data=data, dry_run=dry_run)
    assert Statement.objects.count() == 0


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: No such file"):
        call_command("import_statement", str(tmp_path / "nothing.csv"))


def test_a_database_that_is_away_is_said(clock: Clock, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_kwargs: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(importing, "earlier", away)
    with pytest.raises(CommandError, match="The database can't be reached"):
        run(row("UKN4AB12CD", clock()))


def test_what_disagrees_in_the_file_is_noted(clock: Clock, run: Run) -> None:
    data = write_csv([row("UKN4AB12CD", clock())], head=head(clock))
    lines = data.split(b"\r\n")
    lines[5] = lines[5].replace(b"1500.00", b"1600.00")
    _, _, noted = run(data=b"\r\n".join(lines))
    assert "Note: Total Paid In is 1,600.00 in the head of the file" in noted


def test_stopping_it_loses_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = paid_now(click, safaricom, clock)

    def stopped(*_args: Any, **_kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(matching, "match_some", stopped)
        code, _, noted = run(row_of(known))
    assert (code, "Nothing is lost" in noted) == (130, True)
    assert run(row_of(known))[0] == 0
