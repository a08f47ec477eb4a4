"""A callback that is no text is kept byte for byte."""

from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ("payments", "0022_where_files_differ_found"),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name="callbackdelivery",
            name="as_bytes",
            field=models.BinaryField(help_text="As it came, where it is no text", null=True),
        ),
    ]
