"""Django's PostgreSQL with three things added: statements that say so are prepared once on each connection; its pool
hands out no connection that died while it lay there; and where the database is away, one waits for it and not each
question anew.

After a restart of the database all connections of a warm pool are dead at once. Django's CONN_HEALTH_CHECKS finds that
out too, but tries them one by one with growing pauses, until the pool's own time is over: an error for whoever comes
first. Here the first dead one has all the others looked at, and those who came get new ones.

While the database is away, whoever asks waits out the pool's time, and a callback that first asks for the time and then
wants to be stored would wait twice. Here whoever waited in vain spares the next ones, for a moment, the waiting.
"""

import select
from time import monotonic
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Error
from psycopg_pool import ConnectionPool, PoolTimeout

from djkraph.postgresql.prepared import Prepared
from djkraph.postgresql.schema import DatabaseSchemaEditor

TRUSTED_FOR = 1.0  # seconds after its last look: no database is restarted within that
AWAY_FOR = 2.0  # seconds after somebody waited in vain in which nobody else does


class Cursor(base.ServerBindingCursor):
    def execute(self, query: Any, params: Any = None, **how: Any) -> Any:
        if isinstance(query, Prepared):
            how["prepare"] = True
        return super().execute(query, params, **how)  # type: ignore[misc]  # psycopg's, behind Django's mixin


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = DatabaseSchemaEditor

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "cursor_factory": Cursor}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        pool: Any = self.pool
        if pool is None:
            return super().get_new_connection(conn_params)
        refused_before = _refused(pool)
        try:
            connection = self._next(pool, conn_params)
            if is_alive(connection):
                return connection
            pool.putconn(connection)  # it is closed by now, and the pool makes another in its place
            pool.check()
            return self._next(pool, conn_params)
        except PoolTimeout:
            if _refused(pool) > refused_before:  # else all its connections were merely in use
                pool.away_until = monotonic() + AWAY_FOR
            raise

    def _next(self, pool: Any, conn_params: dict[str, Any]) -> Any:
        if monotonic() < getattr(pool, "away_until", 0) and not pool.get_stats()["pool_available"]:
            raise PoolTimeout("The database was away a moment ago.")
        return super().get_new_connection(conn_params)


def _refused(pool: Any) -> int:
    """How often this pool could not connect."""
    found: int = pool.get_stats().get("connections_errors", 0)
    return found


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
