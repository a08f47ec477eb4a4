"""Whose address a request comes from, how many of them it may send in a minute, and whether it tries ids. Limits per
phone and order stand in checkout/prompts.py."""

import hashlib
import hmac
import ipaddress
import re
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from djkraph import counting

GUESSES_PER_ADDRESS = 60  # in counting.GUESSES minutes
NOWHERE = "::"  # shared by all whose address can't be told
IPV6_HOME = 64  # bits: one household's network
PORT = re.compile(r"(?P<v4>[0-9.]+):[0-9]{1,5}|\[(?P<v6>[^\]]+)\](?::[0-9]{1,5})?")


class PerAddress(BaseThrottle):
    """So many a minute, counted by all processes together."""

    setting = ""

    def allow_request(self, request: Request, _view: APIView) -> bool:
        limit: int = getattr(settings, self.setting)
        return counting.requests.add(f"{self.setting}:{client_network(request.META)}", limit=limit) <= limit

    def wait(self) -> float:
        return counting.WINDOW - time.time() % counting.WINDOW


class PushPerAddress(PerAddress):
    setting = "PUSH_RATE_PER_ADDRESS"


class StatusPerAddress(PerAddress):
    setting = "STATUS_RATE_PER_ADDRESS"


class OrdersPerAddress(PerAddress):
    setting = "ORDER_RATE_PER_ADDRESS"


def note_guess(meta: dict[str, Any]) -> None:
    """An id that nobody here has ever heard of was asked for: a few are typing mistakes, many are a search."""
    counting.guesses.add(_guessing(meta), limit=GUESSES_PER_ADDRESS + 1)


def guesses_a_lot(meta: dict[str, Any]) -> bool:
    """Whether more unknown ids were asked for from this address than anybody needs."""
    return counting.guesses.total(_guessing(meta), limit=GUESSES_PER_ADDRESS) > GUESSES_PER_ADDRESS


def _guessing(meta: dict[str, Any]) -> str:
    return f"guess:{client_network(meta)}"


def sender(meta: dict[str, Any]) -> str:
    """Who sent it, for comparing with another request only: a keyed hash of the network, in which no address stands."""
    key, network = settings.SECRET_KEY.encode(), client_network(meta).encode()
    return hmac.new(key, b"sender:" + network, hashlib.sha256).hexdigest()[:32]


def client_address(meta: dict[str, Any]) -> str | None:
    """The client's address, behind TRUSTED_PROXIES proxies: X-Forwarded-For counted from the right. None: what
    stands there is no address."""
    named = meta.get("REMOTE_ADDR", "")
    if proxies := settings.TRUSTED_PROXIES:
        forwarded = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        named = forwarded[-min(proxies, len(forwarded))] if forwarded else named
    return _as_address(named)


def client_network(meta: dict[str, Any]) -> str:
    """What is counted: the address, of IPv6 its network, within which an address costs nothing. All whose address
    can't be told share one."""
    address = ipaddress.ip_address(client_address(meta) or NOWHERE)
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_HOME), strict=False).network_address)


@lru_cache(maxsize=1024)
def _as_address(named: str) -> str | None:
    """Also with a port, as some proxies write it: `1.2.3.4:5678`, `[2001:db8::1]:5678`."""
    with_port = PORT.fullmatch(named)
    host = (with_port["v6"] or with_port["v4"]) if with_port else named
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        return None
