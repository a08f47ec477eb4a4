"""A line of a statement says which other statement of its time does not name it."""

import django.db.models.deletion
from django.db import migrations, models

from djkraph.migrating import WaitAtMost


class Migration(migrations.Migration):

    dependencies = [
        ("payments", "0020_lanes"),
    ]

    operations = [
        WaitAtMost(),
        migrations.AddField(
            model_name="statementline",
            name="absent_from",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="A statement of the same account that covers its time and does not name it",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lacking",
                to="payments.statement",
            ),
        ),
    ]
