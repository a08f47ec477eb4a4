"""How many requests one address may send in a minute. Limits per phone and order stand in checkout/prompts.py."""

import ipaddress
import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

WINDOW = 60  # seconds


class PerAddress(BaseThrottle):
    """A counter per address and minute: one `incr` a request, but for the first of a minute."""

    setting = ""

    def allow_request(self, request: Request, _view: APIView) -> bool:
        minute = int(time.time()) // WINDOW
        key = f"throttle:{self.setting}:{client_address(request.META)}:{minute}"
        limit: int = getattr(settings, self.setting)
        return _count(key) <= limit

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW


def _count(key: str) -> int:
    """How many there were under this key, with this one."""
    try:
        return cache.incr(key)
    except ValueError:  # nobody has counted yet: of those who come at once, the first adds it
        cache.add(key, 0, timeout=2 * WINDOW)
    try:
        return cache.incr(key)
    except ValueError:  # the cache dropped the key between the two calls
        return 0


class PushPerAddress(PerAddress):
    setting = "PUSH_RATE_PER_ADDRESS"


class StatusPerAddress(PerAddress):
    setting = "STATUS_RATE_PER_ADDRESS"


class OrdersPerAddress(PerAddress):
    setting = "ORDER_RATE_PER_ADDRESS"


def client_address(meta: dict[str, Any]) -> str | None:
    """The client's address, behind TRUSTED_PROXIES proxies: X-Forwarded-For counted from the right. None: what
    stands there is no address."""
    named = meta.get("REMOTE_ADDR", "")
    if proxies := settings.TRUSTED_PROXIES:
        forwarded = [part.strip() for part in meta.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
        named = forwarded[-min(proxies, len(forwarded))] if forwarded else named
    return _as_address(named)


@lru_cache(maxsize=1024)
def _as_address(named: str) -> str | None:
    try:
        return str(ipaddress.ip_address(named))
    except ValueError:
        return None
