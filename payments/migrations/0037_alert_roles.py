"""The supervisor and the auditor see what people were told."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

ROLES = ("supervisor", "auditor")


def show_the_messages(apps, schema_editor):
    config = apps.get_app_config("payments")  # permissions are made after all migrations: too late for here
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    sees = apps.get_model("auth", "Permission").objects.get(
        content_type__app_label="payments", codename="view_alertmessage"
    )
    for role in ROLES:
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.add(sees)


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0036_alerts"),
    ]

    operations = [migrations.RunPython(show_the_messages, migrations.RunPython.noop)]
