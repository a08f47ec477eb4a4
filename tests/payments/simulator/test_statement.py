"""The statement of what was paid here, as the organisation portal exports it: our own reader takes it."""

from payments.phones import blank_phones
from payments.statement_file import Statement, read_statement
from tests.support.payments.simulator import PERSON, Client, Shop


def statement(client: Client, short_code: str = "") -> Statement:
    address = f"{client.base_url}/statement.csv"
    answer = client.session.get(address, params={"short_code": short_code} if short_code else {}, timeout=10)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    return read_statement(answer.content, filename="statement.csv", scrub=blank_phones)


def test_it_holds_what_was_paid_with_one_charge_and_one_sweep(instant: Client, shop: Shop) -> None:
    instant.pushed(Amount=450, AccountReference="DK34679ACD")
    instant.idle()
    instant.pushed(PERSON, Amount=99)  # waits for a person: not paid
    told = statement(instant)
    receipt = shop.items()["MpesaReceiptNumber"]
    paid = next(line for line in told.lines if line.kind == "payment")
    assert (paid.receipt, paid.paid_in, paid.account_no) == (receipt, 450, "DK34679ACD")
    assert sorted(line.kind.value for line in told.lines) == ["charge", "payment", "sweep"]
    assert (told.short_code, told.warnings) == ("174379", ())


def test_two_downloads_tell_the_same(instant: Client, shop: Shop) -> None:
    instant.pushed()
    instant.idle()
    first = statement(instant)
    instant.pushed("254711000000")
    instant.idle()
    keys = {line.key: (line.paid_in, line.withdrawn) for line in statement(instant).lines}
    assert len(keys) == 4
    assert {line.key: (line.paid_in, line.withdrawn) for line in first.lines}.items() <= keys.items()


def test_before_anything_was_paid_it_is_empty(instant: Client) -> None:
    assert statement(instant).lines == ()


def test_another_merchants_money_is_not_in_it(instant: Client, shop: Shop) -> None:
    instant.pushed()
    instant.idle()
    assert statement(instant, "600000").lines == ()
    answer = instant.session.get(f"{instant.base_url}/statement.csv?short_code=1", timeout=10)
    assert answer.status_code == 404
