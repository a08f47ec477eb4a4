"""Who sees the book: everybody the receipts and refunds, the auditor each posting too."""

from django.db import migrations

from djkraph.granting import grant

SEES = ("payments.view_receipt", "payments.view_refund")
AUDITS = (*SEES, "payments.view_posting")
ROLES = {"viewer": SEES, "cashier": SEES, "supervisor": SEES, "auditor": AUDITS}


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0012_open_the_book"),
    ]

    operations = [grant(ROLES)]
