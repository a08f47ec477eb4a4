"""The rows that were there are looked at, while payments go on."""

from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost

CONSTRAINTS = (
    ('mpesatransaction', 'attempt_channel_is_known'),
    ('callbackdelivery', 'delivery_verdict_is_known'),
    ('handsettlement', 'settlement_decision_is_known'),
    ('handsettlement', 'settlement_evidence_is_known'),
    ('paymentevent', 'event_source_is_known'),
    ('paymentevent', 'event_state_is_known'),
    ('receipt', 'receipt_source_is_known'),
    ('statementline', 'line_kind_is_known'),
    ('statementline', 'line_match_is_known'),
)


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0027_choices_are_known'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        *(ValidateConstraintWhileOpen(model, name) for model, name in CONSTRAINTS),
    ]
