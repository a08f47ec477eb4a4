"""Whatever is sent, the answer is JSON in the documented words, nothing reaches Daraja and nothing is written."""

import gzip
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orders.models import Mix, Order
from payments.callbacks import strangers
from payments.gateway import token_hash
from payments.models import CallbackDelivery, MpesaTransaction
from payments.phones import NotAPhone, read_msisdn
from payments.states import State
from tests.support.payments.api import (
    ACCEPTED,
    ENDPOINTS,
    GOOD_ORDER,
    GOOD_PUSH,
    GOOD_STATUS,
    JSON,
    QUICK,
    THOROUGH,
    Caller,
    Unreached,
    refused,
    said,
)
from tests.support.payments.callback_bodies import success
from tests.support.payments.fake_daraja import FakeDaraja

# --- values no field takes ------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec=None), max_size=300)  # any code point: lone surrogates, NUL, RTL, emoji
NUMBER = st.integers() | st.floats() | st.integers(10**20, 10**400) | st.integers(-(10**400), -1)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
NOT_SCALAR = (
    st.none() | st.booleans() | st.lists(ANYTHING, max_size=3) | st.dictionaries(TEXT, ANYTHING, max_size=3)
)
UNPRINTABLE = ("\x00", "a\x00b", "\ud800", "x\udfff", "254712345678\x00")


def is_phone(value: Any) -> bool:
    try:
        read_msisdn(str(value).strip())
    except NotAPhone:
        return False
    return True


def is_amount(value: Any) -> bool:
    with suppress(ValueError, OverflowError, TypeError):
        number = float(value.strip() if isinstance(value, str) else value)
        return number.is_integer() and 1 <= number <= 250_000
    return False


BAD_PHONE = (
    NOT_SCALAR
    | st.floats()
    | st.just(71234567.0)  # no spelling of 0712 345 670
    | st.integers().filter(lambda value: not is_phone(value))
    | TEXT.filter(lambda text: not is_phone(text))
    | st.sampled_from(
        ("", " ", "+", "0712", "07123456789", "0212345678", "+255712345678", "1" * 5000, "٠٧١٢٣٤٥٦٧٨")
    )
    | st.sampled_from(UNPRINTABLE)
)
BAD_AMOUNT = (
    NOT_SCALAR
    | NUMBER.filter(lambda value: not is_amount(value))
    | TEXT.filter(lambda text: not is_amount(text))
    | st.sampled_from(
        (0, -1, -0.0, 1.5, 250_001, 1e300, -1e300, "1e3", "1_000", "1,500", "0x10", "१२", "NaN", " ")
    )
    | st.sampled_from(UNPRINTABLE)
)
NOT_TEXT = st.booleans() | st.lists(ANYTHING, max_size=3) | st.dictionaries(TEXT, ANYTHING, max_size=3)
BAD_TEXT = NOT_TEXT | st.sampled_from(UNPRINTABLE)
LONG = st.text(min_size=201, max_size=400).map(lambda text: "x" + text + "x" * 201)
BAD_PUSH_FIELD = st.one_of(
    st.tuples(st.just("phone"), BAD_PHONE),
    st.tuples(st.just("amount"), BAD_AMOUNT),
    st.tuples(st.sampled_from(("description", "accountReference", "remark")), BAD_TEXT | LONG),
    st.tuples(
        st.just("transactionType"),
        st.lists(ANYTHING, max_size=3)
        | st.dictionaries(TEXT, ANYTHING, max_size=2)
        | st.booleans()
        | TEXT.filter(str.strip)
        | NUMBER
        | st.sampled_from(UNPRINTABLE)
        | LONG,
    ),
)
BAD_ID = BAD_TEXT | st.none() | st.just("") | st.just(" \n") | LONG


@pytest.fixture(autouse=True)
def _strangers_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of posts from one address are one test here; how many are taken is test_strangers.py's."""
    monkeypatch.setattr(strangers, "PER_ADDRESS", 10**9)
    monkeypatch.setattr(strangers, "UNREAD", 10**9)


