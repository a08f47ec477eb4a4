"""What Django's migrations have no word for, on both databases. Each shows its SQL to sqlmigrate, so that it can be
read before it is run."""

from collections.abc import Sequence
from typing import Any, Protocol

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db.migrations.operations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import CharField, TextField

ROWS, WHOLE = "{table}_is_kept", "{table}_is_kept_whole"

POSTGRES = (
    """CREATE FUNCTION {table}_is_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: its rows stay as they were written', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$""",
    f"""CREATE TRIGGER {ROWS} BEFORE UPDATE OR DELETE ON {{table}}
    FOR EACH ROW EXECUTE FUNCTION {{table}}_is_kept()""",
    f"""CREATE TRIGGER {WHOLE} BEFORE TRUNCATE ON {{table}}
    FOR EACH STATEMENT EXECUTE FUNCTION {{table}}_is_kept()""",
)
POSTGRES_REVERSED = (
    f"DROP TRIGGER {WHOLE} ON {{table}}",
    f"DROP TRIGGER {ROWS} ON {{table}}",
    "DROP FUNCTION {table}_is_kept()",
)
SQLITE = tuple(
    f"""CREATE TRIGGER IF NOT EXISTS {ROWS}_{word.lower()} BEFORE {word} ON {{table}}
BEGIN SELECT RAISE(ABORT, '{word} of {{table}} is refused: its rows stay as they were written'); END"""
    for word in ("UPDATE", "DELETE")
)
SQLITE_REVERSED = tuple(f"DROP TRIGGER IF EXISTS {ROWS}_{word}" for word in ("delete", "update"))


# the same, where a row may change in some of its columns
POSTGRES_TOLD = (
    POSTGRES[0],
    f"""CREATE TRIGGER {ROWS} BEFORE UPDATE ON {{table}}
    FOR EACH ROW WHEN (CHANGED) EXECUTE FUNCTION {{table}}_is_kept()""",
    f"""CREATE TRIGGER {ROWS}_all BEFORE DELETE ON {{table}}
    FOR EACH ROW EXECUTE FUNCTION {{table}}_is_kept()""",
    POSTGRES[2],
)
POSTGRES_TOLD_REVERSED = (f"DROP TRIGGER {ROWS}_all ON {{table}}", *POSTGRES_REVERSED)
SQLITE_TOLD = (SQLITE[0].replace("\nBEGIN", "\nWHEN CHANGED\nBEGIN"), SQLITE[1])


class Editor(Protocol):
    """As much of Django's schema editor as is needed here."""

    connection: Any

    def execute(self, sql: str, params: None) -> None: ...


def keep_rows(schema_editor: Editor, table: str) -> None:
    """From now on this table's rows are only added: the database refuses every change of one, and every removal."""
    _run(schema_editor, table, POSTGRES if schema_editor.connection.vendor == "postgresql" else SQLITE)


def let_told_go(schema_editor: Editor, table: str) -> None:
    vendor = schema_editor.connection.vendor
    _run(schema_editor, table, POSTGRES_TOLD_REVERSED if vendor == "postgresql" else SQLITE_REVERSED)


def let_rows_go(schema_editor: Editor, table: str) -> None:
    vendor = schema_editor.connection.vendor
    _run(schema_editor, table, POSTGRES_REVERSED if vendor == "postgresql" else SQLITE_REVERSED)


def keep_told(schema_editor: Editor, table: str, *, told: Sequence[str], once: Sequence[str]) -> None:
    """From now on the columns `told` of this table stay as they were written, those of `once` from when they are filled
    in, and no row is removed."""
    changed = " OR ".join(
        (
            *(_differs(schema_editor, column) for column in told),
            *(f"(OLD.{column} IS NOT NULL AND {_differs(schema_editor, column)})" for column in once),
        )
    )
    of_vendor = POSTGRES_TOLD if schema_editor.connection.vendor == "postgresql" else SQLITE_TOLD
    _run(schema_editor, table, tuple(statement.replace("CHANGED", changed) for statement in of_vendor))


def _differs(schema_editor: Editor, column: str) -> str:
    differs = "IS DISTINCT FROM" if schema_editor.connection.vendor == "postgresql" else "IS NOT"
    return f"OLD.{column} {differs} NEW.{column}"


def _run(schema_editor: Editor, table: str, statements: tuple[str, ...]) -> None:
    for statement in statements:
        schema_editor.execute(statement.format(table=table), params=None)


