"""The decisions that were there are held against the rules of 0046."""

from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost

CONSTRAINTS = ('a_settlement_is_of_a_payment_or_of_a_line_for_an_order', 'settlement_what_is_known')


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0046_sent_back_by_order'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        *(ValidateConstraintWhileOpen('handsettlement', name) for name in CONSTRAINTS),
    ]