@pytest.mark.usefixtures("unreached")
@given(field=BAD_PUSH_FIELD)
@THOROUGH
def test_a_push_with_one_bad_field_is_refused_in_words(caller: Caller, field: tuple[str, Any]) -> None:
    name, value = field
    told = refused(caller.send("/stkpush", {**GOOD_PUSH, name: value}), 400)
    assert told["code"] in ("invalid", "parse_error")
    if told["code"] == "invalid":
        assert set(told["errors"]) == {name}


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("missing", ["phone", "amount"])
def test_a_push_without_phone_or_amount_is_refused(caller: Caller, missing: str) -> None:
    told = refused(caller.send("/stkpush", {k: v for k, v in GOOD_PUSH.items() if k != missing}), 400)
    assert set(told["errors"]) == {missing}


@pytest.mark.usefixtures("unreached")
@given(
    spelling=st.sampled_from(("checkoutRequestId", "CheckoutRequestID", "checkout_request_id")), value=BAD_ID
)
@THOROUGH
def test_a_status_poll_with_a_bad_id_is_refused_in_words(caller: Caller, spelling: str, value: Any) -> None:
    refused(caller.send("/stkpush/status", {spelling: value}), 400)


@pytest.mark.usefixtures("unreached")
@given(value=ANYTHING)
@QUICK
def test_an_id_nobody_has_is_not_found(caller: Caller, value: Any) -> None:
    refused(caller.send("/stkpush/status", {"checkoutRequestId": value}), 400, 404)


BAD_ITEMS = st.one_of(
    st.none(),
    st.booleans(),
    NUMBER,
    TEXT,
    st.dictionaries(TEXT, ANYTHING, max_size=3),
    st.just([]),
    st.lists(
        st.fixed_dictionaries({"mix": ANYTHING.filter(lambda value: value != "nairobi-after-dark")}),
        min_size=1,
        max_size=3,
    ),
    st.lists(ANYTHING, min_size=1, max_size=3),
    st.just([{"mix": "nairobi-after-dark"}] * 51),
    st.just([{"mix": f"m{n}"} for n in range(50)]),
)


@pytest.mark.usefixtures("unreached", "mixes")
@given(items=BAD_ITEMS)
@THOROUGH
def test_an_order_of_bad_items_is_refused_in_words(caller: Caller, items: Any) -> None:
    refused(caller.send("/api/orders", {"items": items}), 400)
    assert not Order.objects.exists()


@pytest.mark.usefixtures("unreached", "mixes")
@given(
    email=NOT_SCALAR | TEXT.filter(str.strip).filter(lambda t: "@" not in t) | st.just("a@b") | LONG | NUMBER
)
@QUICK
def test_an_order_with_a_bad_email_is_refused_in_words(caller: Caller, email: Any) -> None:
    refused(caller.send("/api/orders", {**GOOD_ORDER, "email": email}), 400)
    assert not Order.objects.exists()


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", ENDPOINTS)
@given(body=ANYTHING)
@QUICK
def test_any_json_that_is_no_request_is_refused_in_words(caller: Caller, path: str, body: Any) -> None:
    refused(caller.send(path, body), 400)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", ENDPOINTS)
@given(body=st.binary(max_size=300))
@QUICK
def test_any_bytes_are_refused_in_words(caller: Caller, path: str, body: bytes) -> None:
    refused(caller.send(path, body), 400)


@pytest.mark.usefixtures("unreached", "mixes")
@pytest.mark.parametrize("path", ENDPOINTS)
def test_json_cut_short_anywhere_is_refused(caller: Caller, path: str) -> None:
    whole = json.dumps(ENDPOINTS[path]).encode()
    for length in range(len(whole)):
        refused(caller.send(path, whole[:length]), 400)


def push_with(amount: bytes) -> bytes:
    return b'{"phone":"0712345678","amount":' + amount + b"}"


BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \r\n\t",
    "null": b"null",
    "not JSON": b"phone=0712345678&amount=1500",
    "HTML": b"<html><script>alert(1)</script></html>",
    "XML bomb": b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>',
    "NUL": b"\x00",
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(GOOD_PUSH).encode(),
    "UTF-16": json.dumps(GOOD_PUSH).encode("utf-16"),
    "Latin-1": '{"phone":"0712345678","amount":1500,"remark":"é"}'.encode("latin-1"),
    "surrogate bytes": b'{"phone":"\xed\xa0\x80","amount":1}',
    "overlong UTF-8": b'{"phone":"\xc0\xaf","amount":1}',
    "single quotes": b"{'phone':'0712345678','amount':1500}",
    "trailing comma": b'{"phone":"0712345678","amount":1500,}',
    "comment": b'{"phone":"0712345678",/* */"amount":1500}',
    "two values": b'{"phone":"0712345678","amount":1500}{}',
    "NaN": push_with(b"NaN"),
    "Infinity": push_with(b"Infinity"),
    "-Infinity": push_with(b"-Infinity"),
    "NaN in a text": b'{"phone":"0712345678","amount":1500,"remark":NaN,"checkoutRequestId":-Infinity}',
    "1e400": push_with(b"1e400"),
    "-1e400": push_with(b"-1e400"),
    "1e-400": push_with(b"1e-400"),
    "1e999999999": push_with(b"1e999999999"),
    "4,300 digits": push_with(b"9" * 4_300),
    "5,000 digits": push_with(b"9" * 5_000),
    "60,000 digits": push_with(b"9" * 60_000),
    "5,000 digits of fraction": push_with(b"1." + b"0" * 4_999 + b"1e-1"),
    "leading zero": push_with(b"01500"),
    "plus sign": push_with(b"+1500"),
    "60,000 levels": b"[" * 60_000,
    "30,000 levels, closed": b"[" * 30_000 + b"]" * 30_000,
    "900 levels in a field": push_with(b"[" * 900 + b"]" * 900),
    "10,000 objects deep": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "phone twice, the last one bad": b'{"phone":"0712345678","amount":1500,"phone":null}',
    "amount twice, the last one bad": b'{"phone":"0712345678","amount":1500,"amount":-1}',
    "5,000 keys": json.dumps({f"k{n}": n for n in range(5_000)}).encode()[:65_000],
}


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_is_no_request_is_refused(caller: Caller, body: bytes) -> None:
    for path in ENDPOINTS:
        refused(caller.send(path, body), 400)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b"9" * 100_000,
        b" " * 65_537,
        b'{"phone":"' + b"0" * 1_000_000 + b'"}',
        b"\xff" * 1_000_000,
    ],
    ids=["100,000 levels", "100,000 digits", "one byte too many", "1 MB of JSON", "1 MB of bytes"],
)
def test_a_body_beyond_64_kb_is_too_large(caller: Caller, path: str, body: bytes) -> None:
    assert refused(caller.send(path, body), 413)["code"] == "too_large"


@pytest.mark.parametrize(
    "field", ["phone", "amount", "transactionType", "description", "remark", "accountReference"]
)
@pytest.mark.usefixtures("unreached")
def test_a_deep_field_is_refused(caller: Caller, field: str) -> None:
    for depth in (*range(50, 800, 50), *range(800, 1_000, 5)):
        body = json.dumps({**GOOD_PUSH, field: "HERE"}).replace('"HERE"', "[" * depth + "]" * depth)
        refused(caller.send("/stkpush", body.encode()), 400)


@pytest.mark.parametrize("depth", [100, 480, 700, 900, 960, 990])
@pytest.mark.usefixtures("unreached", "mixes")
def test_a_deep_cart_is_refused(caller: Caller, depth: int) -> None:
    for opened, closed in (("[", "]"), ('{"mix":', "}"), ('[{"mix":', "}]")):
        body = '{"items":' + opened * depth + "1" + closed * depth + "}"
        refused(caller.send("/api/orders", body.encode()), 400)


# --- what is around the body ----------------------------------------------------------------------------

