"""Where somebody is logged in, for the owner, who may end it."""

from allauth.usersessions.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User


def open_sessions(user: User) -> list[UserSession]:
    """Newest first; those that are over are removed."""
    listed: list[UserSession] = UserSession.objects.purge_and_list(user)
    return sorted(listed, key=lambda session: session.created_at, reverse=True)


def end_all(user: User) -> int:
    sessions = open_sessions(user)
    get_adapter().end_sessions(sessions)
    return len(sessions)
