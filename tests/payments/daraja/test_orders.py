"""The other half of Daraja: our client against the simulator, over HTTP, and what each answer says of the money."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from payments.daraja import (
    ENDINGS,
    Busy,
    C2bNotice,
    CertificateUnreadable,
    Done,
    Initiator,
    Misconfigured,
    NoticeUnreadable,
    OutcomeUnknown,
    Refused,
    Reply,
    ResultAddresses,
    ResultUnreadable,
    ReversalRequest,
    StatusRequest,
    TooLate,
    Unreachable,
    balances,
    found_transaction,
    read_acknowledgement,
    read_notice,
    read_pull,
    read_result,
    reversal_done,
)
from payments.simulator.accounts import INITIATOR, INITIATOR_PASSWORD
from payments.simulator.business.credential import certificate
from payments.simulator.options import Config
from payments.simulator.server import running
from tests.support.payments.simulator import Client, Shop, daraja, hearing

BOSS = Initiator(name=INITIATOR, password=INITIATOR_PASSWORD, certificate=certificate())


class Line:
    """Our client and a shop that hears results, at one simulator."""

    def __init__(self, simulator: Client, shop: Shop) -> None:
        self.simulator = simulator
        self.shop = shop
        self.client = daraja(simulator.base_url)
        self.told_at = ResultAddresses(result_url=shop.url, timeout_url=shop.url)

    def ask(self, what: str, receipt: str = "", **changes: Any) -> Any:
        by: dict[str, Any] = {"initiator": changes.pop("initiator", BOSS), "told_at": self.told_at}
        if what == "balance":
            return self.client.ask_balance(**by)
        if what == "status":
            return self.client.ask_status(StatusRequest(receipt=receipt, **changes), **by)
        amount = changes.pop("amount", 450)
        order = ReversalRequest(receipt=receipt, amount=amount, remarks="Refund DK7F3K9")
        return self.client.reverse(order, **by, **changes)

    def result(self) -> Any:
        self.simulator.idle()
        return read_result(json.dumps(self.shop.bodies[-1]))


@pytest.fixture
def line() -> Iterator[Line]:
    with hearing() as shop, running(Config(port=0, speed="instant")) as server:
        yield Line(Client(server.base_url, shop.url), shop)


def test_a_payment_is_looked_up_by_its_receipt(line: Line) -> None:
    receipt = line.simulator.paid_by_hand(450)
    order = line.ask("status", receipt)
    result = line.result()
    assert result.originator_conversation_id == order.originator_conversation_id
    found = found_transaction(result)
    assert found is not None
    assert (found.receipt, found.amount, found.completed) == (receipt, 450, True)
    assert found.came_to("174379")
    assert not found.came_to("17437")
    assert not found.left("174379")
    assert found.finished_at is not None


def test_what_safaricom_does_not_know_is_a_no(line: Line) -> None:
    line.ask("status", "UKN4AB12CD")
    result = line.result()
    assert result.ending.done is Done.NO
    assert found_transaction(result) is None


def test_a_reversal_is_told_with_its_own_receipt_and_found_by_its_order(line: Line) -> None:
    receipt = line.simulator.paid_by_hand(450)
    order = line.ask("reversal", receipt)
    done = reversal_done(line.result())
    assert done is not None
    assert (done.original, done.amount) == (receipt, 450)
    line.ask("status", originator_conversation_id=order.originator_conversation_id)
    found = found_transaction(line.result())
    assert found is not None
    assert (found.receipt, found.left("174379"), found.completed) == (done.receipt, True, True)
    line.ask("reversal", receipt)
    assert line.result().ending.done is Done.ALREADY


def test_the_balance_is_read_account_by_account(line: Line) -> None:
    line.simulator.paid_by_hand(450)
    line.ask("balance")
    told = balances(line.result())
    assert told["Utility Account"] == Decimal(450)
    assert told["Charges Paid Account"] == 0


def test_another_certificate_ends_in_2001(line: Line) -> None:
    receipt = line.simulator.paid_by_hand(450)
    line.ask(
        "reversal", receipt, initiator=Initiator(name=INITIATOR, password="x", certificate=certificate())
    )
    assert (line.result().code, line.result().ending.done) == ("2001", Done.NO)


@pytest.mark.parametrize("what", ["status", "reversal", "balance"])
def test_a_token_that_died_is_replaced_once(line: Line, what: str) -> None:
    receipt = line.simulator.paid_by_hand(450)
    line.ask("balance")
    line.simulator.control("POST", "expire-tokens")
    line.ask(what, receipt)
    assert (
        len([each for each in line.simulator.control("GET", "state")["orders"] if each["what"] == what]) >= 1
    )


@pytest.mark.parametrize(
    ("fault", "value", "error", "moved"),
    [
        ("deed_429", True, Busy, 0),
        ("deed_html", True, Refused, 0),
        ("deed_drop", True, OutcomeUnknown, 0),
        ("lost_deed_answer", True, OutcomeUnknown, 1),
        ("deed_500", "on", OutcomeUnknown, 0),
        ("deed_500", "accepted", OutcomeUnknown, 1),
    ],
)
def test_each_failure_says_whether_money_may_have_moved(
    line: Line, fault: str, value: object, error: type[Exception], moved: int
) -> None:
    receipt = line.simulator.paid_by_hand(450)
    line.simulator.fault(fault, value)
    with pytest.raises(error):
        line.ask("reversal", receipt)
    line.simulator.idle()
    assert line.simulator.control("GET", "state")["counters"]["reversal"] == 1  # it was sent once
    assert len(line.simulator.moves("reversal")) == moved


def test_a_reversal_that_was_held_up_is_not_sent(line: Line) -> None:
    receipt = line.simulator.paid_by_hand(450)
    with pytest.raises(TooLate):
        line.ask("reversal", receipt, may_leave=lambda: False)
    assert line.simulator.control("GET", "state")["counters"]["reversal"] == 0


def test_nobody_there_is_no_reversal() -> None:
    nowhere = daraja("http://127.0.0.1:9")
    with pytest.raises(Unreachable):
        nowhere.ask_balance(initiator=BOSS, told_at=ResultAddresses(result_url="x", timeout_url="x"))


def test_pull_is_read_by_pages(line: Line) -> None:
    now = datetime.now(UTC)
    window = {"start": now - timedelta(hours=40), "end": now + timedelta(minutes=1)}
    assert line.client.pull(**window, offset=0).fetched is False
    assert line.client.register_pull(nominated_number="254722000000", callback_url=line.shop.url).new
    assert not line.client.register_pull(nominated_number="254722000000", callback_url=line.shop.url).new
    receipt = line.simulator.paid_by_hand(450, "dk 7f3k9")
    back = line.simulator.control("POST", "reverse", {"receipt": receipt})["receipt"]
    page = line.client.pull(**window, offset=0)
    came, went = page.rows
    assert (came.receipt, came.amount, came.reference, came.is_payment) == (receipt, 450, "dk 7f3k9", True)
    assert (went.receipt, went.reference, went.is_reversal, went.is_payment) == (back, receipt, True, False)
    assert came.at is not None
    assert abs(came.at - now) < timedelta(minutes=1)
    line.simulator.fault("pull_1001", times=1)
    assert line.client.pull(**window, offset=0).fetched is False
    line.simulator.fault("pull_429", times=1)
    with pytest.raises(Busy):
        line.client.pull(**window, offset=0)


def test_c2b_addresses_are_registered_once(line: Line) -> None:
    at = {"confirmation_url": line.shop.url, "validation_url": line.shop.url}
    assert line.client.register_c2b(**at).new
    assert not line.client.register_c2b(**at).new
    with pytest.raises(Refused):
        line.client.register_c2b(confirmation_url="https://x/mpesa", validation_url="https://x/y")
    line.simulator.paid_by_hand(450, "dk 7f3k9")
    notice = read_notice(json.dumps(line.shop.bodies[-1]))
    assert (notice.short_code, notice.amount, notice.account) == ("174379", 450, "dk 7f3k9")


# --- reading ---


@pytest.mark.parametrize("code", [*ENDINGS, "999", "E3008", "1e0", "0.5"])
@pytest.mark.parametrize("as_number", [True, False])
def test_only_a_listed_code_ends_an_order(code: str, as_number: bool) -> None:
    told: Any = int(code) if as_number and code.isdigit() else code
    body = {"Result": {"ResultCode": told, "OriginatorConversationID": "1-2-3"}}
    result = read_result(json.dumps(body))
    assert (result.ending.done is Done.UNKNOWN) is (code not in ENDINGS)
    assert (result.ending.done is Done.YES) is (code == "0")


def test_daraja_s_own_sample_names_the_other_party_by_the_same_key() -> None:
    pairs = [("DebitPartyName", "254708374149 - J"), ("DebitPartyName", "174379 - Shop"),
             ("TransactionStatus", "Completed"), ("Amount", "1,0")]  # fmt: skip
    listed = [{"Key": key, "Value": value} for key, value in pairs] + [{"Key": "DebitPartyCharges"}]
    body = {"Result": {"ResultCode": 0, "OriginatorConversationID": "1-2-3",
                       "ResultParameters": {"ResultParameter": listed}}}  # fmt: skip
    found = found_transaction(read_result(json.dumps(body)))
    assert found is not None
    assert found.came_to("174379")
    assert found.amount is None
    assert "254708374149" not in repr(found)


@pytest.mark.parametrize(
    "status", ["Completed", "Declined", "Cancelled", "Expired", "Initiated", "Authorized", ""]
)
def test_which_status_is_an_end(status: str) -> None:
    listed = [{"Key": "TransactionStatus", "Value": status}]
    body = {"Result": {"ResultCode": "0", "OriginatorConversationID": "1", "ResultParameters": listed}}
    found = found_transaction(read_result(json.dumps(body)))
    assert found is not None
    assert found.ended is (status in ("Completed", "Declined", "Cancelled", "Expired"))
    assert found.completed is (status == "Completed")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["Result", "ResultCode", "OriginatorConversationID", "ResultParameters", "ResultParameter", "Key",
             "Value", "TransID", "BusinessShortCode", "ResponseCode", "Response", "transactionId"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@given(told=ODD)
def test_whatever_is_posted_is_read_or_refused(told: object) -> None:
    for body in (told, {"Result": told}, {"Result": {"ResultCode": told, "OriginatorConversationID": "1"}}):
        text = json.dumps(body)
        try:
            result = read_result(text)
            found_transaction(result), reversal_done(result), balances(result)
        except ResultUnreadable:
            pass
        with contextlib.suppress(NoticeUnreadable):
            assert isinstance(read_notice(text), C2bNotice)
        for read in (read_acknowledgement, read_pull):
            with contextlib.suppress(Refused, OutcomeUnknown):
                read(Reply(status=200, text=text))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"x" * 70_000, b'{"Result": []}'])
def test_rubbish_is_no_result_and_no_notice(body: bytes) -> None:
    with pytest.raises(ResultUnreadable):
        read_result(body)
    with pytest.raises(NoticeUnreadable):
        read_notice(body)


@pytest.mark.parametrize("status", [200, 201, 400, 404, 500, 503])
@pytest.mark.parametrize("text", ["", "<html>", "{}", '{"ResponseCode": "1"}', '{"ResponseCode": "0"}'])
def test_an_answer_without_an_acknowledgement_never_counts_as_one(status: int, text: str) -> None:
    with pytest.raises((Refused, OutcomeUnknown)) as raised:
        read_acknowledgement(Reply(status=status, text=text))
    if status in (200, 201, 500, 503):
        assert isinstance(raised.value, OutcomeUnknown)


def test_a_wrong_initiator_or_address_is_the_shops_to_mend() -> None:
    body = '{"errorCode": "400.002.02", "errorMessage": "Bad Request - Invalid SecurityCredential"}'
    with pytest.raises(Misconfigured):
        read_acknowledgement(Reply(status=400, text=body))


@pytest.mark.parametrize("file", [b"", b"no certificate", certificate()[:200]])
def test_a_file_that_is_no_certificate_says_so(file: bytes) -> None:
    with pytest.raises(CertificateUnreadable, match="The file holds no certificate"):
        Initiator(name="x", password="y", certificate=file).security_credential()


def test_nothing_private_stands_in_a_repr() -> None:
    told_at = ResultAddresses(result_url="https://shop/secret-token", timeout_url="https://shop/secret-token")
    assert "secret-token" not in repr(told_at)
    assert INITIATOR_PASSWORD not in repr(BOSS)


@responses.activate
def test_the_password_travels_encrypted_only() -> None:
    responses.get("https://d/oauth/v1/generate", json={"access_token": "t" * 28, "expires_in": "3599"})
    sent = responses.post("https://d/mpesa/reversal/v1/request", json={})
    order = ReversalRequest(receipt="UKN4AB12CD", amount=1, remarks="Refund ümläut ☃ DK1")
    told_at = ResultAddresses(result_url="https://s/a", timeout_url="https://s/b")
    with pytest.raises(OutcomeUnknown):
        daraja("https://d").reverse(order, initiator=BOSS, told_at=told_at)
    body = json.loads(sent.calls[0].request.body or b"")
    assert INITIATOR_PASSWORD not in json.dumps(body)
    assert len(body["SecurityCredential"]) == 344
    assert body["RecieverIdentifierType"] == "11"
    assert body["Remarks"].isascii()
