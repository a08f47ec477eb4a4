"""What log-ins leave behind, and when it goes."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from djkraph.models import CacheEntry
from payments.management import worker

pytestmark = pytest.mark.django_db


def over(rows: Any, field: str) -> None:
    rows.update(**{field: timezone.now() - timedelta(seconds=1)})


def test_the_worker_removes_what_is_over_and_nothing_else() -> None:
    for name in ("over", "open"):
        User.objects.create_user(name, password="a-long-passphrase", is_staff=True)
        client = Client()
        client.post("/admin/login/", {"login": name, "password": "a-long-passphrase"})
        assert client.get("/admin/").status_code == 200
    cache.set("over", 1, timeout=60)
    counted = CacheEntry.objects.latest("expires")
    cache.set("open", 1, timeout=60)
    ended = UserSession.objects.get(user__username="over").session_key
    over(Session.objects.filter(session_key=ended), "expire_date")
    over(CacheEntry.objects.filter(pk=counted.pk), "expires")
    (chore,) = [each for each in worker.chores() if "sessions" in each.else_log]
    chore.take_turn()
    assert [each.user.username for each in UserSession.objects.all()] == ["open"]
    assert not Session.objects.filter(session_key=ended).exists()
    assert cache.get("open") == 1
    assert not CacheEntry.objects.filter(pk=counted.pk).exists()
