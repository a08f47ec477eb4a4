"""Sums of days that are over, kept in this process for a few minutes: they grow with a month's sales, the home asks for
them each time, and what comes late changes them seldom."""

from collections.abc import Callable
from datetime import date
from typing import TypeVar, cast

from django.core.cache import caches

Sums = TypeVar("Sums")
A_FEW_MINUTES = 300  # seconds


def for_minutes(what: str, today: date, count: Callable[[], Sums]) -> Sums:
    found = caches["memory"].get_or_set(f"home-{what}-{today}", count, A_FEW_MINUTES)
    return cast("Sums", found)
