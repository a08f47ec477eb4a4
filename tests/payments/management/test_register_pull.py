"""`manage.py register_pull` against the simulated Safaricom."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from payments import gateway
from payments.simulator.options import Config
from payments.simulator.server import running
from tests.support.payments.simulator import Client, daraja

pytestmark = pytest.mark.django_db


@pytest.fixture
def simulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with running(Config(port=0, speed="instant")) as server:
        client = daraja(server.base_url)
        monkeypatch.setattr(gateway, "client", lambda: client)
        yield Client(server.base_url, "http://127.0.0.1:9/cb")


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    call_command("register_pull", *words)
    return capsys.readouterr().out


def test_it_registers_only_where_it_is_told_to_and_takes_a_second_time_for_what_it_is(
    simulator: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator.paid_by_hand(450)
    assert "1001" in said(capsys)
    assert "Pull is registered." in said(capsys, "--register", "0722000000")
    assert "Pull was registered before." in said(capsys, "--register", "0722000000")
    assert "Pull answers, with 1 transactions" in said(capsys)


def test_what_can_not_be_is_said_in_a_sentence(simulator: Client) -> None:
    with pytest.raises(CommandError):
        call_command("register_pull", "--register", "12")
    simulator.fault("pull_429", times=1)
    with pytest.raises(CommandError, match="no usable answer"):
        call_command("register_pull")
