"""The other half of Daraja at the simulator, spoken to plainly: what is refused, what moves, what is told, and when."""

import hashlib
from typing import Any

import pytest
from cryptography import x509

from tests.support.payments.simulator import Client, Shop, StartClient, credential

ORDERS = ("status", "reversal", "balance")


def results(shop: Shop) -> list[dict[str, Any]]:
    return [body["Result"] for body in shop.bodies if "Result" in body]


def values(result: dict[str, Any]) -> dict[str, Any]:
    return {each["Key"]: each.get("Value") for each in result["ResultParameters"]["ResultParameter"]}


def ask(client: Client, what: str, receipt: str = "UKN4AB12CD", **changes: Any) -> Any:
    more: dict[str, Any] = {
        "status": {"TransactionID": receipt, "OriginalConversationID": ""},
        "reversal": {"TransactionID": receipt, "Amount": "450"},
        "balance": {},
    }[what]
    return client.order(what, **{**more, **changes})


def told(
    client: Client, shop: Shop, what: str, receipt: str = "UKN4AB12CD", **changes: Any
) -> dict[str, Any]:
    """The result of an order that was taken."""
    answer = ask(client, what, receipt, **changes)
    assert answer.status_code == 200, answer.text
    client.idle()
    return results(shop)[-1]


# --- what is refused at once ---

BAD = [
    *((what, field, value) for what in ORDERS for field, value in (
        ("Initiator", ""), ("SecurityCredential", "x"), ("SecurityCredential", None), ("CommandID", "Other"),
        ("ResultURL", "nowhere"), ("QueueTimeOutURL", None), ("Remarks", "x"), ("Remarks", "x" * 101),
    )),
    ("status", "PartyA", "1"), ("status", "PartyA", "999999"), ("status", "IdentifierType", "11"),
    ("status", "TransactionID", ""), ("balance", "IdentifierType", "1"),
    ("reversal", "ReceiverParty", "999999"), ("reversal", "RecieverIdentifierType", "4"),
    ("reversal", "Amount", "0"), ("reversal", "Amount", "4.5"), ("reversal", "TransactionID", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "field", "value"), BAD)
def test_a_field_that_will_not_do_is_named(instant: Client, what: str, field: str, value: object) -> None:
    answer = ask(instant, what, **{field: value})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "400.002.02")
    assert answer.json()["errorMessage"] == f"Bad Request - Invalid {field}"


@pytest.mark.parametrize(
    ("what", "code", "status"),
    [("status", "400.003.01", 400), ("reversal", "404.001.03", 404), ("balance", "401.002.01", 401)],
)
def test_each_says_in_its_own_way_that_a_token_is_no_good(
    instant: Client, what: str, code: str, status: int
) -> None:
    instant._token = "of-nobody"
    answer = ask(instant, what)
    assert (answer.status_code, answer.json()["errorCode"]) == (status, code)
    assert ("of-nobody" in answer.text) is (what == "balance")


def test_numbers_and_strings_and_keys_nobody_knows_are_taken(instant: Client, shop: Shop) -> None:
    receipt = instant.paid_by_hand()
    told_of = told(
        instant, shop, "reversal", receipt, Amount=450, ReceiverParty="174379", Occasion=None, Odd=1
    )
    assert told_of["ResultCode"] == 0


@pytest.mark.parametrize("what", ORDERS)
def test_an_initiator_whose_password_is_not_his_is_told_so_in_the_result(
    instant: Client, shop: Shop, what: str
) -> None:
    receipt = instant.paid_by_hand()
    for changes in ({"SecurityCredential": credential("wrong")}, {"Initiator": "somebody"}):
        assert str(told(instant, shop, what, receipt, **changes)["ResultCode"]) == "2001"
    assert instant.moves("reversal") == []


@pytest.mark.parametrize(("fault", "code"), [("initiator_locked", "8006"), ("no_permission", "21")])
def test_an_initiator_can_be_locked_or_lack_the_role(
    instant: Client, shop: Shop, fault: str, code: str
) -> None:
    instant.fault(fault, times=1)
    assert str(told(instant, shop, "balance")["ResultCode"]) == code
    assert str(told(instant, shop, "balance")["ResultCode"]) == "0"


