"""From which network a payment was asked for; and phones whose owners want to be asked no more."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0042_decisions_of_all_kinds_hold'),
    ]

    operations = [
        WaitAtMost(),
        migrations.CreateModel(
            name='StoppedPhone',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('phone_hash', models.CharField(help_text='Keyed hash of the number', max_length=64, unique=True)),
                ('phone_masked', models.CharField(max_length=20)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='mpesatransaction',
            name='opened_from',
            field=models.CharField(blank=True, db_default='', default='', max_length=32),
        ),
    ]
