"""The client against a real local server: what is sent, how often, and what each trouble is called."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import responses

from payments.daraja import (
    DarajaError,
    InvalidToken,
    OutcomeUnknown,
    Refused,
    Reply,
    Unreachable,
    new_session,
)
from tests.support.payments.canned_daraja import (
    ACCEPTED,
    BAD_TOKEN,
    CHECKOUT_ID,
    OAUTH,
    PASSKEY,
    PHONE,
    PUSH,
    a_push,
    drip,
    drop,
    hang,
    make_client,
    say,
)

HTML = "<html>Request unsuccessful. Incapsula incident ID: 1</html>"


def test_a_push_is_sent_as_documented_and_its_ids_come_back(client, daraja):
    accepted = client.push(a_push())

    assert accepted.checkout_request_id == CHECKOUT_ID
    assert [seen[0] for seen in daraja.seen] == [OAUTH, PUSH]
    assert daraja.seen[0][1] == "/oauth/v1/generate?grant_type=client_credentials"
    basic = daraja.headers(OAUTH)[0]["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(basic) == b"consumer-key:consumer-secret"
    headers = daraja.headers(PUSH)[0]
    assert headers["Authorization"] == "Bearer token-1"
    assert headers["Content-Type"] == "application/json"
    body = json.loads(daraja.seen[1][3])
    assert body["Timestamp"] == "20261123180000"
    assert body["PartyA"] == PHONE
    assert body["Amount"] == 450


LOST_ANSWERS = {
    "read timeout": hang,
    "dropped line": drop,
    "broken answer": lambda handler: handler.wfile.write(b"rubbish\r\n\r\n"),
    "half an answer": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", b""),
    "500": say(500, {"errorCode": "500.003.1001", "errorMessage": "Internal Server Error"}),
    "502": say(502, HTML),
    "503": say(503, HTML),
    "504": say(504, ""),
    "302": say(302, "", Location="/mpesa/stkpush/v1/processrequest"),
    "307": say(307, "", Location="/mpesa/stkpush/v1/processrequest"),
    "408": say(408, ""),
    "200 in HTML": say(200, HTML),
    "200 and not accepted": say(200, {**ACCEPTED, "ResponseCode": "1"}),
    "200 without an id": say(200, {"ResponseCode": "0"}),
    "deep nesting": say(200, "[" * 60_000),
    "endless": say(200, " " * 200_000 + json.dumps(ACCEPTED)),
}


@pytest.mark.parametrize("act", LOST_ANSWERS.values(), ids=LOST_ANSWERS)
def test_a_push_whose_answer_is_lost_is_never_sent_again(client, daraja, act):
    daraja.acts[PUSH] = [act]
    with pytest.raises(OutcomeUnknown):
        client.push(a_push())
    time.sleep(0.05)
    assert daraja.count(PUSH) == 1


def test_a_kept_connection_that_dies_under_a_push_is_unknown_and_not_sent_again(client, daraja):
    client.push(a_push())
    daraja.acts[PUSH] = [drop]
    with pytest.raises(OutcomeUnknown):
        client.push(a_push())
    assert daraja.count(PUSH) == 2


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n",
    ],
    ids=["headers", "body", "status"],
)
def test_a_server_that_drips_can_not_hold_us_past_the_timeout(client, daraja, start):
    client.push(a_push())
    daraja.acts[PUSH] = [drip(start, b"X: y\r\n" if not start.endswith(b"\r\n\r\n") else b" ")]
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        client.push(a_push())
    assert time.monotonic() - began < 0.4 + 0.6 + 0.5


def test_a_late_start_leaves_less_time_for_the_rest(client, daraja):
    client.push(a_push())

    def late_then_silent(handler):
        time.sleep(0.4)
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        hang(handler)

    daraja.acts[PUSH] = [late_then_silent]
    began = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        client.push(a_push())
    assert time.monotonic() - began < 0.9


def test_a_refused_token_leads_to_one_refresh_and_one_more_send(client, daraja):
    daraja.acts[PUSH] = [say(404, BAD_TOKEN), say(200, ACCEPTED)]
    assert client.push(a_push()).checkout_request_id == CHECKOUT_ID
    assert daraja.count(OAUTH) == 2
    assert [h["Authorization"] for h in daraja.headers(PUSH)] == ["Bearer token-1", "Bearer token-2"]


def test_a_token_refused_twice_is_the_end_of_it(client, daraja):
    daraja.acts[PUSH] = [say(401, BAD_TOKEN)]
    with pytest.raises(InvalidToken):
        client.push(a_push())
    assert (daraja.count(OAUTH), daraja.count(PUSH)) == (2, 2)


def test_an_answer_lost_after_the_refresh_is_unknown(client, daraja):
    daraja.acts[PUSH] = [say(404, BAD_TOKEN), hang]
    with pytest.raises(OutcomeUnknown):
        client.push(a_push())
    assert daraja.count(PUSH) == 2


def test_a_token_issued_again_after_it_was_refused_is_not_used(client, daraja):
    daraja.acts[OAUTH] = [say(200, {"access_token": "same", "expires_in": 3599})]
    daraja.acts[PUSH] = [say(404, BAD_TOKEN)]
    with pytest.raises(InvalidToken):
        client.push(a_push())
    assert daraja.count(PUSH) == 1


@pytest.mark.parametrize("how_many", [2, 12])
def test_threads_in_a_hurry_fetch_one_token_between_them(client, daraja, how_many):
    slow = daraja.acts[OAUTH][0]
    daraja.acts[OAUTH] = [lambda handler: (time.sleep(0.1), slow(handler))]
    with ThreadPoolExecutor(how_many) as pool:
        list(pool.map(lambda _: client.push(a_push()), range(how_many)))
    assert daraja.count(OAUTH) == 1
    assert daraja.count(PUSH) == how_many


def test_a_token_that_another_thread_has_replaced_is_not_fetched_again(client, daraja):
    client.push(a_push())
    barrier = threading.Barrier(4)

    def refuse_the_first(handler):
        if handler.headers["Authorization"] == "Bearer token-1":
            barrier.wait(3)
            say(404, BAD_TOKEN)(handler)
        else:
            say(200, ACCEPTED)(handler)

    daraja.acts[PUSH] = [refuse_the_first]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: client.push(a_push()), range(4)))
    assert daraja.count(OAUTH) == 2


def test_connections_are_kept_and_used_again(client, daraja):
    for _ in range(3):
        client.push(a_push())
    assert len({seen[4] for seen in daraja.seen}) == 1


def test_an_old_idle_connection_is_not_trusted(client, daraja, monkeypatch):
    client.push(a_push())
    monkeypatch.setattr("payments.daraja.transport.IDLE_SECONDS", 0.0)
    client.push(a_push())
    assert len({seen[4] for seen in daraja.seen if seen[0] == PUSH}) == 2


def test_a_connection_closed_by_daraja_between_two_pushes_is_opened_anew(client, daraja):
    daraja.acts[PUSH] = [say(200, ACCEPTED, Connection="close")]
    client.push(a_push())
    client.push(a_push())
    assert daraja.count(PUSH) == 2


def test_no_netrc_no_header_and_no_cookie_gets_between_us_and_daraja(daraja, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(netrc))
    session = new_session()
    session.headers["Authorization"] = "Bearer somebody-else"
    daraja.acts[PUSH] = [say(200, ACCEPTED, Set_Cookie="incap=1; Path=/")]
    client = make_client(daraja.url, session=session)
    client.push(a_push())
    client.push(a_push())
    assert {h["Authorization"] for h in daraja.headers(PUSH)} == {"Bearer token-1"}
    assert all("Cookie" not in h for h in daraja.headers(PUSH))


# Nothing private gets out


def everything_said(error: BaseException) -> str:
    said = [str(error), repr(error), "".join(traceback.format_exception(error)), str(vars(error))]
    for link in (error.__cause__, error.__context__):
        if link is not None:
            said.append(everything_said(link))
            said.append(repr(getattr(getattr(link, "request", None), "body", "")))
    return " ".join(said)


@pytest.mark.parametrize(
    "act",
    [
        hang,
        drop,
        say(500, {"errorCode": "500.001.1001", "errorMessage": f"Line {PHONE} and token-1-abcdefghijklmnop"}),
        say(
            400,
            {"errorCode": "400.002.02", "errorMessage": f"Bad {PHONE} {PASSKEY} {CHECKOUT_ID} 0708 374 149"},
        ),
        say(
            401,
            {"errorCode": "401.002.01", "errorMessage": "Error Occurred - Invalid Access Token - token-2"},
        ),
        say(400, f"Authorization: Bearer token-1 {PHONE}"),
    ],
)
def test_no_error_and_no_log_line_holds_a_phone_or_a_secret(client, daraja, act, caplog):
    caplog.set_level(logging.DEBUG)
    daraja.acts[PUSH] = [act]
    with pytest.raises(DarajaError) as caught:
        client.push(a_push())
    said = everything_said(caught.value) + caplog.text + " ".join(str(vars(r)) for r in caplog.records)
    for secret in (PHONE, PHONE[3:], "0708 374 149", PASSKEY, "token-1", "token-2", "consumer-", CHECKOUT_ID):
        assert secret not in said.replace("test_client.py", "")
    assert caught.value.__context__ is None


def test_a_query_logs_no_id(client, caplog):
    caplog.set_level(logging.DEBUG)
    client.query(CHECKOUT_ID)
    assert CHECKOUT_ID not in caplog.text + " ".join(str(vars(r)) for r in caplog.records)


# With canned answers instead of a socket


@responses.activate
def test_the_client_works_with_a_plain_session_too():
    base = "https://sandbox.safaricom.co.ke"
    responses.get(base + OAUTH, json={"access_token": "t", "expires_in": 3599})
    responses.post(
        base + PUSH, json={"errorCode": "400.002.02", "errorMessage": "Invalid Amount"}, status=400
    )
    with pytest.raises(Refused):
        make_client(base + "/", session=requests.Session()).push(a_push())


def test_a_reply_shows_nothing_of_its_text():
    assert PHONE not in repr(Reply(status=200, text=PHONE))


def test_a_closed_port_is_unreachable(daraja):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        client = make_client(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(Unreachable):
            client.push(a_push())
