"""Only what the desk looks for by how it begins has an index for that."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, RemoveTwinsWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('orders', '0007_part_paid_are_found'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='order',
            index=models.Index(fields=['code'], name='order_code_begins', opclasses=('varchar_pattern_ops',)),
        ),
        AddIndexWhileOpen(
            model_name='order',
            index=models.Index(fields=['client_reference'], name='order_reference_begins', opclasses=('varchar_pattern_ops',)),
        ),
        RemoveTwinsWhileOpen(),
    ]
