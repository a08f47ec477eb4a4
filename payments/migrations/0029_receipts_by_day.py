"""What was taken on a day is told from the receipts, by when we learned of them; the way to it, made while payments go
on."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0028_choices_hold'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='receipt',
            index=models.Index(condition=models.Q(('direction', 'in'), ('kind', 'payment')), fields=['told_at'], include=('amount_cents', 'voided_at'), name='receipt_taken'),
        ),
        AddIndexWhileOpen(
            model_name='receipt',
            index=models.Index(condition=models.Q(('voided_at__isnull', False)), fields=['voided_at'], name='receipt_voided'),
        ),
    ]