CONTENT_TYPES = (
    "",
    "text/plain",
    "text/html",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/octet-stream",
    "multipart/form-data",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "application/vnd.api+json",
    "application",
    "/",
    ";",
    "json",
    "*/*",
    "application/*",
    "application/json, text/plain",
    "é/ü",
    "a" * 5_000,
    "text/plain; charset=utf-16",
    "multipart/form-data; boundary=" + "x" * 5_000,
)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_another_content_type_is_refused(caller: Caller, content_type: str) -> None:
    for path, body in ENDPOINTS.items():
        told = refused(caller.send(path, body, content_type=content_type), 415)
        assert told["code"] == "unsupported_media_type"


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16",
        "application/json;charset=latin-1",
        "APPLICATION/JSON",
        "application/json;",
        "application/json; charset=nonsense",
        'application/json; charset="',
        "application/json; charset=utf-8; q=1",
        "application/json; charset=idna",
        "application/json; charset=hex",
        "application/json; charset=" + "x" * 2_000,
    ],
)
def test_json_is_json_whatever_charset_it_claims(caller: Caller, content_type: str) -> None:
    refused(caller.send("/stkpush/status", GOOD_STATUS, content_type=content_type), 404)
    refused(caller.send("/stkpush", {}, content_type=content_type), 400)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data"],
)
def test_a_form_is_refused(caller: Caller, path: str, content_type: str) -> None:
    refused(caller.send(path, b"phone=0712345678&amount=1500", content_type=content_type), 415)
    parts = b'--x\r\nContent-Disposition: form-data; name="phone"; filename="a"\r\n\r\n0712345678\r\n--x--'
    refused(caller.send(path, parts, content_type=content_type), 415)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "nonsense"])
