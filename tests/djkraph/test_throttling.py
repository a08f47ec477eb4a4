"""Whose request it is: the address that the trusted proxy names, counted by network."""

from ipaddress import ip_address
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from djkraph.throttling import NOWHERE, client_address, client_network


@pytest.mark.parametrize(
    ("named", "address", "network"),
    [
        ("41.90.1.2", "41.90.1.2", "41.90.1.2"),
        ("41.90.1.2:50123", "41.90.1.2", "41.90.1.2"),
        ("[2001:db8:1:2:3:4:5:6]:443", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("[2001:db8::1]", "2001:db8::1", "2001:db8::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::9", "2001:db8:1:2::"),
        ("2001:DB8:1:2:ffff::", "2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("::ffff:41.90.1.2", str(ip_address("::ffff:41.90.1.2")), "41.90.1.2"),
        ("fe80::1%eth0", "fe80::1", "fe80::"),
        *[
            (junk, None, NOWHERE)
            for junk in (
                "",
                "unknown",
                "_hidden",
                "41.90.1",
                "41.90.1.2:x",
                "[::1",
                "[41.90.1.2]x",
                "é",
                "\x00",
                "1,2",
            )
        ],
    ],
)
def test_what_stands_there_is_an_address_or_nothing(named: str, address: str | None, network: str) -> None:
    meta = {"REMOTE_ADDR": named}
    assert client_address(meta) == address
    assert client_network(meta) == network


@given(st.text(max_size=80))
def test_whatever_stands_there_it_is_counted_somewhere(named: str) -> None:
    assert client_network({"REMOTE_ADDR": named})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "counted"),
    [
        (0, "41.90.1.2", "10.0.0.1"),  # nobody in front: whoever writes this header writes it himself
        (1, "41.90.1.2", "41.90.1.2"),
        (1, "6.6.6.6, 41.90.1.2", "41.90.1.2"),  # the last is the proxy's word, the others are the sender's
        (1, "6.6.6.6, 41.90.1.2:50123", "41.90.1.2"),
        (2, "6.6.6.6, 41.90.1.2, 10.0.0.9", "41.90.1.2"),
        (2, "41.90.1.2", "41.90.1.2"),
        (1, "6.6.6.6, not an address", NOWHERE),
        (1, " , ", "10.0.0.1"),
    ],
)
def test_only_the_proxys_word_counts(proxies: int, forwarded: str, counted: str, settings: Any) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert client_network({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}) == counted


@pytest.mark.parametrize(
    "header", ["HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP", "HTTP_CF_CONNECTING_IP"]
)
def test_no_other_header_counts(header: str, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    meta = {"REMOTE_ADDR": "10.0.0.1", header: "6.6.6.6", "HTTP_X_FORWARDED_FOR": "41.90.1.2"}
    assert client_network(meta) == "41.90.1.2"


def asked(client: Client, address: str) -> int:
    sent = client.post(
        "/stkpush/status", '{"checkoutRequestId": "x"}', content_type="application/json", REMOTE_ADDR=address
    )
    return sent.status_code


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("41.90.1.2:1111", "41.90.1.2:2222"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"),
        ("[2001:db8:1:2::1]:80", "2001:db8:1:2::1"),
        ("junk", "other junk"),
    ],
)
def test_one_sender_is_counted_once_however_it_is_written(first: str, second: str, settings: Any) -> None:
    settings.STATUS_RATE_PER_ADDRESS = 1
    client = Client()
    assert [asked(client, first), asked(client, second), asked(client, "41.90.9.9")] == [
        404,
        200,
        404,
    ]  # 200: "pending"