def test_its_certificate_is_handed_out_and_has_run_out_as_safaricoms_has(instant: Client) -> None:
    pem = instant.session.get(f"{instant.base_url}/certificate.pem", timeout=10).content
    read = x509.load_pem_x509_certificate(pem)
    assert read.not_valid_after_utc.year == 2026


# --- Transaction Status ---


def test_a_payment_is_found_by_its_receipt(instant: Client, shop: Shop) -> None:
    instant.pushed()
    instant.idle()
    (paid,) = instant.moves("payment")
    found = values(told(instant, shop, "status", paid["receipt"]))
    assert (found["TransactionStatus"], found["Amount"], found["ReceiptNo"]) == (
        "Completed",
        "450",
        paid["receipt"],
    )
    assert found["CreditPartyName"].startswith("174379 - ")
    assert "TransactionReason" in found
    assert found["TransactionReason"] is None


def test_what_nobody_paid_is_not_found(instant: Client, shop: Shop) -> None:
    result = told(instant, shop, "status")
    assert (result["ResultCode"], "ResultParameters" in result) == (2033, False)


def test_a_payment_to_another_short_code_is_not_found(instant: Client, shop: Shop) -> None:
    receipt = instant.paid_by_hand()
    assert told(instant, shop, "status", receipt, PartyA="600000")["ResultCode"] == 2033


def test_a_reversal_is_found_by_its_order_before_and_after_it_is_done(real: Client, shop: Shop) -> None:
    receipt = real.paid_by_hand()
    order = ask(real, "reversal", receipt).json()["OriginatorConversationID"]
    ask(real, "status", "", OriginalConversationID=order)
    real.advance(4)
    statuses = {
        values(result).get("TransactionStatus") for result in results(shop) if "ResultParameters" in result
    }
    assert statuses & {"Initiated", "Completed"}
    real._token = None
    ask(real, "status", "", OriginalConversationID=order)
    real.advance(4)
    found = values(results(shop)[-1])
    (back,) = real.moves("reversal")
    assert (found["TransactionStatus"], found["ReceiptNo"]) == ("Completed", back["receipt"])
    assert found["DebitPartyName"].startswith("174379 - ")


def test_a_reversal_that_failed_is_declined(instant: Client, shop: Shop) -> None:
    instant.fault("swept_out", times=1)
    receipt = instant.paid_by_hand()
    order = ask(instant, "reversal", receipt).json()["OriginatorConversationID"]
    instant.idle()
    found = values(told(instant, shop, "status", "", OriginalConversationID=order))
    assert found["TransactionStatus"] == "Declined"


# --- Reversal ---


def test_a_reversal_takes_all_or_a_part_and_once(instant: Client, shop: Shop) -> None:
    first, second = instant.paid_by_hand(450), instant.paid_by_hand(900)
    done = told(instant, shop, "reversal", first)
    assert values(done)["OriginalTransactionID"] == first
    assert (done["ResultCode"], values(done)["Amount"]) == (0, 450)
    assert told(instant, shop, "reversal", second, Amount="100")["ResultCode"] == 0
    assert told(instant, shop, "reversal", second, Amount="100")["ResultCode"] == "R000001"
    assert [move["change"] for move in instant.moves("reversal")] == [-450, -100]
    assert done["TransactionID"] == instant.moves("reversal")[0]["receipt"]


def test_what_can_not_go_back_is_refused(instant: Client, shop: Shop) -> None:
    receipt = instant.paid_by_hand(450)
    assert told(instant, shop, "reversal")["ResultCode"] == "R000002"
    assert told(instant, shop, "reversal", receipt, Amount="451")["ResultCode"] == "R000002"
    back = told(instant, shop, "reversal", receipt)["TransactionID"]
    assert told(instant, shop, "reversal", back)["ResultCode"] == "R000002"
    assert "ResultParameters" not in results(shop)[-1]


