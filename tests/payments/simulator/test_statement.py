"""The statement of what was paid here, as the organisation portal exports it: our own reader takes it."""

from collections import Counter

import pytest

from payments.phones import blank_phones
from payments.statement_file import Statement, read_statement
from tests.support.payments.simulator import PERSON, Client, Shop, StartClient


def statement(client: Client, short_code: str = "", layout: str = "older") -> Statement:
    address = f"{client.base_url}/statement.csv"
    asked = {"layout": layout} | ({"short_code": short_code} if short_code else {})
    answer = client.session.get(address, params=asked, timeout=10)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = answer.headers["Content-Disposition"].partition('filename="')[2].rstrip('"')
    return read_statement(answer.content, filename=name, scrub=blank_phones)


@pytest.fixture(params=["older", "newer"])
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_holds_all_that_moved(start: StartClient, shop: Shop, layout: str) -> None:
    client = start(speed="instant", faults=("charges=5",))
    client.pushed(Amount=450, AccountReference="DK34679ACD")
    client.idle()
    receipt = shop.items()["MpesaReceiptNumber"]
    by_hand = client.paid_by_hand(1000, "anything")
    back = client.control("POST", "reverse", {"receipt": by_hand})["receipt"]
    client.control("POST", "sweep", {"amount": 100})
    client.pushed(PERSON, Amount=99)  # waits for a person: not paid
    told = statement(client, layout=layout)
    lines = {line.receipt: line for line in told.lines if line.kind != "charge"}
    assert (lines[receipt].paid_in, lines[receipt].account_no) == (450, "DK34679ACD")
    assert (lines[by_hand].paid_in, lines[by_hand].account_no) == (1000, "anything")
    assert (lines[back].withdrawn, lines[back].kind, lines[back].linked_receipt) == (
        1000,
        "reversal",
        by_hand,
    )
    kinds = Counter(line.kind.value for line in told.lines)
    assert kinds == {"payment": 2, "charge": 2, "reversal": 1, "sweep": 1}
    assert (told.short_code, told.warnings) == ("174379", ())


def test_without_a_switch_nothing_is_charged_and_nothing_swept(instant: Client, shop: Shop) -> None:
    instant.pushed()
    instant.idle()
    assert [line.kind.value for line in statement(instant).lines] == ["payment"]


def test_two_downloads_tell_the_same(instant: Client, shop: Shop) -> None:
    instant.pushed()
    instant.idle()
    first = statement(instant)
    instant.pushed("254711000000")
    instant.idle()
    keys = {line.key: (line.paid_in, line.withdrawn) for line in statement(instant).lines}
    assert len(keys) == 2
    assert {line.key: (line.paid_in, line.withdrawn) for line in first.lines}.items() <= keys.items()


def test_before_anything_was_paid_it_is_empty(instant: Client) -> None:
    assert statement(instant).lines == ()


def test_another_merchants_money_is_not_in_it(instant: Client, shop: Shop) -> None:
    instant.pushed()
    instant.idle()
    assert statement(instant, "600000").lines == ()
    answer = instant.session.get(f"{instant.base_url}/statement.csv?short_code=1", timeout=10)
    assert answer.status_code == 404
