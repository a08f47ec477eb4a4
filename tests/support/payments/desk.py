"""People at the desk, each in a role, for tests of what they see and may do."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

ROLES = ("viewer", "cashier", "supervisor", "auditor")
PAYMENTS = "/admin/payments/mpesatransaction/"


def staff_member(role: str, name: str = "") -> User:
    """Somebody in this role; `nobody` is staff without one."""
    user = User.objects.create_user(name or role, password="a-long-passphrase", is_staff=True)
    if role != "nobody":
        user.groups.add(Group.objects.get(name=role))
    return user


def at_desk(role: str, name: str = "") -> Client:
    return logged_in(staff_member(role, name))


def logged_in(user: User) -> Client:
    """Anew, where an idle time has passed meanwhile."""
    client = Client()
    client.force_login(user)
    return client


def words_of(response: Any) -> str:
    """The page as text; and what it was redirected to say."""
    return str(response.content.decode())
