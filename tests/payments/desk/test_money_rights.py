"""Who may do what with money: every role with every deed, at the desk, allowed or refused in words."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from payments.desk import DEEDS
from payments.management.commands.money_rights import ROLES
from payments.models import HandSettlement
from tests.support.payments.clock import Clock
from tests.support.payments.decisions import KINDS, Ready, Shop
from tests.support.payments.desk import at_desk, words_of
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click

Decision = HandSettlement.Decision
PERMISSION = {deed.name: deed.permission for deed in DEEDS}
OTHERS = {"import": "/admin/payments/statement/upload/", "replay": "/admin/payments/callbackdelivery/1/read/"}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ready(kind: str, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any) -> Ready:
    settings.SETTLED_ALONE_UP_TO_KES = 10_000
    return KINDS[kind](Shop(click=click, safaricom=safaricom, clock=clock))


def may(role: str, permission: str) -> bool:
    return Group.objects.get(name=role).permissions.filter(codename=permission.split(".")[1]).exists()


def by_desk(role: str) -> Any:
    return HandSettlement.objects.filter(proposed_by=role)


def test_every_deed_is_tried() -> None:
    assert {*PERMISSION} == {*KINDS, *OTHERS}
    assert {deed.name for deed in DEEDS if not deed.has_limit} == {*OTHERS}


@pytest.mark.parametrize("role", ROLES)
def test_each_role_decides_what_it_may_and_nothing_else(role: str, kind: str, ready: Ready) -> None:
    answer = at_desk(role).post(ready.page, ready.form, follow=True)
    if may(role, PERMISSION[kind]):
        assert answer.status_code == 200, words_of(answer)
        assert by_desk(role).get().decision == Decision.DONE
    else:
        assert answer.status_code == 403
        assert "Your role does not allow this" in words_of(answer)
        assert not by_desk(role).exists()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verdict", ["confirm", "decline"])
def test_each_role_confirms_and_declines_what_it_may_decide(
    verdict: str, role: str, kind: str, ready: Ready, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 0
    waiting = ready.decide("akinyi")
    page = f"/admin/payments/handsettlement/{waiting.pk}/decide/{verdict}/"
    answer = at_desk(role).post(page, {"why": "It is another's."}, follow=True)
    waiting.refresh_from_db()
    if may(role, PERMISSION[kind]):
        assert answer.status_code == 200
        assert waiting.decision == {"confirm": Decision.DONE, "decline": Decision.DECLINED}[verdict]
        assert waiting.decided_by == role
    else:
        assert answer.status_code == 403
        assert "Your role does not allow this" in words_of(answer)
        assert waiting.decision == Decision.WAITING


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("deed", OTHERS)
def test_what_has_no_limit_is_refused_to_who_may_not(deed: str, role: str, db: None) -> None:
    answer = at_desk(role).post(OTHERS[deed], {})
    assert (answer.status_code == 403) is not may(role, PERMISSION[deed])


def test_the_owner_has_the_limit_too(kind: str, ready: Ready, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 0
    owner = at_desk("nobody", "kraph")
    User.objects.filter(username="kraph").update(is_superuser=True)
    told = words_of(owner.post(ready.page, ready.form, follow=True))
    assert "a second one must confirm it" in told
    waiting = by_desk("kraph").get()
    assert waiting.decision == Decision.WAITING
    told = words_of(owner.post(f"/admin/payments/handsettlement/{waiting.pk}/decide/confirm/", follow=True))
    assert "you proposed it yourself" in told


def test_the_buttons_stand_wherever_it_is_shown(kind: str, ready: Ready, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 0
    waiting = ready.decide("akinyi")
    pages = [
        "/admin/",
        "/admin/payments/handsettlement/",
        f"/admin/payments/handsettlement/{waiting.pk}/change/",
    ]
    if waiting.attempt is not None:
        pages.append(f"/admin/payments/mpesatransaction/{waiting.attempt_id}/change/")
        pages.append(f"/admin/orders/order/{waiting.attempt.order_id}/change/")
        pages += [f"/admin/payments/receipt/{each.pk}/change/" for each in waiting.attempt.receipts.all()]
    if waiting.order_id is not None:
        pages.append(f"/admin/orders/order/{waiting.order_id}/change/")
    if waiting.money_id is not None:
        pages.append(f"/admin/payments/receipt/{waiting.money_id}/change/")
    if waiting.line_id is not None:
        pages.append(f"/admin/payments/statementline/{waiting.line_id}/change/")
    second, viewer = at_desk("supervisor"), at_desk("viewer")
    for page in pages:
        assert f"/handsettlement/{waiting.pk}/decide/confirm/" in words_of(second.get(page)), page
        assert "/decide/" not in words_of(viewer.get(page)), page
