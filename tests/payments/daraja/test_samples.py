"""Every recorded or documented answer in tests/samples/daraja is taken for what it is."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from payments.daraja import (
    Busy,
    DarajaError,
    InvalidToken,
    Misconfigured,
    OutcomeUnknown,
    PushAccepted,
    Refused,
    Reply,
    SubscriberLocked,
    Token,
    Unreachable,
    Verdict,
    read_callback,
    read_push,
    read_query,
    read_token,
)
from tests.support import places
from tests.support.payments.canned_daraja import CHECKOUT_ID, NOW

FOLDER = places.SAMPLES / "daraja"
SAMPLES = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}

PUSHES = {
    "push_accepted": PushAccepted,
    "push_accepted_no_customer_message": PushAccepted,
    "push_429": Busy,
    "push_quota": Busy,
    "push_lock": SubscriberLocked,
    "push_invalid_token_401": InvalidToken,
    "push_invalid_token_401_echo": InvalidToken,
    "push_invalid_token_404": InvalidToken,
    "push_merchant_unknown": Misconfigured,
    "push_wrong_credentials": Misconfigured,
    "push_wrong_credentials_old": Misconfigured,
    "push_no_apiproduct_401": Misconfigured,
    "push_invalid_businessshortcode": Misconfigured,
    "push_invalid_callbackurl": Misconfigured,
    "push_invalid_timestamp": Misconfigured,
    "push_method_not_allowed": Misconfigured,
    "push_resource_not_found": Misconfigured,
    "push_empty_400": Refused,
    "push_incapsula_403": Refused,
    "push_invalid_amount": Refused,
    "push_invalid_payload": Refused,
    "push_invalid_phone": Refused,
    "push_invalid_remarks": Refused,
    "push_502": OutcomeUnknown,
    "push_busy": OutcomeUnknown,
    "push_incapsula_503": OutcomeUnknown,
    "push_internal": OutcomeUnknown,
    "push_maintenance": OutcomeUnknown,
    "push_missing_iccid": OutcomeUnknown,
    "push_soap_fault": OutcomeUnknown,
    "push_spike_500": OutcomeUnknown,
    "push_unknown_500_1001": OutcomeUnknown,
}

# name: (verdict, code, did Daraja look)
QUERIES = {
    "query_paid": (Verdict.PAID, "0", True),
    "query_cancelled": (Verdict.NOT_PAID, "1032", True),
    "query_insufficient": (Verdict.NOT_PAID, "1", True),
    "query_no_answer": (Verdict.NOT_PAID, "1037", True),
    "query_string_code": (Verdict.NOT_PAID, "E3008", True),
    "query_processing_4999": (Verdict.PROCESSING, "4999", True),
    "query_processing_500": (Verdict.PROCESSING, "500.001.1001", True),
    "query_processing_200_error": (Verdict.NO_ANSWER, "500.001.1001", True),
    "query_random_500": (Verdict.NO_ANSWER, "500.001.1001", True),
    "query_unknown_500": (Verdict.NO_ANSWER, "500.001.1001", True),
    "query_too_early_400": (Verdict.NO_ANSWER, "400.002.02", True),
    "query_other_id": (Verdict.NO_ANSWER, "0", True),
    "query_response_code_1": (Verdict.NO_ANSWER, "0", True),
    "query_unlisted": (Verdict.NO_ANSWER, "7777", True),
    "query_429": (Verdict.NO_ANSWER, "policies.ratelimit.SpikeArrestViolation", False),
    "query_html_403": (Verdict.NO_ANSWER, "", False),
    "query_invalid_token_404": InvalidToken,
}

TOKENS = {
    "oauth_ok": Token,
    "oauth_ok_number": Token,
    "oauth_bad_auth": Misconfigured,
    "oauth_bad_grant": Misconfigured,
    "oauth_empty_400": Misconfigured,
    "oauth_no_apiproduct_401": Misconfigured,
    "oauth_incapsula_403": Unreachable,
    "oauth_incapsula_503": Unreachable,
}

WHOLE = (Decimal(450), "UKN4AB12CD", "2026-11-23T18:00:12+03:00")
# name: (code, paid, (amount, receipt, when))
CALLBACKS = {
    "callback_success": ("0", True, WHOLE),
    "callback_balance_absent": ("0", True, WHOLE),
    "callback_balance_string": ("0", True, WHOLE),
    "callback_date_string": ("0", True, WHOLE),
    "callback_decimal_amount": ("0", True, WHOLE),
    "callback_masked_phone": ("0", True, WHOLE),
    "callback_no_phone": ("0", True, WHOLE),
    "callback_reordered": ("0", True, WHOLE),
    "callback_string_amount": ("0", True, WHOLE),
    "callback_string_phone": ("0", True, WHOLE),
    "callback_string_zero": ("0", True, WHOLE),
    "callback_no_amount": ("0", True, (None, *WHOLE[1:])),
    "callback_no_metadata": ("0", True, (None, None, None)),
    "callback_cancelled": ("1032", False, (None, None, None)),
    "callback_old_prefix": ("1032", False, (None, None, None)),
    "callback_no_answer": ("1037", False, (None, None, None)),
    "callback_string_code": ("E3008", False, (None, None, None)),
    "callback_unlisted": ("7777", False, (None, None, None)),
}


def text_of(sample):
    return sample["text"] if "text" in sample else json.dumps(sample["body"])


def reply_of(name):
    return Reply(status=SAMPLES[name]["status"], text=text_of(SAMPLES[name]))


def outcome(read, *arguments):
    try:
        return read(*arguments)
    except DarajaError as error:
        return error


def test_each_sample_has_a_row_in_a_table_here():
    theirs = {"push", "query", "oauth", "callback"}
    decided = {*PUSHES, *QUERIES, *TOKENS, *CALLBACKS}
    assert decided == {name for name, sample in SAMPLES.items() if sample["kind"] in theirs}


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_sample_is_taken_for_what_it_is(name):
    answer = outcome(read_push, reply_of(name))
    assert type(answer) is PUSHES[name]
    assert "c9SQxWWhmdVRlyh0zh8gZDTkubVF" not in repr(answer)


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_sample_is_taken_for_what_it_is(name):
    answer = outcome(read_query, reply_of(name), CHECKOUT_ID)
    if QUERIES[name] is InvalidToken:
        assert type(answer) is InvalidToken
        return
    assert (answer.verdict, answer.code, answer.asked) == QUERIES[name]
    assert answer.description
    assert (answer.pause == 60.0) is (name == "query_429")


@pytest.mark.parametrize("name", TOKENS)
def test_an_oauth_sample_is_taken_for_what_it_is(name):
    answer = outcome(read_token, reply_of(name), NOW)
    assert type(answer) is TOKENS[name]
    if isinstance(answer, Token):
        assert 2990 < (answer.expires_at - NOW).total_seconds() <= 3000
        assert answer.value not in repr(answer)


@pytest.mark.parametrize("name", CALLBACKS)
def test_a_callback_sample_is_taken_for_what_it_is(name):
    code, paid, (amount, receipt, when) = CALLBACKS[name]
    callback = read_callback(text_of(SAMPLES[name]).encode())
    assert (callback.code, callback.paid, callback.result.paid) == (code, paid, paid)
    assert (callback.amount, callback.receipt) == (amount, receipt)
    assert (callback.paid_at and callback.paid_at.isoformat()) == when
    assert callback.checkout_request_id == CHECKOUT_ID
    assert "708374149" not in repr(callback)
