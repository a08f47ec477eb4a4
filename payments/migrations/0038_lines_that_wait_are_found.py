"""What waits to be believed is found, and what was paid in a day on one person's word."""

from django.db import migrations, models

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ('payments', '0037_lines_wait_to_be_believed'),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name='statementline',
            index=models.Index(condition=models.Q(('believed_at', None), ('match', ''), ('waits_since__isnull', False)), fields=['statement', 'id'], name='line_waits'),
        ),
        AddIndexWhileOpen(
            model_name='statementline',
            index=models.Index(condition=models.Q(('alone_at__isnull', False)), fields=['alone_at'], include=('alone_kes', 'statement'), name='line_paid_alone'),
        ),
    ]
