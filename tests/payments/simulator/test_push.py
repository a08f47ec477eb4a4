"""What the simulated push takes, refuses and in which order, and how each number ends."""

import re
import threading
from typing import Any

import pytest
import requests

from payments.simulator.endings import ENDINGS, Ending, RefusedAtOnce
from tests.support.payments.simulator import PAYS, PERSON, Client, Shop, StartClient, password

LISTED = [e for e in ENDINGS.values() if isinstance(e, Ending)]
REFUSED = [e for e in ENDINGS.values() if isinstance(e, RefusedAtOnce)]


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["errorCode"], body["errorMessage"]


def test_the_password_of_the_sheets_test_vector_is_taken() -> None:
    assert password("174379") == (
        "MTc0Mzc5YmZiMjc5ZjlhYTliZGJjZjE1OGU5N2RkNzFhNDY3Y2QyZTBjODkzMDU5YjEwZjc4ZTZiNzJhZGExZWQyYzkxOTIwMjYxMTIzMTgwMDAw"
    )


def test_ids_have_safaricoms_forms(instant: Client, shop: Shop) -> None:
    body = instant.push().json()
    instant.idle()
    assert re.fullmatch(r"ws_CO_\d{14}\d700000000", body["CheckoutRequestID"])
    assert re.fullmatch(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\d+", body["MerchantRequestID"])
    assert re.fullmatch(r"[A-Z][A-L][1-9A-V][0-9A-Z]{7}", shop.items()["MpesaReceiptNumber"])
    assert re.fullmatch(r"[0-9A-Za-z]{28}", instant.token)


@pytest.mark.parametrize("changes", [{}, {"Amount": "450", "BusinessShortCode": "174379", "PartyB": 174379}])
def test_numbers_and_strings_are_both_taken_and_unknown_keys_ignored(
    instant: Client, changes: dict[str, Any]
) -> None:
    numbers = {"PhoneNumber": int(PAYS), "PartyA": int(PAYS), "Passkey": "extra"}
    assert instant.push(**{**numbers, **changes}).status_code == 200


FIELDS = {
    "BusinessShortCode": ("BusinessShortCode", [None, "", "abc", 1, True, [174379]]),
    "Password": ("Password", [None, "", "not base64!"]),
    "Timestamp": ("Timestamp", [None, "20261323180000", "2026112318000"]),
    "TransactionType": ("TransactionType", [None, "CustomerPayBill"]),
    "Amount": ("Amount", [None, 0, -1, 250_001, 1.5, "1.00", "", True, "²"]),
    "PartyB": ("PartyB", [None, "x"]),
    "PhoneNumber": ("PhoneNumber", [None, "0700000000", "+254700000000", 254200000000, "2547000000000"]),
    "PartyA": ("PartyA", [None, "0700000000"]),
    "CallBackURL": (
        "CallBackURL",
        [
            None,
            "",
            "shop.example/cb",
            "ftp://shop.example/cb",
            "https://SHOP.example/cb",
            "https://<host>/cb",
            "https://",
        ],
    ),
    "AccountReference": ("AccountReference", [None, "", " "]),
    "TransactionDesc": ("Remarks", [None, "", " "]),
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, (_, values) in FIELDS.items() for v in values])
def test_a_field_that_will_not_do_is_named(instant: Client, field: str, value: object) -> None:
    named = FIELDS[field][0]
    assert refusal(instant.push(**{field: value})) == (400, "400.002.02", f"Bad Request - Invalid {named}")


def test_checks_come_in_daraja_s_order(instant: Client) -> None:
    """Each request has every later fault as well."""
    url = f"{instant.base_url}/mpesa/stkpush/v1/processrequest"
    bearer = {"Authorization": f"Bearer {instant.token}"}
    json_type = {**bearer, "Content-Type": "application/json"}
    assert refusal(requests.put(url, data="{", timeout=5))[:2] == (405, "405.001")
    assert refusal(requests.get(url, timeout=5))[:2] == (404, "404.001.04")
    assert refusal(requests.post(url, data="{", timeout=5))[:2] == (404, "404.001.03")
    assert (
        refusal(requests.post(url, data="{", headers=bearer, timeout=5))[2]
        == "Bad Request - Invalid BusinessShortCode"
    )
    assert refusal(requests.post(url, data="{", headers=json_type, timeout=5))[1] == "400.002.05"
    assert refusal(requests.post(url, data="[]", headers=json_type, timeout=5))[1] == "400.002.05"
    instant.pushed(PERSON)
    wrong = {"BusinessShortCode": 999999, "Amount": 0}
    assert refusal(instant.push(PERSON, **wrong))[2] == "Bad Request - Invalid Amount"
    assert refusal(instant.push(PERSON, BusinessShortCode=999999))[2] == "Merchant does not exist"
    assert refusal(instant.push(PERSON, Password=password("600000")))[2] == "Wrong credentials"
    assert refusal(instant.push(PERSON))[2].startswith("Unable to lock subscriber")


def test_long_texts_are_taken_and_warned_about(instant: Client) -> None:
    asked = instant.pushed(PERSON, AccountReference="CART_1234567890", TransactionDesc="DJ mixes and more")
    texts = [w["text"] for w in instant.control("GET", "state")["warnings"]]
    assert instant.transaction(asked)["warnings"] == texts
    assert [text.split(":")[0] for text in texts] == [
        "AccountReference too long",
        "AccountReference has characters other than letters, digits, space and hyphen",
        "TransactionDesc too long",
    ]


def test_a_proper_push_gives_no_warning(instant: Client) -> None:
    instant.pushed(AccountReference="A" * 12, TransactionDesc="D" * 13)
    assert instant.control("GET", "state")["warnings"] == []


