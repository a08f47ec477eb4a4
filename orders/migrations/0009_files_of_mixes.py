"""A mix has its files, an order its links, and how often they were taken is counted."""

from django.db import migrations, models

import orders.models
from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0008_searched_by_how_they_begin'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='mix',
            name='audio',
            field=models.FileField(blank=True, db_default='', default='', help_text='What a buyer downloads: .mp3, .m4a, .flac, .ogg, .opus or .wav', max_length=200, storage=orders.models.mixes_storage, upload_to='', verbose_name='the mix itself'),
        ),
        migrations.AddField(
            model_name='mix',
            name='audio_bytes',
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='mix',
            name='audio_seconds',
            field=models.PositiveIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='mix',
            name='audio_sha256',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='mix',
            name='preview',
            field=models.FileField(blank=True, db_default='', default='', help_text='What everybody may hear on the shelf: 90 seconds at most', max_length=200, storage=orders.models.mixes_storage, upload_to='', verbose_name='a preview of it'),
        ),
        migrations.AddField(
            model_name='mix',
            name='preview_bytes',
            field=models.PositiveBigIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AddField(
            model_name='mix',
            name='preview_sha256',
            field=models.CharField(blank=True, db_default='', default='', editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name='order',
            name='link_round',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, help_text='Staff gave it new download links so often: earlier ones open nothing'),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='downloaded_at',
            field=models.DateTimeField(help_text='When its last one began', null=True),
        ),
        migrations.AddField(
            model_name='orderitem',
            name='downloads',
            field=models.PositiveIntegerField(db_default=0, default=0, help_text='How often its download began'),
        ),
    ]
