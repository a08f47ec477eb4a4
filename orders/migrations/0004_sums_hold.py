"""The orders that were there are held against the rule of 0003, while the shop goes on."""

from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0003_sums'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        ValidateConstraintWhileOpen('order', 'order_returns_no_more_than_it_got'),
    ]
