"""What the roles of the staff may do from a migration on."""

from collections.abc import Collection, Mapping
from typing import Any

from django.contrib.auth.management import create_permissions
from django.db.migrations import RunPython


def grant(roles: Mapping[str, Collection[str]]) -> RunPython:
    """Adds permissions (`payments.view_seal`) to roles; never takes one away that the owner has given. The migration
    depends on auth and contenttypes."""

    def run(apps: Any, _schema_editor: Any) -> None:
        _make_permissions(apps, {name.partition(".")[0] for allowed in roles.values() for name in allowed})
        permissions = apps.get_model("auth", "Permission").objects
        for role, allowed in roles.items():
            group, _ = apps.get_model("auth", "Group").objects.get_or_create(name=role)
            for name in allowed:
                label, _, codename = name.partition(".")
                group.permissions.add(permissions.get(content_type__app_label=label, codename=codename))

    return RunPython(run, RunPython.noop)


def _make_permissions(apps: Any, labels: Collection[str]) -> None:
    """Django makes them after all migrations: too late for one that grants them."""
    for label in labels:
        config = apps.get_app_config(label)
        config.models_module = True
        create_permissions(config, apps=apps, verbosity=0)
        config.models_module = None
