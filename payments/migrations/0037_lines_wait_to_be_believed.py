"""What only a file says, above what its uploader may pay alone, waits for a second person."""
import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0007_part_paid_are_found'),
        ('payments', '0036_statements_matched_to_the_end'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='statementline',
            name='alone_at',
            field=models.DateTimeField(help_text="When it paid on its uploader's word alone", null=True),
        ),
        migrations.AddField(
            model_name='statementline',
            name='alone_kes',
            field=models.PositiveBigIntegerField(db_default=0, default=0, help_text="How much that counts for in the uploader's day (KES)"),
        ),
        migrations.AddField(
            model_name='statementline',
            name='believed_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='statementline',
            name='believed_by',
            field=models.CharField(blank=True, db_default='', default='', max_length=150),
        ),
        migrations.AddField(
            model_name='statementline',
            name='waits_for',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='The order that it would pay', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.order'),
        ),
        migrations.AddField(
            model_name='statementline',
            name='waits_since',
            field=models.DateTimeField(help_text='Since when it waits to be believed by a second person', null=True),
        ),
    ]