def test_a_compressed_body_is_not_read(caller: Caller, path: str, encoding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    for body in (gzip.compress(json.dumps(ENDPOINTS[path]).encode()), bomb):
        refused(caller.send(path, body, HTTP_CONTENT_ENCODING=encoding), 400)


ACCEPTS = (
    "text/html",
    "application/xml",
    "image/*",
    "*/*",
    "",
    ",;q=",
    "text/html;q=9",
    "\x00",
    "é",
    "a/b," * 2_000,
)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("accept", ACCEPTS)
def test_the_answer_is_json_whatever_is_accepted(caller: Caller, accept: str) -> None:
    for path in ENDPOINTS:
        for query in ("", "?format=api", "?format=xml", "?format=%00", "?%ff=%ff", "?" + "a=1&" * 2_000):
            refused(caller.send(path + query, {}, HTTP_ACCEPT=accept), 400)


API_PATHS = (
    "/stkpush",
    "/stkpush/status",
    "/api/orders",
    "/api/mpesa-callback",
    "/api/payments/callback",
    "/api/payments/callback/abc",
    "/api/mpesa-callback/abc",
)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", API_PATHS)
@pytest.mark.parametrize(
    "method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW", "post"]
)
def test_another_method_is_refused_and_the_right_one_named(caller: Caller, path: str, method: str) -> None:
    for spelt in (path, path + "/"):
        answer = caller.send(spelt, {"phone": 1}, method=method)
        if method == "post":  # methods are case-sensitive, but Django's request is not
            continue
        assert "POST" in answer.headers["Allow"]
        if method == "HEAD":
            assert (answer.status_code, answer.content) == (405, b"")
        else:
            assert refused(answer, 405)["code"] == "method_not_allowed"
    assert not CallbackDelivery.objects.filter(verdict="applied").exists()


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize(
    "path",
    [
        "//stkpush",
        "/stkpush//",
        "/stkpush//status",
        "//stkpush/status",
        "/stkpush/status//",
        "/stkpush/nothing",
        "/api",
        "/api/",
        "/api/nothing",
        "/api//orders",
        "//api/orders",
        "/api/orders/1/2",
        "/api/orders//",
        "/stkpush/../admin",
        "/api/payments/callback//",
        "/api/payments/callback/a/b",
        "/api/payments/callback/é",
        "/api/payments/callback/%00",
        "/api/payments/callback/" + "a" * 129,
        "/stkpush%00",
        "/stkpush;a=1",
        "/stkpush.json",
        "/api/%ff",
        "/api/" + "a" * 8_000,
    ],
)
def test_an_unknown_address_of_the_api_is_a_404_in_json(caller: Caller, path: str) -> None:
    spelt = {"PATH_INFO": path} if path.startswith("//") else {}  # the test client takes // for a host
    for method in ("POST", "GET", "OPTIONS"):
        assert refused(caller.send(path, GOOD_PUSH, method=method, **spelt), 404)["code"] == "not_found"
    assert not CallbackDelivery.objects.exists()


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize(
    "host", ["evil.example", "a b", "", "localhost:99999999999", "[::1", "é", "a\x00b", "x" * 5_000]
)
def test_an_odd_host_is_refused_in_json(caller: Caller, host: str, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    for path in API_PATHS:
        for method in ("POST", "OPTIONS", "GET"):
            refused(caller.send(path, GOOD_PUSH, method=method, HTTP_HOST=host), 400)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize(
    "key", ["x" * 256, "x" * 60_000, "ключ", "a\x00b", "a\tb", "a\nb", "é", "\x7f", "‮", "🔑"], ids=range(10)
)
def test_an_odd_idempotency_key_is_refused(caller: Caller, key: str) -> None:
    assert refused(caller.send("/stkpush", GOOD_PUSH, HTTP_IDEMPOTENCY_KEY=key), 400)["code"] == "invalid"


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize(
    "extra",
    [
        {"HTTP_COOKIE": "sessionid=\x00; csrftoken=x; =;;"},
        {"HTTP_COOKIE": "a=b; " * 5_000},
        {"HTTP_X_FORWARDED_FOR": "é, \x00"},
        {"HTTP_X_FORWARDED_FOR": "1," * 5_000},
        {"REMOTE_ADDR": ""},
        {"HTTP_AUTHORIZATION": "Basic !!!"},
        {"HTTP_AUTHORIZATION": "Bearer " + "x" * 9_000},
        {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": "http://[::"},
        {"HTTP_ORIGIN": "é"},
        {"HTTP_REFERER": "\x00"},
        {"HTTP_X_FORWARDED_PROTO": "é"},
        {"HTTP_EXPECT": "200-ok"},
        {"HTTP_RANGE": "bytes=0-1"},
        {"HTTP_IF_MODIFIED_SINCE": "x"},
        {"HTTP_X_LARGE": "x" * 100_000},
        {"CONTENT_LENGTH": "-5"},
        {"CONTENT_LENGTH": "x"},
        {"CONTENT_LENGTH": ""},
        {"CONTENT_LENGTH": "١"},
        {"CONTENT_LENGTH": "0"},
        {"CONTENT_LENGTH": "3"},
    ],
    ids=str,
)
def test_odd_headers_change_nothing(caller: Caller, extra: dict[str, str], settings: Any) -> None:
    for proxies in (0, 1, 3):
        settings.TRUSTED_PROXIES = proxies
        for path in ENDPOINTS:
            refused(caller.send(path, {"phone": "x"}, **extra), 400)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 500",
        "Content-Length: 5",
        "Content-Length: -1",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 99999999999999999999",
        "X-None: 0",
    ],
)
def test_a_body_of_another_length_than_said_is_refused_over_the_wire(
    live_server: Any, unreached: Unreached, head: str
) -> None:
    host, port = live_server.thread.host, live_server.thread.port
    chunk = json.dumps(GOOD_PUSH)
    body = f"{len(chunk):x}\r\n{chunk}\r\n0\r\n\r\n" if "chunked" in head else chunk[:-1]
    lines = (
        "POST /stkpush HTTP/1.1",
        f"Host: {host}",
        f"Content-Type: {JSON}",
        "Connection: close",
        head,
        "",
        body,
    )
    asked = "\r\n".join(lines)
    with socket.create_connection((host, port), timeout=10) as line:
        line.sendall(asked.encode())
        line.shutdown(socket.SHUT_WR)
        answer = b""
        with suppress(ConnectionResetError):
            while part := line.recv(65_536):
                answer += part
    assert b" 400 " in answer.split(b"\r\n", 1)[0], answer
    assert b'"success":false' in answer


# --- pages and reads ------------------------------------------------------------------------------------

ODD_QUERIES = ("%00", "%ff", "%ed%a0%80", "'", "%F0%9F%8E%A7", "a" * 5_000, "..%2f..", "%E2%80%AE")


@pytest.mark.usefixtures("mixes")
@pytest.mark.parametrize("query", ODD_QUERIES)
def test_odd_slugs_are_no_mixes(caller: Caller, query: str) -> None:
    told = said(caller.get(f"/api/mixes?slug={query}&slug=love-songs"))
    assert [mix["slug"] for mix in told["mixes"]] == ["love-songs"]


def test_too_many_query_fields_are_refused(caller: Caller) -> None:
    refused(caller.get("/api/mixes?" + "slug=a&" * 1_500), 400)


