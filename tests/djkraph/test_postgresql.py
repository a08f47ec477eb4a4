"""A connection that is looked at before it is handed out is as it was: no transaction is left open on it."""

import pytest
from django.db import connection
from psycopg.pq import TransactionStatus

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own"),
]


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_look_leaves_no_transaction_open(autocommit: bool) -> None:
    """A connection that was let go in the middle of a transaction lies in the pool with autocommit off."""
    from djkraph.postgresql.base import is_alive

    connection.ensure_connection()
    ours = connection.connection
    ours.autocommit = autocommit
    ours.looked_at = 0
    assert is_alive(ours)
    assert ours.info.transaction_status == TransactionStatus.IDLE
    assert ours.autocommit is autocommit
    ours.autocommit = True
