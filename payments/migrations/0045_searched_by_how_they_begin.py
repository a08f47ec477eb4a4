"""Only what the desk looks for by how it begins has an index for that: each payment wrote fifteen."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, RemoveTwinsWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('orders', '0008_searched_by_how_they_begin'),
        ('payments', '0044_a_phone_is_found_by_its_newest'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='mpesatransaction',
            index=models.Index(fields=['receipt'], name='attempt_receipt_begins', opclasses=('varchar_pattern_ops',)),
        ),
        AddIndexWhileOpen(
            model_name='mpesatransaction',
            index=models.Index(fields=['checkout_request_id'], name='attempt_request_begins', opclasses=('varchar_pattern_ops',)),
        ),
        RemoveTwinsWhileOpen(),
    ]
