"""The rows that were there are held against the rule of 0010, while payments go on."""

from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0010_refunds_in_parts'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        ValidateConstraintWhileOpen('mpesatransaction', 'only_money_that_came_is_refunded'),
    ]