@pytest.mark.parametrize("query", ODD_QUERIES)
@pytest.mark.parametrize("address", ["/checkout/{}", "/confirmation.html?order={}"])
def test_odd_tokens_are_a_404_page(caller: Caller, address: str, query: str) -> None:
    answer = caller.get(address.format(query))
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")


# --- callbacks ------------------------------------------------------------------------------------------

CALLBACKS = (
    "/api/mpesa-callback",
    "/api/mpesa-callback/",
    "/api/payments/callback",
    "/api/payments/callback/",
    "/api/mpesa-callback/" + "0" * 48,
    "/api/payments/callback/" + "0" * 48 + "/",
    "/api/payments/callback/a_b-C",
)


def delivered(caller: Caller, path: str, body: Any, **extra: Any) -> CallbackDelivery:
    """Posts it, and finds it accepted and kept, once."""
    before = CallbackDelivery.objects.count()
    answer = caller.send(path, body, **extra)
    assert (answer.status_code, said(answer)) == (200, ACCEPTED)
    assert CallbackDelivery.objects.count() == before + 1
    return CallbackDelivery.objects.latest("id")


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_junk_at_the_callback_address_is_accepted_and_kept(caller: Caller, body: bytes) -> None:
    for path in CALLBACKS:
        assert delivered(caller, path, body).verdict == CallbackDelivery.Verdict.UNREADABLE


@pytest.mark.usefixtures("unreached")
@given(path=st.sampled_from(CALLBACKS), body=st.binary(max_size=500) | ANYTHING)
@THOROUGH
def test_any_bytes_at_the_callback_address_are_accepted_and_kept(
    caller: Caller, path: str, body: Any
) -> None:
    delivered(caller, path, body)


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("content_type", [*CONTENT_TYPES, "application/json; charset=utf-16"])
def test_a_callback_of_any_content_type_is_read(caller: Caller, content_type: str) -> None:
    kept = delivered(caller, CALLBACKS[-1], success(), content_type=content_type)
    assert kept.verdict == CallbackDelivery.Verdict.UNKNOWN_TOKEN
    assert kept.checkout_request_id == "ws_CO_1"


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize("path", CALLBACKS)
def test_a_callback_of_64_kb_is_kept_and_a_larger_one_refused(caller: Caller, path: str) -> None:
    delivered(caller, path, b"x" * 65_536)
    for size in (65_537, 1_000_000):
        assert refused(caller.send(path, b"x" * size), 413)["code"] == "too_large"
    assert CallbackDelivery.objects.count() == 1


@pytest.mark.usefixtures("unreached")
@pytest.mark.parametrize(
    "address", ["", "é", "unix:", "1.2.3.4:80", "fe80::1%eth0", "::ffff:1.2.3.4", "2001:db8::1", "\x00"]
)
def test_a_callback_from_an_odd_address_is_kept(caller: Caller, address: str) -> None:
    delivered(caller, CALLBACKS[-1], success(), REMOTE_ADDR=address)


# --- callbacks for a live attempt -----------------------------------------------------------------------

AMOUNT = 1500
Attempt = tuple[MpesaTransaction, str, str]  # the row, its CheckoutRequestID, its callback token


@pytest.fixture
def ring(caller: Caller, safaricom: FakeDaraja) -> Callable[[], Attempt]:
    """Another phone is asked for KES 1,500."""

    def press() -> Attempt:
        number = len(safaricom.pushes) + 1
        push = {"phone": f"2547{number:08d}", "amount": AMOUNT, "accountReference": f"CART{number}"}
        poll_id = said(caller.send("/stkpush", push))["checkoutRequestId"]
        return MpesaTransaction.objects.get(checkout_request_id=poll_id), poll_id, safaricom.last_token

    return press


Ring = Callable[[], Attempt]
RIGHT, OTHERS = "the right one", "another live attempt's"
VALUE = st.none() | st.booleans() | NUMBER | st.text(st.characters(codec=None), max_size=50)


