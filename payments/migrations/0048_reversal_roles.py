"""All who see refunds see orders to send money back."""

from django.db import migrations

from djkraph.granting import grant

SEES = ("payments.view_reversal",)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0047_sent_back_by_order_hold"),
    ]

    operations = [grant(dict.fromkeys(("viewer", "cashier", "supervisor", "auditor"), SEES))]
