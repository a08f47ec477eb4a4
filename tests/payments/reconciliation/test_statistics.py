"""What PostgreSQL believes of the tables that a large statement fills: else it reads them whole for each line."""

import pytest
from django.db import connection

from payments.reconciliation import importing, matching
from tests.support.payments.clock import Clock
from tests.support.payments.stating import row, state


@pytest.mark.postgres
def test_a_large_statement_leaves_postgresql_counted(
    db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in (importing, matching):
        monkeypatch.setattr(room, "MANY", 2)
    state([row(f"UKN4AB{n:04}", clock(), 100, "WHOEVER") for n in range(3)], clock)
    assert counted() == {"payments_posting": 3, "payments_receipt": 3, "payments_statementline": 3}


def counted() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, reltuples::int FROM pg_class WHERE relname IN"
            " ('payments_receipt', 'payments_posting', 'payments_statementline')"
        )
        return dict(cursor.fetchall())