@given(
    token=st.sampled_from((RIGHT, RIGHT, OTHERS, "", "0" * 48)),
    checkout_id=st.sampled_from((RIGHT, RIGHT, OTHERS, "ws_CO_", "")) | VALUE,
    amount=st.sampled_from(
        (AMOUNT, float(AMOUNT), "1500", "1500.00", 1, 1499.99, 1500.000001, "1,500", -1500)
    )
    | VALUE,
    code=st.sampled_from((0, "0", 0, "00", 1032, 4999, "", "zero", 0.0)) | VALUE,
    words=VALUE,
    receipt=st.sampled_from(("", "UKN4AB12CD", "x" * 31, "'; DROP TABLE", "\x00", "\ud800")) | VALUE,
    when=st.sampled_from((20261123180012, "2026-11-23 18:00:12", 20269999999999, 0, -1)) | VALUE,
    more=st.lists(st.fixed_dictionaries({"Name": TEXT, "Value": ANYTHING}) | ANYTHING, max_size=3),
)
@THOROUGH
def test_only_the_right_token_id_and_amount_pay(
    caller: Caller,
    ring: Ring,
    token: Any,
    checkout_id: Any,
    amount: Any,
    code: Any,
    words: Any,
    receipt: Any,
    when: Any,
    more: Any,
) -> None:
    mine, my_id, my_token = ring()
    others, others_id, others_token = ring()
    told_id = (
        {RIGHT: my_id, OTHERS: others_id}.get(checkout_id, checkout_id)
        if isinstance(checkout_id, str)
        else checkout_id
    )
    # a receipt is unique: one of each example's own
    told_receipt = f"R{mine.id}" if receipt == "UKN4AB12CD" else receipt
    items = [
        {"Name": "Amount", "Value": amount},
        {"Name": "MpesaReceiptNumber", "Value": told_receipt},
        {"Name": "TransactionDate", "Value": when},
        *more,
    ]
    claim = {
        "MerchantRequestID": words,
        "CheckoutRequestID": told_id,
        "ResultCode": code,
        "ResultDesc": words,
    }
    body = {"Body": {"stkCallback": {**claim, "CallbackMetadata": {"Item": items}}}}
    address = {RIGHT: my_token, OTHERS: others_token}.get(token, token)
    kept = delivered(caller, f"/api/payments/callback/{address}", body)

    mine.refresh_from_db()
    others.refresh_from_db()
    said_zero = str(code) in ("0", "0.0", "-0.0") and not isinstance(code, bool)
    said_amount = not isinstance(amount, bool) and is_amount(amount) and float(amount) == AMOUNT
    agree = said_zero and said_amount
    if mine.state == State.COMPLETED:
        assert (address, told_id) == (my_token, my_id)
        assert agree
        assert mine.order.state == Order.State.PAID
    else:
        assert mine.order.state == Order.State.OPEN
    if others.state == State.COMPLETED:
        assert (address, told_id) == (others_token, others_id)
        assert agree
    # and the honest one is never turned away
    if (
        (address, told_id, amount, code) == (my_token, my_id, AMOUNT, 0)
        and not more
        and isinstance(amount, int)
    ):
        assume(not isinstance(code, bool))
        assert (mine.state, kept.verdict) == (State.COMPLETED, CallbackDelivery.Verdict.APPLIED)


@pytest.mark.parametrize(
    ("wrong", "verdict"),
    [
        ("nothing", "applied"),
        ("no token", "hint"),
        ("unknown token", "unknown_token"),
        ("other's token", "wrong_id"),
        ("other's id", "wrong_id"),
        ("amount too small", "wrong_amount"),
        ("amount too large", "wrong_amount"),
        ("no amount", "hint"),
        ("amount of two kinds", "hint"),
        ("code not listed", "hint"),
    ],
)
def test_one_wrong_thing_is_enough_to_pay_nothing(
    caller: Caller, ring: Ring, wrong: str, verdict: str
) -> None:
    mine, my_id, my_token = ring()
    _, others_id, others_token = ring()
    token = {"no token": "", "unknown token": "0" * 48, "other's token": others_token}.get(wrong, my_token)
    amount = {"amount too small": 1, "amount too large": AMOUNT + 1, "no amount": None}.get(wrong, AMOUNT)
    body = success(others_id if wrong == "other's id" else my_id, amount)
    if wrong == "code not listed":
        body["Body"]["stkCallback"]["ResultCode"] = 4999
    if wrong == "amount of two kinds":
        body["Body"]["stkCallback"]["CallbackMetadata"]["Item"].append({"Name": "Amount", "Value": 1})
    assert delivered(caller, f"/api/payments/callback/{token}", body).verdict == verdict
    paid = set(MpesaTransaction.objects.filter(state=State.COMPLETED).values_list("id", flat=True))
    assert paid == ({mine.id} if wrong == "nothing" else set())
    assert Order.objects.filter(state=Order.State.PAID).count() == len(paid)


