"""A payment is found by the last five of its receipt and the last four of its phone, by an index each."""

from django.db import migrations, models
from django.db.models.functions import Right

from djkraph.migrating import AddIndexWhileOpen, WaitAtMost


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("payments", "0025_first_words"),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        AddIndexWhileOpen(
            model_name="mpesatransaction",
            index=models.Index(
                Right("receipt", 5),
                models.OrderBy(models.F("id"), descending=True),
                condition=models.Q(("receipt__isnull", False)),
                name="attempt_receipt_end",
            ),
        ),
        AddIndexWhileOpen(
            model_name="mpesatransaction",
            index=models.Index(
                Right("phone_masked", 4),
                models.OrderBy(models.F("id"), descending=True),
                name="attempt_phone_end",
            ),
        ),
    ]
