"""A mix has its artist and its tracks, and remembers which one of a catalogue it was."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0009_files_of_mixes'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='mix',
            name='artist',
            field=models.CharField(blank=True, db_default='', default='', max_length=80),
        ),
        migrations.AddField(
            model_name='mix',
            name='source_id',
            field=models.CharField(blank=True, editable=False, help_text='Its id in an imported catalogue', max_length=100, null=True),
        ),
        migrations.AddField(
            model_name='mix',
            name='track_list',
            field=models.TextField(blank=True, db_default='', default='', help_text='A line a track', max_length=10000),
        ),
    ]