class KeepRows(Operation):
    """The database refuses UPDATE, DELETE and TRUNCATE of a model's table."""

    reversible = True

    def __init__(self, model_name: str) -> None:
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's models know nothing of triggers."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        keep_rows(schema_editor, self._table(app_label, to_state))

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        let_rows_go(schema_editor, self._table(app_label, from_state))

    def _table(self, app_label: str, state: ProjectState) -> str:
        return str(state.apps.get_model(app_label, self.model_name)._meta.db_table)

    def describe(self) -> str:
        return f"Keep the rows of {self.model_name} as they were written"


class KeepTold(KeepRows):
    """The database refuses DELETE and TRUNCATE of a model's table, and UPDATE of what was told: of the columns `told`,
    and of those in `once` that hold something already."""

    def __init__(self, model_name: str, *, told: Sequence[str], once: Sequence[str]) -> None:
        super().__init__(model_name)
        self.told = told
        self.once = once

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        keep_told(schema_editor, self._table(app_label, to_state), told=self.told, once=self.once)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        let_told_go(schema_editor, self._table(app_label, from_state))

    def describe(self) -> str:
        return f"Keep what rows of {self.model_name} were told"


class KeepRowsAgain(KeepRows):
    """First and last in a migration that has SQLite make such a table anew (nearly every AlterField does): a table that
    is made anew has no triggers. First, for the way back."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            keep_rows(schema_editor, self._table(app_label, to_state))

    database_backwards = database_forwards


class KeepToldAgain(KeepTold):
    """As KeepRowsAgain, for a table of which only what was told is kept."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    database_backwards = database_forwards


class WaitAtMost(Operation):
    """First in a migration: on PostgreSQL it gives up rather than queue behind a long transaction with every payment
    queueing behind it. Run it again then."""

    reversible = True

    def __init__(self, *, lock_seconds: int = 5, statement_seconds: int = 60) -> None:
        self.lock_seconds = lock_seconds
        self.statement_seconds = statement_seconds

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing of the models."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor == "postgresql":
            until = "LOCAL " if schema_editor.atomic_migration else ""  # else: for this connection
            schema_editor.execute(f"SET {until}lock_timeout = '{self.lock_seconds}s'", params=None)
            schema_editor.execute(f"SET {until}statement_timeout = '{self.statement_seconds}s'", params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """What is taken back is taken back without hurry."""

    def describe(self) -> str:
        return f"Wait for a lock {self.lock_seconds} seconds at most"


class _Nothing(Operation):
    def database_forwards(self, *given: Any) -> None: ...

    def database_backwards(self, *given: Any) -> None: ...


class _WhileOpen(Operation):
    """On PostgreSQL as Django's own operation does it; SQLite has a word of its own for it, or none."""

    on_sqlite: type[Operation]

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, *states)
        else:
            self.on_sqlite.database_forwards(self, app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, *states)
        else:
            self.on_sqlite.database_backwards(self, app_label, schema_editor, *states)


class AddIndexWhileOpen(_WhileOpen, AddIndexConcurrently):
    """An index on a table that has rows: payments go on meanwhile. The migration says `atomic = False`."""

    on_sqlite = AddIndex


class RemoveIndexWhileOpen(_WhileOpen, RemoveIndexConcurrently):
    """The other way round."""

    on_sqlite = RemoveIndex


class AddConstraintWhileOpen(_WhileOpen, AddConstraintNotValid):
    """A check on a table that has rows, first step: new rows keep to it from now on."""

    on_sqlite = AddConstraint


class ValidateConstraintWhileOpen(_WhileOpen, ValidateConstraint):
    """Second step, in a migration of its own: the rows that were there are looked at, and payments go on meanwhile."""

    on_sqlite = _Nothing


class RemoveTwinsWhileOpen(Operation):
    """The second indexes, for LIKE, that Django gave this app's text columns before `djkraph.postgresql` had a say.
    They don't come back. The migration says `atomic = False`."""

    reversible = True

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's models know nothing of them."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            return
        for model in from_state.apps.get_app_config(app_label).get_models():
            for field in model._meta.local_fields:
                if isinstance(field, CharField | TextField) and (
                    field.unique or getattr(field, "db_index", False)
                ):
                    name = schema_editor._create_index_name(
                        model._meta.db_table, [field.column], suffix="_like"
                    )
                    schema_editor.execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"', params=None)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """They are missed by nobody."""

    def describe(self) -> str:
        return "Remove second indexes of text columns"