def test_money_that_was_swept_out_does_not_go_back(instant: Client, shop: Shop) -> None:
    receipt = instant.paid_by_hand(450)
    instant.control("POST", "sweep", {})
    assert told(instant, shop, "reversal", receipt)["ResultCode"] == 1
    instant.paid_by_hand(450)
    assert told(instant, shop, "reversal", receipt)["ResultCode"] == 0


def test_a_customer_has_a_payment_taken_back_himself(instant: Client, shop: Shop) -> None:
    receipt = instant.paid_by_hand(450)
    back = instant.control("POST", "reverse", {"receipt": receipt})
    assert (back["original"], back["change"], back["by"]) == (receipt, -450, "customer")
    assert told(instant, shop, "reversal", receipt)["ResultCode"] == "R000001"
    shown = instant.control("GET", "prompts?phone=254700000000")["messages"]
    assert "was reversed" in shown[0]["text"]


# --- Account Balance ---


def test_the_balance_tells_each_account(start: StartClient, shop: Shop) -> None:
    client = start(speed="instant", faults=("charges=5",))
    client.paid_by_hand(450)
    client.control("POST", "sweep", {"amount": 100})
    result = told(client, shop, "balance")
    accounts = dict(each.split("|")[:3:2] for each in values(result)["AccountBalance"].split("&"))
    assert accounts["Utility Account"] == "345.00"
    assert accounts["Charges Paid Account"] == "-5.00"
    assert accounts["Organization Settlement Account"] == "100.00"
    assert (result["ResultCode"], result["ResultType"]) == ("0", "0")


# --- how it is told ---


@pytest.mark.parametrize(
    ("fault", "value", "kinds"),
    [
        ("no_result", True, []),
        ("duplicate_result", 3, ["result"] * 3),
        ("queue_timeout", True, ["timeout"]),
        ("result_for_nobody", True, ["for_nobody", "result"]),
        ("bare_result", True, ["result"]),
        ("result_before_answer", True, ["result"]),
    ],
)
def test_how_a_result_may_come(
    instant: Client, shop: Shop, fault: str, value: object, kinds: list[str]
) -> None:
    receipt = instant.paid_by_hand()
    instant.fault(fault, value, times=1)
    order = ask(instant, "reversal", receipt).json()["OriginatorConversationID"]
    instant.idle()
    (known,) = instant.control("GET", "state")["orders"]
    assert [delivery["kind"] for delivery in known["deliveries"]] == kinds
    assert len(instant.moves("reversal")) == 1
    mine = [result for result in results(shop) if result["OriginatorConversationID"] == order]
    assert len(mine) == sum(kind != "for_nobody" for kind in kinds)
    assert [path.endswith("late=1") for path in shop.paths] == [kind == "timeout" for kind in kinds]


def test_a_result_comes_late_or_after_the_next(instant: Client, shop: Shop) -> None:
    instant.fault("late_result", 60, times=1)
    ask(instant, "balance")
    instant.idle()
    assert results(shop) == []
    instant.advance(61)
    assert len(results(shop)) == 1
    instant.fault("results_swapped", times=1)
    first, second = (ask(instant, "balance").json()["OriginatorConversationID"] for _ in range(2))
    instant.idle()
    assert [result["OriginatorConversationID"] for result in results(shop)[1:]] == [second, first]


@pytest.mark.parametrize(
    ("fault", "value", "moved"),
    [("deed_drop", True, 0), ("lost_deed_answer", True, 1), ("deed_500", "on", 0), ("deed_500", "accepted", 1),
     ("deed_429", True, 0), ("deed_html", True, 0)],
)  # fmt: skip
def test_an_answer_that_is_no_acknowledgement(instant: Client, fault: str, value: object, moved: int) -> None:
    receipt = instant.paid_by_hand()
    instant.fault(fault, value, times=1)
    try:
        assert ask(instant, "reversal", receipt).status_code != 200
    except OSError:
        assert fault in ("deed_drop", "lost_deed_answer")
    instant.idle()
    assert len(instant.moves("reversal")) == moved


