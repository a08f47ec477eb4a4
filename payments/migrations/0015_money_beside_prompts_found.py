"""The ways to money that nobody decided yet, made while payments go on."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, RemoveIndexWhileOpen, ValidateConstraintWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0014_money_beside_prompts'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        ValidateConstraintWhileOpen('posting', 'posting_code_is_known'),
        ValidateConstraintWhileOpen('refund', 'refund_state_is_known'),
        RemoveIndexWhileOpen(
            model_name='mpesatransaction',
            name='attempt_needs_refund_due',
        ),
        AddIndexWhileOpen(
            model_name='mpesatransaction',
            index=models.Index(condition=models.Q(('due_cents__gt', 0)), fields=['-id'], name='attempt_needs_refund_due'),
        ),
        AddIndexWhileOpen(
            model_name='receipt',
            index=models.Index(condition=models.Q(('unclaimed_cents__gt', 0)), fields=['-id'], name='receipt_unclaimed'),
        ),
        AddIndexWhileOpen(
            model_name='receipt',
            index=models.Index(condition=models.Q(('due_cents__gt', 0)), fields=['-id'], name='receipt_due'),
        ),
        AddIndexWhileOpen(
            model_name='receipt',
            index=models.Index(condition=models.Q(('direction', 'out'), ('kind__in', ('reversal', 'other')), ('reviewed_at', None)), fields=['-id'], name='receipt_went'),
        ),
        AddIndexWhileOpen(
            model_name='receipt',
            index=models.Index(fields=['happened_at'], name='receipt_happened'),
        ),
        AddIndexWhileOpen(
            model_name='statementline',
            index=models.Index(fields=['booked_as'], name='line_booked_as', condition=models.Q(('booked_as__isnull', False))),
        ),
        AddIndexWhileOpen(
            model_name='statementline',
            index=models.Index(condition=models.Q(('kind', 'payment'), ('match', '')), fields=['-id'], name='line_nobodys'),
        ),
        AddIndexWhileOpen(
            model_name='statementline',
            index=models.Index(condition=models.Q(models.Q(('kind', 'payment'), _negated=True), ('match', '')), fields=['id'], name='line_to_book'),
        ),
        RemoveIndexWhileOpen(
            model_name='statementline',
            name='line_unmatched',
        ),
    ]
