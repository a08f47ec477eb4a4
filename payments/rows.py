"""Single-row statements for the hot path (polls and callbacks), without the ORM's query building.

The ORM builds and compiles a query object at every call: of a callback that costs more than the database does
(docs/performance.md). These write the SQL once per shape; columns, adaptation and conversion are the models' own,
so that a row is the same whoever wrote it. No rule about money here, and no SQL anywhere else.
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, cast

from django.db import connection
from django.db.models import Field, Model
from django.db.models.expressions import Col

Where = Mapping[str, Any]


def select(model: type[Model], names: tuple[str, ...], where: Where) -> dict[str, Any] | None:
    """The row that matches, as the ORM's values() has it, or None."""
    with connection.cursor() as cursor:
        cursor.execute(_select_sql(model, names, tuple(where)), _adapted(model, where))
        row = cursor.fetchone()
    if row is None:
        return None
    found = dict(zip(names, row, strict=True))
    for name, convert in _converters(model, names, connection.vendor):
        found[name] = convert(found[name])
    return found


def insert(model: type[Model], values: Where) -> int:
    """A new row; fields that are not named get their model's default. Its id."""
    whole = _defaults(model) | dict(values)
    with connection.cursor() as cursor:
        cursor.execute(_insert_sql(model, tuple(whole)), _adapted(model, whole))
        return int(cursor.fetchone()[0])


def update(model: type[Model], values: Where, *, where: Where) -> int:
    """How many rows matched and were changed: 0 or 1 is the answer of a compare-and-set."""
    with connection.cursor() as cursor:
        parameters = [*_adapted(model, values), *_adapted(model, where)]
        cursor.execute(_update_sql(model, tuple(values), tuple(where)), parameters)
        return int(cursor.rowcount)


def _adapted(model: type[Model], values: Where) -> list[Any]:
    return [_field(model, name).get_db_prep_save(value, connection) for name, value in values.items()]


@cache
def _field(model: type[Model], name: str) -> "Field[Any, Any]":
    return cast("Field[Any, Any]", model._meta.get_field(name))


@cache
def _column(model: type[Model], name: str) -> str:
    return connection.ops.quote_name(str(_field(model, name).column))


@cache
def _table(model: type[Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


@cache
def _select_sql(model: type[Model], names: tuple[str, ...], where: tuple[str, ...]) -> str:
    columns = ", ".join(_column(model, name) for name in names)
    return f"SELECT {columns} FROM {_table(model)} WHERE {_matching(model, where)} LIMIT 1"  # noqa: S608


@cache
def _insert_sql(model: type[Model], names: tuple[str, ...]) -> str:
    columns = ", ".join(_column(model, name) for name in names)
    marks = ", ".join(["%s"] * len(names))
    return f"INSERT INTO {_table(model)} ({columns}) VALUES ({marks}) RETURNING {_column(model, 'id')}"  # noqa: S608


@cache
def _update_sql(model: type[Model], names: tuple[str, ...], where: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_column(model, name)} = %s" for name in names)
    return f"UPDATE {_table(model)} SET {changes} WHERE {_matching(model, where)}"  # noqa: S608


def _matching(model: type[Model], where: tuple[str, ...]) -> str:
    return " AND ".join(f"{_column(model, name)} = %s" for name in where)


@cache
def _plain_defaults(model: type[Model]) -> tuple[tuple[str, Any], ...]:
    named = [field for field in model._meta.concrete_fields if not field.primary_key]
    return tuple((field.attname, field.get_default()) for field in named)


def _defaults(model: type[Model]) -> dict[str, Any]:
    return dict(_plain_defaults(model))


def _convert(converter: Callable[[Any, Any, Any], Any], column: Col, value: Any) -> Any:
    return converter(value, column, connection)


@cache
def _converters(
    model: type[Model], names: tuple[str, ...], _vendor: str
) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """What this database gives back in another form than the model has it (SQLite: times and truth)."""
    found: list[tuple[str, Callable[[Any], Any]]] = []
    for name in names:
        column = Col(model._meta.db_table, _field(model, name))
        for converter in connection.ops.get_db_converters(column) + column.get_db_converters(connection):
            found.append((name, partial(_convert, converter, column)))
    return tuple(found)
