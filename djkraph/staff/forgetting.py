"""What log-ins leave behind goes when its time is over."""

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db.models.functions import Now

from djkraph.models import CacheEntry


def forget_over() -> None:
    """Counts of failures, sessions, and the list of who had them."""
    CacheEntry.objects.filter(expires__lt=Now()).delete()
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
