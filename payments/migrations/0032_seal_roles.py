"""The auditor sees the seals, and what stands behind the questions to Safaricom."""

from django.db import migrations

from djkraph.granting import grant


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0031_what_needs_a_person"),
    ]

    operations = [grant({"auditor": ("payments.view_seal", "payments.view_sealedinpart", "payments.view_awaited")})]
