"""The supervisor and the auditor see what people were told."""

from django.db import migrations

from djkraph.granting import grant

SEES = ("payments.view_alertmessage",)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0039_alerts"),
    ]

    operations = [grant({"supervisor": SEES, "auditor": SEES})]