def test_a_prompt_over_182_characters_ends_with_1025(instant: Client) -> None:
    asked = instant.pushed(AccountReference="A" * 130)
    instant.idle()
    assert instant.transaction(asked)["result_code"] == "1025"


def test_the_lock_is_released_when_the_prompt_is_answered(instant: Client) -> None:
    first = instant.pushed(PERSON)
    assert instant.push(PERSON).status_code == 500
    assert instant.push("254700000056").status_code == 200
    instant.act(first, "cancel")
    second = instant.pushed(PERSON)
    assert second != first


def test_two_identical_pushes_give_two_payments(instant: Client, shop: Shop) -> None:
    for _ in range(2):
        instant.pushed(PAYS)
        instant.idle()
    receipts = {shop.items(which)["MpesaReceiptNumber"] for which in range(2)}
    assert len(receipts) == 2


def test_of_two_simultaneous_pushes_to_a_line_one_is_accepted(instant: Client) -> None:
    statuses: list[int] = []
    assert instant.token
    threads = [
        threading.Thread(target=lambda: statuses.append(instant.push(PERSON).status_code)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [500] * 7


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BusinessShortCode": 600000, "PartyB": 600001, "TransactionType": "CustomerBuyGoodsOnline"}, "0"),
        (
            {"BusinessShortCode": 600000, "PartyB": 600000, "TransactionType": "CustomerBuyGoodsOnline"},
            "2028",
        ),
        ({"BusinessShortCode": 600000, "PartyB": 600001}, "2028"),
        ({"TransactionType": "CustomerBuyGoodsOnline"}, "2028"),
        ({"PartyB": 600001}, "2028"),
    ],
)
def test_a_wrong_pairing_is_accepted_and_fails_later(
    instant: Client, shop: Shop, changes: dict[str, Any], code: str
) -> None:
    asked = instant.pushed(PAYS, **changes)
    instant.idle()
    assert instant.transaction(asked)["result_code"] == code
    assert shop.headers[0]["Businessshortcode"] == str(changes.get("BusinessShortCode", 174379))


@pytest.mark.parametrize("ending", LISTED, ids=lambda e: e.digits)
def test_a_listed_number_ends_as_listed_by_callback_and_query(
    instant: Client, shop: Shop, ending: Ending
) -> None:
    asked = instant.pushed(f"2547000000{ending.digits}")
    instant.idle()
    answer = instant.query(asked).json()
    (callback,) = shop.callbacks
    assert answer["ResultCode"] == ending.code
    assert callback["ResultCode"] == (int(ending.code) if ending.code.isdigit() else ending.code)
    assert callback["CheckoutRequestID"] == answer["CheckoutRequestID"] == asked
    assert ("CallbackMetadata" in callback) == (ending.code == "0")


@pytest.mark.parametrize("ending", LISTED, ids=lambda e: e.digits)
def test_at_real_speed_it_ends_when_its_time_has_come(real: Client, shop: Shop, ending: Ending) -> None:
    asked = real.pushed(f"2547000000{ending.digits}")
    real.advance(ending.seconds - 1)
    assert shop.bodies == []
    assert real.query(asked).json()["ResultCode"] == "4999"
    real.advance(1)
    assert len(shop.bodies) == 1


@pytest.mark.parametrize("ending", REFUSED, ids=lambda e: e.digits)
def test_a_number_listed_as_refused_is_refused_at_once(
    instant: Client, shop: Shop, ending: RefusedAtOnce
) -> None:
    answer = instant.push(f"2547000000{ending.digits}")
    assert refusal(answer) == (ending.status, ending.error_code, ending.message)
    assert instant.control("GET", "state")["transactions"] == []


def test_safaricoms_test_line_never_answers(real: Client, shop: Shop) -> None:
    real.pushed("254708374149")
    real.advance(25)
    assert shop.bodies == []
    real.advance(1)
    assert shop.callbacks[0]["ResultCode"] == 1037


def test_any_other_number_waits_for_a_person_and_times_out_after_a_minute(
    instant: Client, shop: Shop
) -> None:
    asked = instant.pushed(PERSON)
    instant.advance(59)
    assert shop.bodies == []
    instant.advance(1)
    assert (shop.callbacks[0]["ResultCode"], shop.callbacks[0]["CheckoutRequestID"]) == (1037, asked)


def test_money_that_comes_late(instant: Client, shop: Shop) -> None:
    asked = instant.pushed("254700000080")
    instant.idle()
    assert instant.query(asked).json()["ResultCode"] == "1037"
    instant.advance(60)
    assert [c["ResultCode"] for c in shop.callbacks] == [1037, 0]
    assert instant.query(asked).json()["ResultCode"] == "0"


def test_a_new_token_kills_the_old_one_unless_told_not_to(start: StartClient) -> None:
    for faults, status in (((), 404), (("keep_old_tokens",), 200)):
        client = start(speed="instant", faults=faults)
        assert client.token
        client.oauth()
        assert client.push().status_code == status


def test_a_token_lives_an_hour(instant: Client) -> None:
    assert instant.token
    instant.advance(3595)
    assert instant.push().status_code == 200
    instant.advance(6)
    assert refusal(instant.push())[1] == "404.001.03"


def test_a_query_about_another_merchants_payment_finds_nothing(instant: Client) -> None:
    asked = instant.pushed(PAYS)
    answer = instant.query(asked, BusinessShortCode="600000", Password=password("600000"))
    assert refusal(answer) == (500, "500.001.1001", "The transaction does not Exist")
    assert (
        refusal(instant.query(asked, CheckoutRequestID=None))[2] == "Bad Request - Invalid CheckoutRequestID"
    )
    assert refusal(instant.query(asked, Password=password("600000")))[2] == "Wrong credentials"
