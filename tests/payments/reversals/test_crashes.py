"""The power goes before and after each write of a reversal becomes permanent; then the worker goes on. Whatever the
point: money goes back once at most, and the book agrees with Safaricom's."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from payments import gateway, ledger, manual, reversals
from payments.models import Posting, Receipt, Reversal
from tests.support.last_words import LastWords
from tests.support.payments.sending_back import Till
from tests.support.payments.simulator import daraja
from tests.support.races.dying import Death, done_by_another

pytestmark = pytest.mark.django_db(transaction=True)
TOLD: list[str] = []
Doing = Callable[[], Any]


@pytest.fixture(scope="module", autouse=True)
def _table_at_the_end(request: pytest.FixtureRequest) -> None:
    request.config.pluginmanager.register(LastWords("crashes of reversals", _table))


def _table() -> Iterator[str]:
    yield "SIGKILL before and after each write becomes permanent; then the worker goes on for two hours:"
    yield from TOLD


@pytest.fixture(autouse=True)
def _the_disk_is_not_waited_for(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        quick = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", quick)


def decide(till: Till, receipt: Receipt) -> None:
    manual.send_back(receipt.pk, amount_kes=1500, reason="Paid twice.", by="akinyi", now=till.clock())


def send(till: Till, _receipt: Receipt) -> None:
    gateway.client = lambda: daraja(till.simulator.base_url)
    reversals.send_next(clock=till.clock)


def look(till: Till, _receipt: Receipt) -> None:
    gateway.client = lambda: daraja(till.simulator.base_url)
    reversals.look_next(clock=till.clock)


def hear(till: Till, _receipt: Receipt) -> None:
    for path, body in list(zip(till.posts.paths, till.posts.bodies, strict=True))[-1:]:
        till.post(path, body)


def nothing(_till: Till) -> None: ...


def decided(till: Till) -> None:
    decide(till, Receipt.objects.latest("id"))


def sent(till: Till) -> None:
    decided(till)
    till.work()


def unheard(till: Till) -> None:
    till.simulator.fault("no_result", times=1)
    sent(till)
    till.clock.advance(minutes=5)


STAGES: dict[str, tuple[Callable[[Till], None], Callable[[Till, Receipt], None]]] = {
    "it is decided": (nothing, decide),
    "it is sent": (decided, send),
    "its result is heard": (sent, hear),
    "it is looked for": (unheard, look),
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("kind", ["payment", "nobodys"])
def test_money_goes_back_once_at_most(till: Till, stage: str, kind: str) -> None:
    prepare, deed = STAGES[stage]
    till.simulator.register_pull()
    lives, killed, number, when = 0, True, 0, "after"
    while killed:
        number, when = (number + 1, "before") if when == "after" else (number, "after")
        receipt = till.nobodys() if kind == "nobodys" else _receipt(till)
        prepare(till)
        before = till.went
        life = done_by_another(
            lambda deed=deed, receipt=receipt: deed(till, receipt), death=Death(number=number, when=when)
        )
        assert life.failed == ""
        killed = life.killed
        lives += 1
        _goes_on(till)
        rows = list(Reversal.objects.filter(receipt=receipt))
        is_gone = till.simulator.control("GET", "state")["moves"]
        mine = [move for move in is_gone if move["original"] == receipt.code]
        assert len(mine) <= 1
        assert till.went - before <= 1500
        # one that died on its way to Safaricom stays unknown, for a person: nobody sends it again
        assert [row.state for row in rows] in ([["done"]] if mine else [[], ["unknown"]])
        assert ledger.left_of(receipt) == (0 if mine else 150_000)
    assert list(ledger.faults()) == []
    booked = Posting.objects.filter(credit__startswith="mpesa:").values_list("amount_cents", flat=True)
    assert sum(booked) == 100 * till.went
    TOLD.append(
        f"  {stage:22} ({kind}): {lives} lives, {number} writes, {till.went // 1500} reversals at Safaricom"
    )


def _receipt(till: Till) -> Receipt:
    receipt = ledger.valid_receipt(till.payment().pk)
    assert receipt is not None
    return receipt


def _goes_on(till: Till) -> None:
    for _ in range(6):
        till.work()
        till.arrive()
        till.clock.advance(minutes=20)
