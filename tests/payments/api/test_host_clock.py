"""A host whose clock is five minutes off says the same of the shop as any other: what was written has the database's
time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import timezone

from payments import enquiries
from payments.desk.home import page
from payments.gateway import clock
from payments.models import MpesaTransaction
from tests.support.payments.api import GOOD_PUSH, Caller, said
from tests.support.payments.fake_daraja import FakeDaraja

AT = datetime(2026, 11, 23, 15, tzinfo=timezone.get_default_timezone())


@pytest.fixture(autouse=True, params=[-5, 5], ids=["behind", "ahead"])
def _this_host_is_off(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "shared", lambda: AT)
    monkeypatch.setattr(timezone, "now", lambda: AT + timedelta(minutes=request.param))


def test_ready_hears_the_worker(caller: Caller, db: None) -> None:
    enquiries.beat(enquiries.WORKER, now=AT)
    assert said(caller.get("/health/ready"))["parts"]["worker"] == "ok"


def test_the_desks_home_hears_the_worker(admin_user: User, rf: RequestFactory) -> None:
    enquiries.beat(enquiries.WORKER, now=AT)
    request = rf.get("/admin/")
    request.user = admin_user
    shown = page.dashboard(request, {})
    assert (shown["as_of"], shown["troubles"]) == (AT, [])


def test_the_checkout_counts_down_from_the_two_minutes_of_the_prompt(
    client: Client, caller: Caller, safaricom: FakeDaraja, mixes: Any
) -> None:
    caller.send("/stkpush", GOOD_PUSH)
    order = MpesaTransaction.objects.get().order
    shown = client.get(f"/checkout/{order.token}").content.decode()
    assert 'data-seconds-left="120"' in shown
