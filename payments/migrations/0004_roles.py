"""The roles of the shop's staff, as groups: what each may see and do in the desk."""

from django.contrib.auth.management import create_permissions
from django.db import migrations

SEES = (
    "orders.view_mix",
    "orders.view_order",
    "orders.view_orderitem",
    "payments.view_mpesatransaction",
    "payments.view_callbackdelivery",
    "payments.view_handsettlement",
    "payments.view_statement",
    "payments.view_statementline",
)
ASKS = ("payments.ask_safaricom", "payments.write_note", "payments.mark_looked_at")
SETTLES = (
    "orders.add_mix",
    "orders.change_mix",
    "payments.settle_by_hand",
    "payments.record_refund",
    "payments.replay_delivery",
    "payments.import_statement",
    "payments.attach_money",
    "payments.export_payments",
)
AUDITS = (
    "auth.view_group",
    "auth.view_user",
    "payments.see_audit",
    "payments.view_paymentevent",
    "payments.view_idempotencykey",
    "payments.view_darajatoken",
    "payments.view_querybudget",
    "payments.view_heartbeat",
    "payments.export_payments",
)
ROLES = {
    "viewer": SEES,
    "cashier": SEES + ASKS,
    "supervisor": SEES + ASKS + SETTLES,
    "auditor": SEES + AUDITS,
}


def make_roles(apps, schema_editor):
    for label in ("auth", "orders", "payments"):  # permissions are made after all migrations: too late for here
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
    permissions = apps.get_model("auth", "Permission").objects
    for role, allowed in ROLES.items():
        group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
        group.permissions.set(
            permissions.get(content_type__app_label=label, codename=codename)
            for label, codename in (name.split(".") for name in allowed)
        )


class Migration(migrations.Migration):

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0001_shop"),
        ("payments", "0003_desk"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
