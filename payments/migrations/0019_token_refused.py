"""A fetch of Daraja's token that failed is known to all processes: the next ones don't wait for one of their own."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0018_taken_back_hold'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='darajatoken',
            name='refusal',
            field=models.CharField(blank=True, db_default='', help_text='How it failed', max_length=40),
        ),
        migrations.AddField(
            model_name='darajatoken',
            name='refused_until',
            field=models.DateTimeField(help_text='The last fetch failed: until then nobody asks for another', null=True),
        ),
    ]
