"""The power goes at every point where something that people decide, a statement or a seal becomes permanent; then it is
done again. Whatever the point: what was not committed is not there, what was is whole, nothing is counted twice."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from payments import gateway, ledger
from payments.manual import ActionRefused
from tests.support.last_words import LastWords
from tests.support.payments import deeds
from tests.support.payments.clock import Clock
from tests.support.payments.deeds import Call, Shop
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click
from tests.support.payments.stands import Kept, differences, stands
from tests.support.payments.stating import line, row
from tests.support.races import permanence
from tests.support.races.dying import Death, done_by_another

TOLD: list[str] = []


@pytest.fixture(scope="module", autouse=True)
def _table_at_the_end(request: pytest.FixtureRequest) -> None:
    request.config.pluginmanager.register(LastWords("crashes of decisions", _table))


def _table() -> Iterator[str]:
    yield "SIGKILL before and after each write becomes permanent; then the same is done again:"
    yield from TOLD


@pytest.fixture
def _the_disk_is_not_waited_for(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process wrote outlives its end; only the machine's own end would need the disk."""
    if connection.vendor == "sqlite":
        connection.close()
        quick = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "init_command", quick)


@pytest.fixture
def shop(
    _the_disk_is_not_waited_for: None,
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    settings: Any,
    tmp_path: Path,
) -> Shop:
    settings.STATEMENTS_DIR = str(tmp_path)
    return Shop(click=click, safaricom=safaricom, clock=clock)


Ground = Callable[[Shop], Call]


def claim(shop: Shop) -> Call:
    shop.nobodys(1000)
    return deeds.claims(shop, shop.open_order())


def place_a_part(shop: Shop) -> Call:
    shop.nobodys()
    return deeds.places(shop, shop.open_order(), 400)


def keep_a_part(shop: Shop) -> Call:
    shop.nobodys()
    return deeds.keeps(shop, 400)


def settle(shop: Shop) -> Call:
    return deeds.settles(shop, deeds.idle(shop))


def propose(shop: Shop) -> Call:
    return deeds.settles(shop, deeds.idle(shop, 6000))


def confirm(shop: Shop) -> Call:
    deeds.to_be_confirmed(shop)
    return deeds.confirms(shop)


def decline(shop: Shop) -> Call:
    deeds.to_be_confirmed(shop)
    return deeds.declines(shop)


def record_a_refund_that_was_due(shop: Shop) -> Call:
    return deeds.refunds(shop, deeds.overpaid(shop), 1500)


def decide_and_record_a_refund(shop: Shop) -> Call:
    return deeds.refunds(shop, shop.buyer_pays(), 500)


def undo_a_refund(shop: Shop) -> Call:
    deeds.refunded(shop)
    return deeds.undoes_refund(shop)


def undo_a_settlement(shop: Shop) -> Call:
    return deeds.undoes(shop, deeds.settled(shop))


def undo_a_claim(shop: Shop) -> Call:
    return deeds.undoes(shop, deeds.claimed(shop))


def void_a_receipt(shop: Shop) -> Call:
    shop.states(row(deeds.RECEIPT, shop.clock(), 400, shop.open_order().code))
    return deeds.voids_line(shop, line(deeds.RECEIPT))


def void_a_line_that_a_payment_rests_on(shop: Shop) -> Call:
    shop.states(*deeds.rows_of_each_kind(shop))
    return deeds.voids_line(shop, line("UKN4AB12CF"))


def void_a_reversal(shop: Shop) -> Call:
    return deeds.voids_line(shop, deeds.was_reversed(shop))


def void_what_showed_a_refund(shop: Shop) -> Call:
    return deeds.voids_line(shop, deeds.refund_was_seen(shop))


def void_a_statement(shop: Shop) -> Call:
    return deeds.voids(shop, shop.states(*deeds.rows_beside(shop)))


def seal(shop: Shop) -> Call:
    shop.states(*deeds.rows_of_each_kind(shop))
    return deeds.seals(shop)


def seal_the_rest(shop: Shop) -> Call:
    """What was sealed in part is finished."""
    deeds.to_be_confirmed(shop)
    deeds.seals(shop)()
    deeds.confirms(shop)()
    return deeds.seals(shop)


def import_a_statement(shop: Shop) -> Call:
    return deeds.imports(shop, *deeds.rows_of_each_kind(shop))


def match_a_statement(shop: Shop) -> Call:
    return deeds.matches(shop, shop.upload(*deeds.rows_of_each_kind(shop)))


GROUNDS = [
    claim,
    place_a_part,
    keep_a_part,
    settle,
    propose,
    confirm,
    decline,
    record_a_refund_that_was_due,
    decide_and_record_a_refund,
    undo_a_refund,
    undo_a_settlement,
    undo_a_claim,
    void_a_receipt,
    void_a_line_that_a_payment_rests_on,
    void_a_reversal,
    void_what_showed_a_refund,
    void_a_statement,
    seal,
    seal_the_rest,
    import_a_statement,
    match_a_statement,
]


def whole() -> dict[str, Any]:
    assert [str(fault) for fault in ledger.faults()] == []
    return stands()


def done_again(call: Call) -> str:
    """What whoever does it again is told."""
    try:
        call()
    except ActionRefused as refused:
        return str(refused)
    return "done"


@pytest.mark.parametrize("ground", GROUNDS, ids=lambda ground: ground.__name__)
def test_a_crash_at_any_commit_leaves_all_or_nothing_and_it_can_be_done_again(
    ground: Ground, shop: Shop
) -> None:
    call, began = ground(shop), Kept()
    reached = [whole()]  # how it may stand: before, and after each boundary
    lived = done_by_another(call)
    assert (lived.failed, lived.killed) == ("", False)
    assert lived.boundaries
    end = whole()
    wrong: list[str] = []
    for number, writes in enumerate(lived.boundaries, start=1):
        for when in ("before", "after"):
            began.put_back()
            forget_files()
            died = done_by_another(call, death=Death(number=number, when=when))
            wrong += [] if died.killed else [f"{number} {when}: it did not die. {died.failed}"]
            stood = whole()
            if when == "after":
                reached.append(stood)
            wrong += [f"{number} {when}, killed: {each}" for each in differences(stood, reached[-1])]
            told = done_again(call)
            wrong += [f"{number} {when}, again: {each}" for each in differences(whole(), end)]
            name = ground.__name__.replace("_", " ")
            TOLD.append(f"  {name:35} {number:2} {when:6}  {permanence.short(writes):60.60}  again: {told}")
    wrong += [f"after the last: {each}" for each in differences(reached[-1], end)]
    began.forget()
    assert not wrong, "\n".join(wrong)


def forget_files() -> None:
    """Those of statements, so that the next is kept anew."""
    for path in gateway.statement_folder().glob("*"):
        path.unlink()
