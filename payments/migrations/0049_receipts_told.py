"""Receipts that unsigned notices told of, which Safaricom is asked about."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0048_reversal_roles'),
    ]

    operations = [
        WaitAtMost(),
        migrations.CreateModel(
            name='Lookup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=30, unique=True, verbose_name='receipt')),
                ('short_code', models.CharField(max_length=8)),
                ('amount_kes', models.DecimalField(decimal_places=2, max_digits=12, null=True, verbose_name='amount (KES)')),
                ('account_no', models.CharField(blank=True, help_text='As the payer typed it', max_length=60, verbose_name='account number')),
                ('happened_at', models.DateTimeField(null=True)),
                ('told_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('due', 'Safaricom is asked soon'), ('asked', 'Safaricom is asked'), ('confirmed', 'Safaricom says that it came'), ('denied', 'Safaricom knows no such payment to us')], db_default='due', default='due', max_length=9)),
                ('token_hash', models.CharField(max_length=64, null=True, unique=True)),
                ('words', models.CharField(blank=True, max_length=300, verbose_name="Safaricom's words")),
                ('looks', models.PositiveIntegerField(default=0, help_text='How often Safaricom was asked')),
                ('next_look_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('attempt', models.ForeignKey(help_text='Whose money a person says it is', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lookups', to='payments.mpesatransaction')),
                ('booked_as', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lookups', to='payments.receipt')),
            ],
            options={
                'verbose_name': 'receipt told',
                'verbose_name_plural': 'receipts told',
                'ordering': ('-id',),
                'indexes': [models.Index(condition=models.Q(('next_look_at__isnull', False)), fields=['next_look_at'], name='lookup_next')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ('due', 'asked', 'confirmed', 'denied'))), name='lookup_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), ('booked_as__isnull', False), _connector='OR'), name='what_is_confirmed_is_booked')],
            },
        ),
    ]
