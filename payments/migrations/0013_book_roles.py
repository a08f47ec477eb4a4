"""Who sees the book: everybody the receipts and refunds, the auditor each posting too."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEES = ("view_receipt", "view_refund")
AUDITS = (*SEES, "view_posting")
ROLES = {"viewer": SEES, "cashier": SEES, "supervisor": SEES, "auditor": AUDITS}


def show_the_book(apps, schema_editor):
    config = apps.get_app_config("payments")  # permissions are made after all migrations: too late for here
    config.models_module = True
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    for role, codenames in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.add(
            *(permissions.get(content_type__app_label="payments", codename=codename) for codename in codenames)
        )


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("payments", "0012_open_the_book"),
    ]

    operations = [migrations.RunPython(show_the_book, migrations.RunPython.noop)]
