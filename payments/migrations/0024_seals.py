"""Seals over what was written. A shop that has taken money before is sealed from its beginning by the worker, or at
once by seal_ledger."""

from django.db import migrations, models

from djkraph.migrating import KeepRows, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0023_callbacks_byte_for_byte'),
    ]

    operations = [
        WaitAtMost(),
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveBigIntegerField(help_text='1, 2, 3 …', unique=True)),
                ('at', models.DateTimeField()),
                ('previous_hash', models.CharField(blank=True, max_length=64, unique=True)),
                ('rows', models.PositiveIntegerField(help_text='How many rows it covers')),
                ('counts', models.JSONField(help_text='How many of each kind')),
                ('cents', models.PositiveBigIntegerField(help_text='Sum of its postings')),
                ('reach', models.TextField(help_text='JSON: up to which id each table is sealed, and what may still come below')),
                ('covers', models.TextField(help_text='JSON: each row, by payment, with its keyed hash')),
                ('root', models.CharField(help_text='sha256 of what it reaches and covers', max_length=64)),
                ('last_event_id', models.BigIntegerField()),
                ('last_posting_id', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
                ('key_id', models.CharField(help_text='Which LEDGER_KEY signed it', max_length=8)),
            ],
            options={
                'ordering': ('-number',),
                'constraints': [models.CheckConstraint(condition=models.Q(('rows__gt', 0)), name='a_seal_covers_something'), models.CheckConstraint(condition=models.Q(('number__gt', 0)), name='seals_are_numbered_from_one')],
            },
        ),
        migrations.CreateModel(
            name='SealedInPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(max_length=1)),
                ('row_id', models.BigIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('table', 'row_id'), name='a_row_is_listed_once')],
            },
        ),
        KeepRows('Seal'),
    ]
