"""Single-row statements for the hot path (polls, callbacks, pushes), and rows by the thousand, without the ORM's
query building.

The ORM builds and compiles a query object at every call: of a callback that costs more than the database does
(docs/performance.md). These write the SQL once per shape; columns, adaptation and conversion are the models' own,
so that a row is the same whoever wrote it. No rule about money here, and no SQL anywhere else.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache, partial
from types import MappingProxyType
from typing import Any, TypeVar, cast

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    Field,
    ForeignKey,
    IntegerField,
    Model,
    TextField,
)
from django.db.models.expressions import Col

from djkraph.postgresql.prepared import Prepared

Where = Mapping[str, Any]
Shape = TypeVar("Shape")
Fields = Sequence["Field[Any, Any]"]
Adapter = Callable[[Any, BaseDatabaseWrapper], Any]
# a database takes the values of these as a model holds them
PLAIN = (CharField, TextField, BooleanField, IntegerField, ForeignKey)


@dataclass(frozen=True, slots=True)
class Statement:
    """One shape of statement: its SQL, and the fields its values are for."""

    sql: Prepared
    adapters: Sequence[Adapter | None]  # None: its values go to the database as they are
    conversions: Sequence[tuple[str, Callable[[Any], Any]]] = ()

    def adapted(self, values: Iterable[Any], database: BaseDatabaseWrapper) -> list[Any]:
        """The values as this database takes them."""
        return [
            value if adapt is None else adapt(value, database)
            for adapt, value in zip(self.adapters, values, strict=True)
        ]


def select(model: type[Model], shape: type[Shape], where: Where) -> Shape | None:
    """The row that matches, or None. `shape`: a dataclass whose fields are the columns that are read, by their names
    and as the ORM's values() has them."""
    database = connections[DEFAULT_DB_ALIAS]
    statement, names = _select(model, cast("Any", shape), tuple(where), database.vendor)
    with database.cursor() as cursor:
        cursor.execute(statement.sql, statement.adapted(where.values(), database))
        row = cursor.fetchone()
    if row is None:
        return None
    found = dict(zip(names, row, strict=True))
    for name, convert in statement.conversions:
        found[name] = convert(found[name])
    return shape(**found)


def select_id(model: type[Model], where: Where) -> int | None:
    """The id of a row that matches, or None: there is none."""
    found = select(model, _Id, where)
    return found.id if found else None


def insert(model: type[Model], values: Where) -> int:
    """A new row; fields that are not named get their model's default. Its id."""
    database = connections[DEFAULT_DB_ALIAS]
    statement, defaults = _insert(model, tuple(values), database.vendor)
    with database.cursor() as cursor:
        cursor.execute(statement.sql, statement.adapted((*values.values(), *defaults), database))
        ((new_id,),) = cursor.fetchall()  # to the end: outside a transaction SQLite commits there
    return int(new_id)


def insert_unless_there(model: type[Model], values: Where) -> int | None:
    """A new row and its id. None: a unique constraint has another in its place, and nothing was written."""
    database = connections[DEFAULT_DB_ALIAS]
    statement, defaults = _insert(model, tuple(values), database.vendor, or_nothing=True)
    with database.cursor() as cursor:
        cursor.execute(statement.sql, statement.adapted((*values.values(), *defaults), database))
        rows = cursor.fetchall()
    return int(rows[0][0]) if rows else None


def insert_new(model: type[Model], names: tuple[str, ...], values: Iterable[Sequence[Any]]) -> None:
    """Many new rows, save those that a unique constraint refuses. Every column is named, in the order of `names`."""
    database = connections[DEFAULT_DB_ALIAS]
    statement = _insert_new(model, names, database.vendor)
    parameters = [statement.adapted(row, database) for row in values]
    if not parameters:
        return
    with database.cursor() as cursor:
        if database.vendor == "postgresql":  # one statement with an array a column
            cursor.execute(statement.sql, [list(column) for column in zip(*parameters, strict=True)])
        else:
            cursor.executemany(statement.sql, parameters)


