"""The auditor sees the seals, and what stands behind the questions to Safaricom."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEES = ("view_seal", "view_sealedinpart", "view_awaited")


def show_the_seals(apps, schema_editor):
    config = apps.get_app_config("payments")  # permissions are made after all migrations: too late for here
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    group, _ = apps.get_model("auth", "Group").objects.get_or_create(name="auditor")
    group.permissions.add(
        *(permissions.get(content_type__app_label="payments", codename=codename) for codename in SEES)
    )


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0031_what_needs_a_person"),
    ]

    operations = [migrations.RunPython(show_the_seals, migrations.RunPython.noop)]
