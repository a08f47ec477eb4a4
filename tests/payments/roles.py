"""Staff of each role, logged in, with what the roles' migration gives them."""

from importlib import import_module
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

ROLES: dict[str, tuple[str, ...]] = import_module("payments.migrations.0004_roles").ROLES


def log_in(role: str) -> Client:
    """A browser of kraph's, who has this role."""
    kraph, created = User.objects.get_or_create(username=f"kraph-{role}", defaults={"is_staff": True})
    if created:
        kraph.user_permissions.set(_permission(*name.split(".")) for name in ROLES[role])
    browser = Client()
    browser.force_login(kraph)
    return browser


def _permission(app: str, codename: str) -> Any:
    return Permission.objects.get(content_type__app_label=app, codename=codename)
