"""What was recorded stays: the database refuses every change and every removal of an event."""

from django.db import migrations

from djkraph.migrating import KeepRows, WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ('payments', '0007_words'),
    ]

    operations = [
        WaitAtMost(),
        KeepRows('PaymentEvent'),
    ]
