"""Django's PostgreSQL with one thing added: its pool hands out no connection that died while it lay there.

After a restart of the database all connections of a warm pool are dead at once. Django's CONN_HEALTH_CHECKS finds that
out too, but tries them one by one with growing pauses, until the pool's own time is over: an error for whoever comes
first. Here the first dead one has all the others looked at, and those who came get new ones.
"""

import select
from time import monotonic
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Error
from psycopg_pool import ConnectionPool

TRUSTED_FOR = 1.0  # seconds after its last look: no database is restarted within that


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        pool: Any = self.pool
        if pool is None or is_alive(connection):
            return connection
        pool.putconn(connection)  # it is closed by now, and the pool makes another in its place
        pool.check()
        return super().get_new_connection(conn_params)


def is_alive(connection: Any) -> bool:
    """Whether the database is still at its other end. A connection that was looked at a moment ago, and on which
    nothing has come since (a server that ends says so), is not asked again: that would cost each poll a question."""
    now = monotonic()
    fresh = now - getattr(connection, "looked_at", -TRUSTED_FOR) < TRUSTED_FOR
    connection.looked_at = now
    if fresh and not _has_news(connection):
        return True
    try:
        # leaves no transaction open, also where autocommit is off
        ConnectionPool.check_connection(connection)
    except Error:
        return False
    return True


def _has_news(connection: Any) -> bool:
    try:
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        return bool(socket.poll(0))
    except Error:  # it is closed already
        return True
