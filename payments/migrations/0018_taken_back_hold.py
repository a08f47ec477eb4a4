"""The lines that were there are held against the rule of 0017, and supervisors may take back what was decided."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

from djkraph.migrating import ValidateConstraintWhileOpen, WaitAtMost

ROLES = {"supervisor": ("undo_decision", "void_statement")}


def let_supervisors_undo(apps, schema_editor):
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
        ("payments", "0017_taken_back"),
    ]

    operations = [
        WaitAtMost(statement_seconds=3600),
        ValidateConstraintWhileOpen("statementline", "a_voided_line_is_nobodys"),
        migrations.RunPython(let_supervisors_undo, migrations.RunPython.noop),
    ]
