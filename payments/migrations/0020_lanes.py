"""Questions to Safaricom have lanes: turns are numbered, and who waits for one is known. A pause is a time of its own."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0019_token_refused'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='querybudget',
            name='paused_from',
            field=models.DateTimeField(help_text='When Daraja said "too many"', null=True),
        ),
        migrations.AddField(
            model_name='querybudget',
            name='paused_until',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='querybudget',
            name='turns',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='How many were taken'),
        ),
        migrations.CreateModel(
            name='Awaited',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lane', models.PositiveSmallIntegerField(help_text='1: a buyer on the page, 2: staff')),
                ('since', models.DateTimeField()),
                ('seen_at', models.DateTimeField(help_text='When whoever waits was last seen')),
                ('attempt', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='payments.mpesatransaction')),
            ],
            options={
                'verbose_name_plural': 'awaited',
                'indexes': [models.Index(fields=['lane', 'since'], name='awaited_next')],
            },
        ),
    ]
