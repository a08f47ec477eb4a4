"""replay_callbacks: the same code once more, nothing made up, nothing applied twice."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from payments import callbacks
from payments.daraja import CallbackUnreadable
from payments.models import CallbackDelivery, MpesaTransaction, PaymentEvent
from payments.states import State
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja

Click = Callable[..., MpesaTransaction]


def replay(*arguments: str) -> str:
    out = StringIO()
    call_command("replay_callbacks", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def misread(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> MpesaTransaction:
    """A success that a broken parser could not read."""
    attempt = click()

    def broken(_: object) -> None:
        raise CallbackUnreadable("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("payments.callbacks.apply.read_callback", broken)
        callbacks.receive_callback(
            token=safaricom.last_token, body=json.dumps(success()).encode(), source_address=None, now=clock()
        )
    return attempt


def test_what_a_mended_parser_can_read_is_applied(misread: MpesaTransaction) -> None:
    assert replay("--dry-run") == "1 deliveries would be read once more.\n"
    assert replay() == "1 deliveries read once more: 1 applied.\n"
    misread.refresh_from_db()
    assert (misread.state, misread.receipt, misread.order.state) == (State.COMPLETED, "UKN4AB12CD", "paid")


def test_a_second_replay_changes_nothing(misread: MpesaTransaction) -> None:
    replay()
    before = (MpesaTransaction.objects.values().get(), PaymentEvent.objects.count())
    assert replay() == "0 deliveries read once more: none.\n"
    assert (MpesaTransaction.objects.values().get(), PaymentEvent.objects.count()) == before


def test_one_delivery_or_one_verdict_can_be_chosen(misread: MpesaTransaction) -> None:
    assert replay("--verdict", "hint").startswith("0 ")
    assert replay("--id", str(CallbackDelivery.objects.get().pk)).startswith("1 ")


def test_an_unknown_delivery_is_refused_in_a_sentence(db: None) -> None:
    with pytest.raises(CommandError, match=r"No delivery 99 that is not applied yet\."):
        replay("--id", "99")
