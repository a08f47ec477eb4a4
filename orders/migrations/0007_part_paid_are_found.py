"""Orders of which a part is paid are found at once, also among very many."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('orders', '0006_money_in_parts_hold'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='order',
            index=models.Index(condition=models.Q(('received_cents__gt', models.F('returned_cents')), ('state', 'open')), fields=['-id'], name='order_part_paid'),
        ),
    ]
