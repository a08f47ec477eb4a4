"""Django gives each text column that is unique or indexed a second index, for LIKE. Every payment would write fifteen
of them, and the desk looks into four: there a model says so itself (`djkraph.indexes.begins`)."""

from typing import Any

from django.db.backends.postgresql import schema


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    def _create_like_index_sql(self, model: Any, field: Any) -> None:
        """None."""
