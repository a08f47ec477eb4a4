"""What opens an attempt's commitment to its phone. Attempts of earlier versions have none."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0024_seals'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name='mpesatransaction',
            name='phone_joined',
            field=models.CharField(max_length=140, null=True),
        ),
        migrations.AddField(
            model_name='mpesatransaction',
            name='phone_salt',
            field=models.CharField(max_length=32, null=True),
        ),
    ]
