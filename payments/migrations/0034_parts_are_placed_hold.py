"""The decisions that were there are held against the rules of 0033."""

from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost

CONSTRAINTS = (
    'a_settlement_is_of_a_payment_or_of_a_line_for_an_order',
    'a_done_settlement_has_its_payment',
    'settlement_what_is_known',
)


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0033_parts_are_placed'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        *(ValidateConstraintWhileOpen('handsettlement', name) for name in CONSTRAINTS),
    ]
