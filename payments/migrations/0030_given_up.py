"""An attempt says when it was given up: Safaricom never said how it ended."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0029_receipts_by_day'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='mpesatransaction',
            name='given_up_at',
            field=models.DateTimeField(help_text='When Safaricom, asked for the last time, had not said how it ended', null=True),
        ),
    ]