def refresh_statistics(model: type[Model]) -> None:
    """After very many new rows: until PostgreSQL looks by itself, it would plan as if there were none."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor == "postgresql":
        with database.cursor() as cursor:
            cursor.execute(f"ANALYZE {_table(model)}")


def transactions_under_way() -> tuple[int, int]:
    """(the oldest transaction that still runs, the next one to begin), as PostgreSQL numbers those that write. On
    SQLite none runs beside another."""
    database = connections[DEFAULT_DB_ALIAS]
    if database.vendor != "postgresql":
        return 0, 0
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(now)::text::bigint, pg_snapshot_xmax(now)::text::bigint"
            " FROM pg_current_snapshot() AS now"
        )
        ((oldest, following),) = cursor.fetchall()
    return oldest, following


def update(
    model: type[Model], values: Where, *, where: Where, add: Mapping[str, int] = MappingProxyType({})
) -> int:
    """How many rows matched and were changed: 0 or 1 is the answer of a compare-and-set. `add`: numbers to add to what
    stands in these columns."""
    database = connections[DEFAULT_DB_ALIAS]
    statement = _update(model, tuple(values), tuple(add), tuple(where), database.vendor)
    parameters = (*values.values(), *add.values(), *where.values())
    with database.cursor() as cursor:
        cursor.execute(statement.sql, statement.adapted(parameters, database))
        return int(cursor.rowcount)


# minutes since 1970, by the database's clock
_MINUTE = {
    "postgresql": "(EXTRACT(EPOCH FROM clock_timestamp())::bigint / 60)",
    "sqlite": "(CAST(strftime('%%s', 'now') AS INTEGER) / 60)",
}


def count_up(model: type[Model], key: str, by: int, *, minutes: int) -> int:
    """Adds to the count of this key in these minutes, in one statement, and says what it is then. They are counted in
    the row of their first."""
    database = connections[DEFAULT_DB_ALIAS]
    table = _table(model)
    with database.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (minute, key, count) VALUES ({_MINUTE[database.vendor]} / %s * %s, %s, %s)"  # noqa: S608
            f" ON CONFLICT (minute, key) DO UPDATE SET count = {table}.count + EXCLUDED.count RETURNING count",
            [minutes, minutes, key, by],
        )
        ((count,),) = cursor.fetchall()
    return int(count)


def forget_minutes(model: type[Model], *, older_than: int) -> int:
    """How many counts were removed."""
    database = connections[DEFAULT_DB_ALIAS]
    with database.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {_table(model)} WHERE minute < {_MINUTE[database.vendor]} - %s",  # noqa: S608
            [older_than],
        )
        return int(cursor.rowcount)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Id:
    id: int


@cache
def _select(
    model: type[Model], shape: type[Any], where: tuple[str, ...], vendor: str
) -> tuple[Statement, tuple[str, ...]]:
    names = tuple(column.name for column in fields(shape))
    columns = ", ".join(_column(model, name) for name in names)
    statement = Statement(
        Prepared(f"SELECT {columns} FROM {_table(model)} WHERE {_each(model, where, ' AND ')} LIMIT 1"),  # noqa: S608
        _adapters(_fields(model, where), vendor),
        _conversions(model, names),
    )
    return statement, names


@cache
def _insert(
    model: type[Model], names: tuple[str, ...], vendor: str, *, or_nothing: bool = False
) -> tuple[Statement, tuple[Any, ...]]:
    """The statement, and the values of the fields that are not named. (A default of NULL needs no mention.)"""
    own = {_field(model, name) for name in names}
    others = [f for f in model._meta.concrete_fields if not (f.primary_key or f in own)]
    filled = [(f, f.get_default()) for f in others if f.get_default() is not None]
    into = (*_fields(model, names), *(field for field, _ in filled))
    columns = ", ".join(_column(model, field.name) for field in into)
    marks = ", ".join(["%s"] * len(into))
    unless = " ON CONFLICT DO NOTHING" if or_nothing else ""
    sql = f"INSERT INTO {_table(model)} ({columns}) VALUES ({marks}){unless} RETURNING {_column(model, 'id')}"  # noqa: S608
    return Statement(Prepared(sql), _adapters(into, vendor)), tuple(default for _, default in filled)


@cache
def _update(
    model: type[Model], names: tuple[str, ...], added: tuple[str, ...], where: tuple[str, ...], vendor: str
) -> Statement:
    columns = [(_column(model, name), name in added) for name in names + added]
    changes = ", ".join(f"{column} = {column} + %s" if adds else f"{column} = %s" for column, adds in columns)
    return Statement(
        Prepared(f"UPDATE {_table(model)} SET {changes} WHERE {_each(model, where, ' AND ')}"),  # noqa: S608
        _adapters(_fields(model, names + added + where), vendor),
    )


@cache
def _insert_new(model: type[Model], names: tuple[str, ...], vendor: str) -> Statement:
    """On PostgreSQL it takes an array a column, elsewhere a value."""
    into = _fields(model, names)
    values = f"VALUES ({', '.join(['%s'] * len(into))})"
    if vendor == "postgresql":
        arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in into)
        values = f"SELECT * FROM UNNEST({arrays})"  # noqa: S608 — names of ours
    columns = ", ".join(_column(model, name) for name in names)
    sql = f"INSERT INTO {_table(model)} ({columns}) {values} ON CONFLICT DO NOTHING"
    return Statement(Prepared(sql), _adapters(into, vendor))


def _adapters(fields: Fields, vendor: str) -> Sequence[Adapter | None]:
    """How each field's values are prepared for this database."""
    plain = (*PLAIN, DateTimeField) if vendor == "postgresql" else PLAIN
    return [None if isinstance(field, plain) else field.get_db_prep_save for field in fields]


def _each(model: type[Model], names: tuple[str, ...], between: str) -> str:
    return between.join(f"{_column(model, name)} = %s" for name in names)


def _fields(model: type[Model], names: Iterable[str]) -> Fields:
    return tuple(_field(model, name) for name in names)


def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))


def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(_field(model, name).column))


def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def _convert(converter: Callable[[Any, Any, Any], Any], column: Col, value: Any) -> Any:
    return converter(value, column, connection)


def _conversions(model: type[Model], names: tuple[str, ...]) -> list[tuple[str, Callable[[Any], Any]]]:
    """What this database gives back in another form than the model has it (SQLite: times and truth)."""
    found: list[tuple[str, Callable[[Any], Any]]] = []
    for name in names:
        column = Col(model._meta.db_table, _field(model, name))
        for converter in connection.ops.get_db_converters(column) + column.get_db_converters(connection):
            found.append((name, partial(_convert, converter, column)))
    return found
