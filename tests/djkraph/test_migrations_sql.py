"""A migration that blocks an open shop is refused before it is merged: squawk is shown some that do."""

import pytest
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.utils import ConnectionHandler

from djkraph.migrating import (
    AddConstraintWhileOpen,
    AddIndexWhileOpen,
    ValidateConstraintWhileOpen,
    WaitAtMost,
)
from tests.support.migrations_sql import new_migrations, read, sql_of

on_postgres = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="reads PostgreSQL's SQL")

WAITS = "SET LOCAL lock_timeout = '5s';\nSET LOCAL statement_timeout = '60s';\n"
EVENTS = "payments_paymentevent"

REFUSED = {
    "require-concurrent-index-creation": f"{WAITS}CREATE INDEX by_kind ON {EVENTS} (kind);",
    "require-concurrent-index-deletion": f"{WAITS}DROP INDEX event_by_staff;",
    "ban-concurrent-index-creation-in-transaction": f"{WAITS}CREATE INDEX CONCURRENTLY by_kind ON {EVENTS} (kind);",
    "require-lock-timeout": f"ALTER TABLE {EVENTS} ADD COLUMN note text NULL;",
    "require-statement-timeout": f"SET LOCAL lock_timeout = '5s';\nALTER TABLE {EVENTS} ADD COLUMN note text NULL;",
    "constraint-missing-not-valid": f"{WAITS}ALTER TABLE {EVENTS} ADD CONSTRAINT first CHECK (number > 0);",
    "disallowed-unique-constraint": f"{WAITS}ALTER TABLE {EVENTS} ADD CONSTRAINT one UNIQUE (hash);",
    "adding-foreign-key-constraint": (
        f"{WAITS}ALTER TABLE {EVENTS} ADD CONSTRAINT of_order FOREIGN KEY (number) REFERENCES orders_order (id);"
    ),
    "adding-required-field": f"{WAITS}ALTER TABLE {EVENTS} ADD COLUMN note text NOT NULL;",
    "changing-column-type": f"{WAITS}ALTER TABLE {EVENTS} ALTER COLUMN number TYPE bigint;",
    "ban-drop-column": f"{WAITS}ALTER TABLE {EVENTS} DROP COLUMN kind;",
}


@pytest.mark.parametrize("rule", REFUSED)
def test_what_blocks_an_open_shop_is_refused(rule: str) -> None:
    answer = read(f"BEGIN;\n{REFUSED[rule]}\nCOMMIT;\n", of="wrong")
    assert answer.returncode == 1
    assert f" {rule} " in answer.stdout


@on_postgres
@pytest.mark.django_db(
    transaction=True
)  # an index that is built while the shop is open needs to stand outside of one
@pytest.mark.parametrize(("app", "name"), new_migrations())
def test_new_migrations_leave_the_shop_open(app: str, name: str) -> None:
    answer = read(sql_of(app, name), of=f"{app}/{name}")
    assert (answer.returncode, answer.stdout.strip()) == (0, "")


# --- the operations that do it right ---

INDEX = models.Index(fields=["text"], name="note_by_text")
CHECK = models.CheckConstraint(condition=~models.Q(text=""), name="note_says_something")

STEPS = [
    (False, [WaitAtMost(), AddIndexWhileOpen("Note", INDEX)]),
    (True, [WaitAtMost(), AddConstraintWhileOpen("Note", CHECK)]),
    (True, [WaitAtMost(), ValidateConstraintWhileOpen("Note", CHECK.name)]),
]


def a_shop_with_notes() -> ProjectState:
    state = ProjectState()
    fields = [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())]
    migrations.CreateModel("Note", fields).state_forwards("shop", state)
    return state


@on_postgres
@pytest.mark.django_db(transaction=True)
def test_squawk_takes_what_the_shops_own_operations_say() -> None:
    state = a_shop_with_notes()
    for number, (atomic, operations) in enumerate(STEPS):
        step = migrations.Migration(f"000{number}", "shop")
        step.operations, step.atomic = operations, atomic
        with connection.schema_editor(collect_sql=True, atomic=atomic) as editor:
            state = step.apply(state, editor, collect_sql=True)
        said = "\n".join(editor.collected_sql)
        answer = read(f"BEGIN;\n{said}\nCOMMIT;\n" if atomic else said, of=step.name)
        assert (answer.returncode, answer.stdout.strip()) == (0, "")


@pytest.mark.django_db
def test_sqlite_carries_them_out_and_takes_them_back() -> None:
    database = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})[
        "default"
    ]
    state = a_shop_with_notes()
    with database.schema_editor() as editor:
        editor.create_model(state.apps.get_model("shop", "Note"))
    added = migrations.Migration("0002", "shop")
    added.operations = [operation for _, operations in STEPS for operation in operations]
    with database.schema_editor() as editor:
        added.apply(state.clone(), editor)
    assert _named(database) >= {"note_by_text", "note_says_something"}
    with database.schema_editor() as editor:
        added.unapply(state.clone(), editor)
    assert not _named(database) & {"note_by_text", "note_says_something"}
    database.close()


def _named(database: object) -> set[str]:
    with database.cursor() as cursor:  # type: ignore[attr-defined]
        return set(database.introspection.get_constraints(cursor, "shop_note"))  # type: ignore[attr-defined]
