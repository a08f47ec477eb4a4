"""The query and the token against a real local server: trouble with either is never an outcome."""

from __future__ import annotations

from datetime import timedelta

import pytest

from payments.daraja import (
    Busy,
    MemoryTokenStore,
    Misconfigured,
    Unreachable,
    Verdict,
)
from payments.daraja.client import read_retry_after
from tests.support.payments.canned_daraja import (
    BAD_TOKEN,
    CHECKOUT_ID,
    NOW,
    OAUTH,
    PAID,
    PUSH,
    QUERY,
    a_push,
    drip,
    drop,
    hang,
    make_client,
    say,
)

HTML = "<html>Request unsuccessful. Incapsula incident ID: 1</html>"


# Getting a token


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (say(400, ""), Misconfigured),
        (
            say(400, {"errorCode": "400.008.01", "errorMessage": "Invalid Authentication passed"}),
            Misconfigured,
        ),
        (
            say(401, {"fault": {"faultstring": "Invalid API call as no apiproduct match found"}}),
            Misconfigured,
        ),
        (say(429, ""), Busy),
        (say(403, HTML), Unreachable),
        (say(503, HTML), Unreachable),
        (say(500, {"errorCode": "500.001.1001"}), Unreachable),
        (say(302, "", Location="/elsewhere"), Unreachable),
        (say(200, HTML), Unreachable),
        (say(200, {"access_token": "two\nlines"}), Unreachable),
        (hang, Unreachable),
        (drop, Unreachable),
    ],
)
def test_without_a_token_no_push_is_sent_and_nothing_is_unknown(client, daraja, act, error):
    daraja.acts[OAUTH] = [act]
    with pytest.raises(error):
        client.push(a_push())
    assert daraja.count(PUSH) == 0


def test_a_dropped_oauth_call_is_made_once_more(client, daraja):
    daraja.acts[OAUTH] = [drop, daraja.acts[OAUTH][0]]
    client.push(a_push())
    assert daraja.count(OAUTH) == 2


def test_a_slow_oauth_call_is_not_made_twice(client, daraja):
    daraja.acts[OAUTH] = [hang]
    with pytest.raises(Unreachable):
        client.push(a_push())
    assert daraja.count(OAUTH) == 1


def test_a_token_is_used_for_fifty_minutes_and_no_longer(daraja):
    times = [NOW]
    client = make_client(daraja.url, tokens=MemoryTokenStore(clock=lambda: times[0]), clock=lambda: times[0])
    client.push(a_push())
    times[0] = NOW + timedelta(seconds=2998)
    client.push(a_push())
    assert daraja.count(OAUTH) == 1
    times[0] = NOW + timedelta(seconds=3001)
    client.push(a_push())
    assert daraja.count(OAUTH) == 2


# The query


def test_a_paid_push_is_found_paid(client):
    answer = client.query(CHECKOUT_ID)
    assert (answer.verdict, answer.asked) == (Verdict.PAID, True)


def test_a_query_refreshes_a_refused_token_once(client, daraja):
    daraja.acts[QUERY] = [say(404, BAD_TOKEN), say(200, PAID)]
    assert client.query(CHECKOUT_ID).verdict is Verdict.PAID
    assert daraja.count(OAUTH) == 2


@pytest.mark.parametrize(
    ("path", "act"),
    [
        (QUERY, hang),
        (QUERY, drop),
        (QUERY, say(404, BAD_TOKEN)),
        (QUERY, say(502, HTML)),
        (QUERY, drip(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b" ")),
        (OAUTH, hang),
        (OAUTH, drop),
        (OAUTH, say(400, "")),
        (OAUTH, say(503, HTML)),
    ],
)
def test_a_query_in_trouble_is_no_answer_and_raises_nothing(client, daraja, path, act):
    daraja.acts[path] = [act]
    answer = client.query(CHECKOUT_ID)
    assert (answer.verdict, answer.asked, answer.result) == (Verdict.NO_ANSWER, False, None)
    assert answer.description


@pytest.mark.parametrize("path", [QUERY, OAUTH])
def test_a_limit_asks_for_a_pause(client, daraja, path):
    daraja.acts[path] = [say(429, "", Retry_After="17")]
    answer = client.query(CHECKOUT_ID)
    assert (answer.verdict, answer.pause, answer.asked) == (Verdict.NO_ANSWER, 17.0, False)


def test_a_limit_that_names_no_time_asks_for_a_minute(client, daraja):
    daraja.acts[QUERY] = [say(429, "")]
    assert client.query(CHECKOUT_ID).pause == 60.0


def test_a_limited_push_says_when_to_come_back(client, daraja):
    daraja.acts[PUSH] = [say(429, "", Retry_After="17")]
    with pytest.raises(Busy) as caught:
        client.push(a_push())
    assert caught.value.retry_after == 17.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("5", 5.0),
        ("-5", 0.0),
        ("999999", 3600.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Mon, 23 Nov 2026 15:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 15:01:30", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert read_retry_after(header, NOW) == seconds
