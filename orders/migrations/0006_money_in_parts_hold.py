"""The orders that were there are held against the rule of 0005, while the shop goes on."""

from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0005_money_in_parts'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        ValidateConstraintWhileOpen('order', 'order_is_paid_at_a_time'),
    ]
