"""All who see receipts see those that were told."""

from django.db import migrations

from djkraph.granting import grant

SEES = ("payments.view_lookup",)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0049_receipts_told"),
    ]

    operations = [grant(dict.fromkeys(("viewer", "cashier", "supervisor", "auditor"), SEES))]