@given(data=st.data())
@THOROUGH
def test_a_damaged_callback_pays_only_what_it_still_says(
    caller: Caller, ring: Ring, data: st.DataObject
) -> None:
    mine, my_id, token = ring()
    raw = bytearray(json.dumps(success(my_id, AMOUNT, f"R{mine.id}")).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 399)) % len(raw)
        kind = data.draw(st.sampled_from(("cut", "put", "set", "double", "drop")))
        if kind == "cut":
            del raw[at:]
        elif kind == "double":
            raw[at:at] = raw[at : at + data.draw(st.integers(1, 80))]
        elif kind == "drop":
            del raw[at : at + data.draw(st.integers(1, 30))]
        else:
            raw[at : at + (kind == "set")] = data.draw(
                st.binary(min_size=1, max_size=3) | st.sampled_from([b"0", b'"', b"}"])
            )
        if not raw:
            break
    delivered(caller, f"/api/payments/callback/{token}", bytes(raw))
    mine.refresh_from_db()
    if mine.state == State.COMPLETED:
        text = bytes(raw).decode(errors="replace").replace("\x00", "\ufffd")  # as the inbox takes it
        claim = json.loads(text)["Body"]["stkCallback"]
        amounts = [
            item.get("Value") for item in claim["CallbackMetadata"]["Item"] if item.get("Name") == "Amount"
        ]
        assert claim["CheckoutRequestID"] == my_id
        assert str(claim["ResultCode"]) in ("0", "0.0", "-0", "-0.0")
        assert {float(amount) for amount in amounts} == {AMOUNT}


def test_a_callback_whose_real_id_is_anothers_is_not_believed_for_the_id_it_names_first(
    caller: Caller, ring: Ring
) -> None:
    mine, my_id, token = ring()
    body = {"note": {"CheckoutRequestID": my_id}, **success("ws_CO_somebody_elses", AMOUNT, "UKN4AB12CD")}
    delivered(caller, f"/api/payments/callback/{token}", body)
    mine.refresh_from_db()
    assert mine.state == State.PENDING


@pytest.mark.parametrize(
    "spelt",
    [
        "1500000000e-6",
        "15000000001e-7",
        "1500.0000000001",
    ],
)
def test_an_amount_of_many_digits_is_not_read_as_another_amount(
    caller: Caller, safaricom: FakeDaraja, spelt: str
) -> None:
    """The inbox blanks long runs of digits: what is compared must be what was said."""
    poll_id = said(caller.send("/stkpush", {**GOOD_PUSH, "amount": 1000}))["checkoutRequestId"]
    body = json.dumps(success(poll_id, 77, "UKN4AB12CD")).replace(": 77}", f": {spelt}}}").encode()
    delivered(caller, f"/api/payments/callback/{safaricom.last_token}", body)
    assert MpesaTransaction.objects.get().state == State.PENDING


def test_a_callback_for_one_attempt_leaves_all_others_alone(caller: Caller, ring: Ring) -> None:
    attempts = [ring() for _ in range(3)]
    attempt, poll_id, token = attempts[1]
    delivered(caller, f"/api/payments/callback/{token}", success(poll_id, AMOUNT))
    assert list(MpesaTransaction.objects.order_by("id").values_list("state", flat=True)) == [
        State.PENDING,
        State.COMPLETED,
        State.PENDING,
    ]
    assert attempt.callback_token_hash == token_hash(token)


def test_a_mix_that_was_never_ordered_stays_unpaid(caller: Caller, ring: Ring, mixes: list[Mix]) -> None:
    order = said(caller.send("/api/orders", GOOD_ORDER))
    _, poll_id, token = ring()
    delivered(caller, f"/api/payments/callback/{token}", success(poll_id, AMOUNT))
    assert Order.objects.get(code=order["accountReference"]).state == Order.State.OPEN
