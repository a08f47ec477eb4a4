"""The decisions that were there are held against the rules of 0041; and the ways to what one person decided today, and to
the refunds of a day."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, ValidateConstraintWhileOpen, WaitAtMost

CONSTRAINTS = (
    'settlement_decision_is_known',
    'settlement_evidence_is_known',
    'a_settlement_is_of_a_payment_or_of_a_line_for_an_order',
    'a_done_settlement_has_its_payment',
    'settlement_what_is_known',
    'a_decided_settlement_names_who',
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0041_decisions_of_all_kinds'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='handsettlement',
            index=models.Index(condition=models.Q(('decision', 'done'), ('needs_second', False)), fields=['proposed_by', 'proposed_at'], include=('counts_kes',), name='decided_alone'),
        ),
        AddIndexWhileOpen(
            model_name='refund',
            index=models.Index(fields=['recorded_at'], name='refund_recorded'),
        ),
        *(ValidateConstraintWhileOpen('handsettlement', name) for name in CONSTRAINTS),
    ]
