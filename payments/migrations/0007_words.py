"""Three fields are called by the words of the field from now on; their columns, and the indexes on them, stay as they
are: nothing is done to the database."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0002_search'),
        ('payments', '0006_search'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(
                    model_name='callbackdelivery',
                    name='delivery_problem',
                ),
                migrations.RemoveIndex(
                    model_name='mpesatransaction',
                    name='attempt_taken',
                ),
                migrations.RemoveIndex(
                    model_name='mpesatransaction',
                    name='attempt_needs_wrong_amount',
                ),
                migrations.RemoveIndex(
                    model_name='mpesatransaction',
                    name='attempt_needs_unpriced',
                ),
                migrations.AlterField(
                    model_name='callbackdelivery',
                    name='looked_at',
                    field=models.DateTimeField(db_column='looked_at', help_text='When staff marked it as looked at', null=True),
                ),
                migrations.RenameField(
                    model_name='callbackdelivery',
                    old_name='looked_at',
                    new_name='reviewed_at',
                ),
                migrations.AlterField(
                    model_name='callbackdelivery',
                    name='looked_at_by',
                    field=models.CharField(blank=True, db_column='looked_at_by', max_length=150),
                ),
                migrations.RenameField(
                    model_name='callbackdelivery',
                    old_name='looked_at_by',
                    new_name='reviewed_by',
                ),
                migrations.AlterField(
                    model_name='mpesatransaction',
                    name='settled_at',
                    field=models.DateTimeField(db_column='settled_at', help_text='When its present final state was reached', null=True),
                ),
                migrations.RenameField(
                    model_name='mpesatransaction',
                    old_name='settled_at',
                    new_name='concluded_at',
                ),
                migrations.AlterField(
                    model_name='mpesatransaction',
                    name='looked_at',
                    field=models.DateTimeField(db_column='looked_at', help_text='When staff marked it as looked at', null=True),
                ),
                migrations.RenameField(
                    model_name='mpesatransaction',
                    old_name='looked_at',
                    new_name='reviewed_at',
                ),
                migrations.AddIndex(
                    model_name='callbackdelivery',
                    index=models.Index(condition=models.Q(('reviewed_at', None), ('verdict__in', ('unknown_token', 'wrong_id', 'wrong_amount', 'receipt_taken', 'unreadable'))), fields=['-id'], name='delivery_problem'),
                ),
                migrations.AddIndex(
                    model_name='mpesatransaction',
                    index=models.Index(condition=models.Q(('state', 'completed')), fields=['concluded_at'], include=('amount_kes', 'created_at'), name='attempt_taken'),
                ),
                migrations.AddIndex(
                    model_name='mpesatransaction',
                    index=models.Index(condition=models.Q(('state', 'completed'), ('amount_differs', True), ('refund_due', False), ('refunded_at', None), models.Q(('pays_order', False), ('reviewed_at', None), _connector='OR')), fields=['-id'], name='attempt_needs_wrong_amount'),
                ),
                migrations.AddIndex(
                    model_name='mpesatransaction',
                    index=models.Index(condition=models.Q(('state', 'completed'), ('pays_order', True), ('reviewed_at', None), ('unpriced', True)), fields=['-id'], name='attempt_needs_unpriced'),
                ),
            ],
        ),
    ]
