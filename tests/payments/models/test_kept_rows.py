"""What was recorded stays: the database refuses to change or remove an event, whoever asks and however."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler

from djkraph import sql
from djkraph.migrating import KeepRows, KeepRowsAgain
from payments.models import MpesaTransaction, PaymentEvent
from tests.support.tampering import KEPT, tampering

pytestmark = pytest.mark.django_db

on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL's own word")

TABLE = "payments_paymentevent"


@pytest.fixture
def attempt(click: Callable[..., MpesaTransaction]) -> MpesaTransaction:
    """Wanjiru's, with two events."""
    return click()


def raw(statement: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def edited(event: PaymentEvent) -> None:
    event.facts = {"receipt": "FORGED0001"}
    event.save()


WAYS: dict[str, Callable[[PaymentEvent], Any]] = {
    "save": edited,
    "update": lambda event: PaymentEvent.objects.update(source="staff"),
    "bulk_update": lambda event: PaymentEvent.objects.bulk_update([event], ["facts"]),
    "delete": lambda event: event.delete(),
    "delete of many": lambda event: PaymentEvent.objects.all().delete(),
    "raw delete": lambda event: PaymentEvent.objects.all()._raw_delete("default"),
    "our own update": lambda event: sql.update(PaymentEvent, {"kind": "declined"}, where={"id": event.pk}),
    "UPDATE": lambda event: raw(f"UPDATE {TABLE} SET number = number + 1"),
    "DELETE": lambda event: raw(f"DELETE FROM {TABLE}"),
    "put in its place": lambda event: raw(
        f"INSERT INTO {TABLE} SELECT * FROM {TABLE} WHERE TRUE ON CONFLICT (id) DO UPDATE SET kind = 'declined'"
    ),
}


def everything() -> list[Any]:
    return list(PaymentEvent.objects.order_by("id").values())


@pytest.mark.parametrize("way", WAYS)
def test_no_event_is_changed_or_removed(way: str, attempt: MpesaTransaction) -> None:
    before = everything()
    assert before
    refused = pytest.raises(IntegrityError, match="is refused: its rows stay as they were written")
    with refused, transaction.atomic():
        WAYS[way](PaymentEvent.objects.latest("id"))
    assert everything() == before


@on_postgres
@pytest.mark.parametrize("statement", [f"TRUNCATE {TABLE}", "TRUNCATE orders_order CASCADE"])
def test_the_table_is_not_emptied(statement: str, attempt: MpesaTransaction) -> None:
    raw("SET CONSTRAINTS ALL IMMEDIATE")  # else what the test has just written would stand in the way
    with (
        pytest.raises(IntegrityError, match="TRUNCATE of payments_paymentevent is refused"),
        transaction.atomic(),
    ):
        raw(statement)
    assert everything()


def test_other_tables_are_not_kept(attempt: MpesaTransaction) -> None:
    assert MpesaTransaction.objects.update(next_check_at=None) == 1


def triggers() -> set[tuple[str, str]]:
    """(table, what its triggers refuse), as the database has them after all migrations."""
    if connection.vendor == "postgresql":
        found = (
            "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
        )
    else:
        found = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(found)
        return {
            (table, word)
            for table, definition in cursor.fetchall()
            for word in ("UPDATE", "DELETE", "TRUNCATE")
            if table.startswith(("orders_", "payments_"))  # a library keeps triggers of its own
            and word in definition.split(" ON ")[0]
        }


def test_the_triggers_are_there_after_all_migrations() -> None:
    words = ("UPDATE", "DELETE", "TRUNCATE") if connection.vendor == "postgresql" else ("UPDATE", "DELETE")
    assert triggers() == {(table, word) for table in KEPT for word in words}


def test_what_a_test_lifts_is_back_afterwards(attempt: MpesaTransaction) -> None:
    before = triggers()
    with tampering():
        PaymentEvent.objects.update(source="staff")
    assert triggers() == before
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentEvent.objects.update(source="push")


@on_postgres
def test_the_migration_can_be_taken_back() -> None:
    keep, state = KeepRows("PaymentEvent"), ProjectState.from_apps(apps)
    with connection.schema_editor() as editor:
        keep.database_backwards("payments", editor, state, state)
        assert TABLE not in {table for table, _ in triggers()}
        keep.database_forwards("payments", editor, state, state)
    assert {table for table, _ in triggers()} == set(KEPT)


# --- a table that SQLite makes anew ---


@pytest.fixture
def note() -> Iterator[Any]:
    """A SQLite of its own with one kept table, `shop_note`, and what migrates it."""
    database = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})[
        "default"
    ]
    fields = [("id", models.BigAutoField(primary_key=True)), ("text", models.CharField(max_length=9))]
    first = migration("0001", migrations.CreateModel("Note", fields), KeepRows("Note"))
    state = ProjectState()
    with database.schema_editor() as editor:
        state = first.apply(state, editor)
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO shop_note (text) VALUES ('first')")
    yield database, state
    database.close()


def migration(name: str, *operations: Any) -> migrations.Migration:
    made = migrations.Migration(name, "shop")
    made.operations = list(operations)
    return made


def is_kept(database: Any) -> bool:
    with database.cursor() as cursor:
        for statement in ("UPDATE shop_note SET text = 'second'", "DELETE FROM shop_note"):
            try:
                cursor.execute(statement)
            except IntegrityError:
                continue
            return False
        cursor.execute("SELECT text FROM shop_note")
        return bool(cursor.fetchall() == [("first",)])


WIDER = migrations.AlterField("Note", "text", models.CharField(max_length=99, null=True))


def test_a_table_made_anew_would_lose_its_triggers(note: tuple[Any, ProjectState]) -> None:
    database, state = note
    assert is_kept(database)
    with database.schema_editor() as editor:
        migration("0002", WIDER).apply(state, editor)
    assert not is_kept(database)


def test_a_table_made_anew_is_kept_again_on_both_ways(note: tuple[Any, ProjectState]) -> None:
    database, state = note
    wider = migration("0002", KeepRowsAgain("Note"), WIDER, KeepRowsAgain("Note"))
    with database.schema_editor() as editor:
        wider.apply(state.clone(), editor)
    assert is_kept(database)
    with database.schema_editor() as editor:
        wider.unapply(state.clone(), editor)
    assert is_kept(database)
