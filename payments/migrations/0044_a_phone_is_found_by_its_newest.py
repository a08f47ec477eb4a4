"""A phone's payments are found by the index that has them newest first: it needs no second one."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0043_who_asked_and_who_wants_no_more'),
    ]

    operations = [
        WaitAtMost(),
        migrations.AlterField(
            model_name='mpesatransaction',
            name='phone_hash',
            field=models.CharField(max_length=64),
        ),
    ]
