"""The addresses that the library of log-ins before this one kept are forgotten. Its tables stay, for the version of the
shop that still runs, and are empty."""

from typing import Any, ClassVar

from django.db import migrations

OF_AXES = ("axes_accessattemptexpiration", "axes_accessattempt", "axes_accessfailurelog", "axes_accesslog")


def forget(_apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        there = set(schema_editor.connection.introspection.table_names(cursor))
        for table in OF_AXES:
            if table in there:
                cursor.execute(f"DELETE FROM {table}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("djkraph", "0002_what_log_ins_remember")]

    operations: ClassVar = [migrations.RunPython(forget, migrations.RunPython.noop)]