# --- Pull ---


def test_pull_wants_a_registration_and_takes_a_second_for_what_it_is(instant: Client) -> None:
    instant.paid_by_hand()
    assert instant.pull().json()["ResponseCode"] == "1001"
    assert instant.register_pull().json()["ResponseStatus"] == "1000"
    assert instant.register_pull().json()["ResponseStatus"] == "1001"
    assert instant.pull().json()["ResponseCode"] == "1000"


def test_pull_pages_by_rows_and_says_1001_for_nothing(instant: Client) -> None:
    instant.register_pull()
    assert (instant.pull().json()["ResponseCode"], instant.pull().json()["Response"]) == ("1001", [[]])
    receipts = [instant.control("POST", "pay", {"phone": "254700000000", "amount": 10, "account": "X"})["receipt"]
                for _ in range(103)]  # fmt: skip
    seen = []
    for offset in (0, 100):
        seen += [row["transactionId"] for row in instant.pull(OffSetValue=offset).json()["Response"][0]]
    assert seen == receipts
    assert instant.pull(OffSetValue="103").json()["ResponseCode"] == "1001"


def test_pull_tells_of_pushes_reversals_and_reaches_48_hours_back(instant: Client, shop: Shop) -> None:
    instant.register_pull()
    instant.pushed(AccountReference="DK34679ACD")
    instant.idle()
    (paid,) = instant.moves("payment")
    told(instant, shop, "reversal", paid["receipt"])
    row, back = instant.pull().json()["Response"][0]
    assert (row["transactionId"], row["billreference"], row["amount"]) == (
        paid["receipt"],
        "DK34679ACD",
        "450.00",
    )
    assert (back["transactiontype"], back["billreference"]) == ("organization-reversal", paid["receipt"])
    instant.control("POST", "clock", {"advance": 49 * 3600})
    instant._token = None
    assert instant.pull(StartDate="2020-01-01 00:00:00").json()["ResponseCode"] == "1001"


def test_pull_fails_in_its_ways(instant: Client) -> None:
    instant.register_pull()
    instant.paid_by_hand()
    instant.fault("pull_1001", times=1)
    assert instant.pull().json()["ResponseCode"] == "1001"
    instant.fault("pull_429", times=1)
    assert instant.pull().status_code == 429
    assert instant.pull(StartDate="yesterday").json()["errorCode"] == "400.001"
    instant.fault("pull_by_get", times=1)
    assert instant.pull().status_code == 405


# --- C2B ---


def register(client: Client, version: int = 2, **changes: Any) -> Any:
    body = {
        "ShortCode": "174379",
        "ResponseType": "Completed",
        "ConfirmationURL": client.callback_url.replace("/cb/", "/confirmed/"),
        "ValidationURL": client.callback_url.replace("/cb/", "/validated/"),
        **changes,
    }
    return client.post(f"/mpesa/c2b/v{version}/registerurl", body)


@pytest.mark.parametrize("version", [1, 2])
def test_a_payment_by_hand_is_confirmed_flat_and_in_strings(
    instant: Client, shop: Shop, version: int
) -> None:
    assert "OriginatorCoversationID" in register(instant, version).json()
    receipt = instant.paid_by_hand(450, "dk 7f3k9")
    (notice,) = shop.bodies
    assert all(isinstance(value, str) for value in notice.values())
    assert (notice["TransID"], notice["TransAmount"], notice["BillRefNumber"]) == (
        receipt,
        "450.00",
        "dk 7f3k9",
    )
    hashed, masked = hashlib.sha256(b"254700000000").hexdigest(), "2547 ***** 000"
    assert notice["MSISDN"] == (hashed if version == 1 else masked)
    assert notice["OrgAccountBalance"] == "450.00"


def test_addresses_are_registered_once_between_the_versions(instant: Client) -> None:
    register(instant, 1)
    again = register(instant, 2)
    assert (again.status_code, again.json()["errorCode"]) == (500, "500.003.1001")
    assert again.json()["errorMessage"] == "Urls are already registered."
    assert instant.control("DELETE", "c2b") == {"deleted": True}
    assert register(instant, 2).status_code == 200


