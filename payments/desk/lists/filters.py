"""The filters of the payments list: by state, by what needs a person, by Nairobi day. Each uses an index."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

from payments.desk.words import NAIROBI
from payments.facts import REASONS
from payments.models import MpesaTransaction

Payments = QuerySet[MpesaTransaction]


class NeedsFilter(admin.SimpleListFilter):
    title = "Needs a person"
    parameter_name = "needs"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Iterable[tuple[str, str]]:  # noqa: ARG002
        return [(reason.key, reason.label) for reason in REASONS]

    def queryset(self, request: HttpRequest, queryset: Payments) -> Payments:  # noqa: ARG002
        chosen = next((reason for reason in REASONS if reason.key == self.value()), None)
        return queryset.filter(chosen.applies) if chosen else queryset


class DaysFilter(RangeDateFilter):
    """From the first moment of one Nairobi day to the last of another. (unfold's own leaves the last day out.)"""

    def queryset(self, request: HttpRequest, queryset: Payments) -> Payments:  # noqa: ARG002
        first, last = (self._day(end) for end in ("from", "to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _midnight(last + timedelta(days=1))})
        return queryset

    def _day(self, end: str) -> date | None:
        try:
            return date.fromisoformat(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        except ValueError:
            return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=NAIROBI)
