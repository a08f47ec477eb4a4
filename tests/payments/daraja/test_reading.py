"""Reading answers to a push and a query that no sample shows: odd, hostile, contradictory."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.daraja import (
    Busy,
    DarajaError,
    InvalidToken,
    Misconfigured,
    OutcomeUnknown,
    PushAccepted,
    QueryAnswer,
    Refused,
    SubscriberLocked,
    Token,
    Unreachable,
    Verdict,
    read_push,
    read_query,
    read_token,
)
from tests.support.payments.canned_daraja import ACCEPTED, CHECKOUT_ID, NOW, PAID, PHONE
from tests.support.payments.odd_answers import ODD_TEXTS, complaint, json_values, reply

# The push


@pytest.mark.parametrize("code", ["0", 0, "0 "])
def test_an_acceptance_may_be_text_or_number(code):
    assert read_push(reply({**ACCEPTED, "ResponseCode": code})).checkout_request_id == CHECKOUT_ID


def test_ids_may_be_numbers_and_the_merchants_may_be_missing():
    accepted = read_push(reply({"ResponseCode": "0", "CheckoutRequestID": 17}))
    assert (accepted.checkout_request_id, accepted.merchant_request_id) == ("17", "")


def test_an_acceptance_shows_no_phone():
    accepted = read_push(reply({**ACCEPTED, "CustomerMessage": f"Sent to {PHONE}"}))
    assert "708374149" not in repr(accepted)


@pytest.mark.parametrize(
    "bad", [None, True, [], {}, "", "x" * 129, "a b", "a\x00", "é", 10**200, float("nan")]
)
@pytest.mark.parametrize("name", ["CheckoutRequestID", "MerchantRequestID"])
def test_an_acceptance_with_an_unusable_id_is_unknown(name, bad):
    if (name, bad) == ("MerchantRequestID", None):
        return
    with pytest.raises(OutcomeUnknown):
        read_push(reply({**ACCEPTED, name: bad}))


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize(
    "status", [100, 200, 201, 204, 301, 304, 408, 409, 425, 499, 500, 502, 503, 504, 599]
)
def test_rubbish_is_unknown(text, status):
    with pytest.raises(OutcomeUnknown) as caught:
        read_push(reply(text, status))
    assert caught.value.http_status == status
    assert caught.value.message


@pytest.mark.parametrize("text", ODD_TEXTS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 415, 422])
def test_rubbish_with_a_4xx_is_a_refusal(text, status):
    with pytest.raises(Refused) as caught:
        read_push(reply(text, status))
    assert caught.value.message


def test_an_acceptance_under_another_status_is_unknown():
    with pytest.raises(OutcomeUnknown):
        read_push(reply(ACCEPTED, 500))


@pytest.mark.parametrize("code", ["1", "", None, False, True, "00", 1.5, [0]])
def test_a_response_code_that_is_not_zero_is_unknown(code):
    with pytest.raises(OutcomeUnknown):
        read_push(reply({**ACCEPTED, "ResponseCode": code}))


@pytest.mark.parametrize("status", [200, 400, 401, 404, 500])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("404.001.03", ""),
        ("400.003.01", ""),
        ("401.002.01", ""),
        ("401.003.01", ""),
        ("401.001", ""),
        ("", "Invalid Access Token"),
        ("x", "Error Occurred - Invalid Access Token - abc"),
    ],
)
def test_a_refused_token_is_known_by_code_or_words_under_any_status(code, words, status):
    for read in (read_push, lambda r: read_query(r, CHECKOUT_ID)):
        with pytest.raises(InvalidToken) as caught:
            read(complaint(code, words, status))
        assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (complaint("500.001.1001", "Merchant does not exist"), Misconfigured),
        (complaint("500.001.1001", "[MerchantValidate] - Wrong credentials"), Misconfigured),
        (complaint("500.001.1001", "Unable to lock subscriber, a transaction is …"), SubscriberLocked),
        (complaint("500.001.1001", "The transaction is being processed"), OutcomeUnknown),
        (complaint("500.001.1001", "", status=400), OutcomeUnknown),
        (complaint("500.001.1001", "Wrong credentials", status=200), OutcomeUnknown),
        (complaint("500.003.02", "Error Occurred: Spike Arrest Violation"), OutcomeUnknown),
        (complaint("", "Quota Violation"), Busy),
        (reply({"fault": {"detail": {"errorcode": "policies.ratelimit.QuotaViolation"}}}, 500), Busy),
        (reply("", 429), Busy),
        (reply("<html>", 429), Busy),
        (complaint("", "Merchant not allowed to carry out transaction type", 400), Misconfigured),
        (reply("Invalid API call as no apiproduct match found", 401), Misconfigured),
    ],
)
def test_one_code_is_split_by_its_words(given, error):
    with pytest.raises(DarajaError) as caught:
        read_push(given)
    assert type(caught.value) is error


def test_safaricoms_words_are_kept_short_and_on_one_line():
    with pytest.raises(Refused) as caught:
        read_push(complaint("400.002.02", "Bad\r\nRequest \x00 " + "word " * 500, 400))
    assert caught.value.message.startswith("Bad Request word")
    assert len(caught.value.message) <= 300
    assert caught.value.code == "400.002.02"


NAMES = (
    "ResponseCode CheckoutRequestID MerchantRequestID ResultCode ResultDesc errorCode errorMessage fault Envelope "
    "CustomerMessage access_token expires_in"
)
answers = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES.split(), json_values))
texts = st.text() | answers.map(json.dumps) | json_values.map(json.dumps)
statuses = st.sampled_from([200, 201, 302, 400, 401, 404, 408, 429, 500, 502, 503]) | st.integers(100, 599)


@given(texts, statuses)
def test_any_answer_to_a_push_is_an_acceptance_or_a_sorted_error(text, status):
    try:
        assert isinstance(read_push(reply(text, status)), PushAccepted)
        assert status == 200
    except (Refused, OutcomeUnknown):
        pass


@given(texts, statuses)
def test_any_answer_to_a_query_is_an_answer_or_a_bad_token(text, status):
    try:
        answer = read_query(reply(text, status), CHECKOUT_ID)
    except InvalidToken:
        return
    assert isinstance(answer, QueryAnswer)
    assert answer.verdict in (Verdict.NO_ANSWER, Verdict.PROCESSING)  # the id can't be guessed


@given(texts, statuses)
def test_any_answer_to_oauth_is_a_token_or_an_error_that_asked_nobody(text, status):
    with suppress(Misconfigured, Busy, Unreachable):
        assert isinstance(read_token(reply(text, status), NOW), Token)


# The query


@pytest.mark.parametrize(
    "changes",
    [
        {"ResponseCode": "1"},
        {"ResponseCode": None},
        {"CheckoutRequestID": "ws_CO_other"},
        {"CheckoutRequestID": None},
        {"CheckoutRequestID": [CHECKOUT_ID]},
        {"ResultCode": None},
        {"ResultCode": False},
        {"ResultCode": ""},
        {"ResultCode": "00"},
        {"ResultCode": "7777"},
        {"ResultCode": "26"},
        {"errorCode": "500.001.1001"},
        {"errorMessage": "Something"},
    ],
)
@pytest.mark.parametrize("code", ["0", "1032"])
def test_a_payment_is_never_decided_by_an_answer_with_a_flaw(changes, code):
    answer = read_query(reply({**PAID, "ResultCode": code, **changes}), CHECKOUT_ID)
    assert answer.verdict is Verdict.NO_ANSWER
    assert answer.description


@pytest.mark.parametrize("status", [201, 302, 400, 408, 429, 500, 502, 503])
def test_a_payment_is_decided_by_http_200_alone(status):
    assert read_query(reply(PAID, status), CHECKOUT_ID).verdict is Verdict.NO_ANSWER


@pytest.mark.parametrize("code", ["0", 0])
def test_a_result_code_may_be_text_or_number(code):
    assert read_query(reply({**PAID, "ResultCode": code}), CHECKOUT_ID).verdict is Verdict.PAID


def test_an_unlisted_code_is_no_answer_but_keeps_its_row():
    answer = read_query(reply({**PAID, "ResultCode": "7777"}), CHECKOUT_ID)
    assert answer.result is not None
    assert (answer.result.final, answer.code) == (False, "7777")


@pytest.mark.parametrize("status", [200, 400, 500])
def test_being_processed_is_processing(status):
    answer = read_query(complaint("500.001.1001", "The transaction is being processed", status), CHECKOUT_ID)
    assert (answer.verdict, answer.asked) == (Verdict.PROCESSING, True)


def test_4999_without_an_id_is_processing_but_of_another_id_is_not():
    body = {"ResponseCode": "0", "ResultCode": "4999"}
    assert read_query(reply(body), CHECKOUT_ID).verdict is Verdict.PROCESSING
    other = read_query(reply({**body, "CheckoutRequestID": "ws_CO_other"}), CHECKOUT_ID)
    assert other.verdict is Verdict.NO_ANSWER


@pytest.mark.parametrize(
    "given",
    [
        reply("<html>", 200),
        reply("[]", 200),
        reply("", 500),
        reply({"errorCode": "500.001.1001"}, 502),
        reply({"errorCode": "500.001.1001"}, 503),
        reply({"errorCode": "500.001.1001"}, 504),
        reply({"fault": {"faultstring": "x"}}, 500),
        complaint("500.001.1001", "Merchant does not exist"),
        complaint("500.001.1001", "Wrong credentials"),
        complaint("500.002.1001", "Service is currently under maintenance"),
        complaint("500.003.02", "System is busy"),
        complaint("500.003.03", "Quota Violation"),
        complaint("400.002.02", "Bad Request - Invalid Password", 400),
        complaint("404.001.01", "Resource not found", 404),
    ],
)
def test_where_daraja_did_not_look_nobody_was_asked(given):
    answer = read_query(given, CHECKOUT_ID)
    assert (answer.verdict, answer.asked) == (Verdict.NO_ANSWER, False)


@pytest.mark.parametrize("code", ["500.003.02", "500.003.03"])
def test_a_limit_under_http_500_asks_for_a_pause_too(code):
    assert read_query(complaint(code, "x"), CHECKOUT_ID).pause == 60.0
