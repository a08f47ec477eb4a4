"""A statement's lines are found by receipt, void ones too: the unique index leaves those out since 0017."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0034_parts_are_placed_hold'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='statementline',
            index=models.Index(fields=['receipt'], name='line_receipt'),
        ),
    ]
