"""The few lines on which two files differ are found by an index."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("payments", "0021_where_files_differ"),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name="statementline",
            index=models.Index(
                condition=models.Q(("absent_from__isnull", False)),
                fields=["absent_from", "id"],
                name="line_absent",
            ),
        ),
    ]