def test_an_address_with_a_forbidden_word_is_refused(instant: Client) -> None:
    answer = register(instant, ValidationURL="https://shop.example/mpesa/validate")
    assert answer.json()["errorMessage"] == "Bad Request - Invalid ValidationURL - URL has the word MPESA"
    assert answer.json()["errorCode"] == "400.003.02"


def test_validation_is_asked_where_it_is_on_and_may_refuse(instant: Client, shop: Shop) -> None:
    register(instant, ResponseType="Cancelled")
    instant.fault("c2b_validation")
    refused = instant.session.post(
        f"{instant.base_url}/control/pay",
        json={"phone": "254700000000", "amount": 5, "account": "X"},
        timeout=30,
    )
    assert refused.status_code == 409  # the shop's answer holds no ResultCode
    assert shop.bodies[0]["OrgAccountBalance"] == ""
    assert instant.moves("payment") == []


def test_no_answer_to_a_validation_lets_it_pass_where_the_shop_said_completed(
    instant: Client, shop: Shop
) -> None:
    register(instant)
    instant.fault("c2b_validation")
    instant.paid_by_hand()
    assert len(instant.moves("payment")) == 1
    assert [path.startswith("/validated/") for path in shop.paths] == [True, False]


@pytest.mark.parametrize(
    ("fault", "value", "told_times"),
    [("no_confirmation", True, 0), ("duplicate_confirmation", 2, 2)],
)
def test_a_confirmation_may_not_come_or_come_twice(
    instant: Client, shop: Shop, fault: str, value: object, told_times: int
) -> None:
    register(instant)
    instant.fault(fault, value)
    instant.paid_by_hand()
    assert len(shop.bodies) == told_times


def test_a_push_is_confirmed_at_the_c2b_address_only_by_its_switch(instant: Client, shop: Shop) -> None:
    register(instant)
    instant.pushed()
    instant.idle()
    assert [path.startswith("/confirmed/") for path in shop.paths] == [False]
    instant.fault("c2b_for_stk")
    instant.pushed("254711000000")
    instant.idle()
    assert sorted(path.startswith("/confirmed/") for path in shop.paths) == [False, False, True]


@pytest.mark.parametrize("version", [1, 2])
def test_the_sandboxs_call_pays_too(instant: Client, shop: Shop, version: int) -> None:
    register(instant)
    body = {
        "ShortCode": 174379,
        "CommandID": "CustomerPayBillOnline",
        "Amount": "5",
        "Msisdn": 254708374149,
        "BillRefNumber": "DK7F3K9",
    }
    assert instant.post(f"/mpesa/c2b/v{version}/simulate", body).json()["ResponseCode"] == "0"
    instant.idle()
    assert [notice["BillRefNumber"] for notice in shop.bodies] == ["DK7F3K9"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"phone": "0700", "amount": 5, "account": "X"}, "12 digits"),
        ({"phone": "254700000000", "amount": 0, "account": "X"}, "whole number"),
        ({"phone": "254700000000", "amount": 5}, "account"),
        ({"phone": "254700000000", "amount": 5, "account": "X", "short_code": "1"}, "short_code"),
        ({"phone": "254700000000", "amount": 5, "account": "X", "pin": "0000"}, "Wrong M-PESA PIN"),
    ],
)
def test_a_payment_by_hand_that_can_not_be(instant: Client, body: dict[str, Any], words: str) -> None:
    answer = instant.session.post(f"{instant.base_url}/control/pay", json=body, timeout=10)
    assert answer.status_code in (400, 409)
    assert words in answer.json()["error"]


def test_a_reset_forgets_all_of_it(instant: Client, shop: Shop) -> None:
    register(instant)
    instant.register_pull()
    instant.paid_by_hand()
    instant.control("POST", "reset")
    state = instant.control("GET", "state")
    assert (state["moves"], state["orders"]) == ([], [])
    instant._token = None
    assert register(instant).status_code == 200
