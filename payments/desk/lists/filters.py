"""Filters that lists share: a few choices, and Nairobi days. Each uses an index."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import RangeDateFilter

from payments.desk.taken import midnight, next_day
from payments.facts import REASONS
from payments.models import MpesaTransaction

# days beyond have no day before or after them, or no moment in another time zone
EARLIEST, LATEST = date(1900, 1, 1), date(9000, 1, 1)

Rows = QuerySet[Any]
Choices = Iterable[tuple[str, str]]


class ChoiceFilter(admin.SimpleListFilter):
    """One of a few choices. A value that is none of them filters nothing."""

    # unfold's own, and the choice as a field of the form: Apply sends the form's fields, and no others
    template = "desk/choice_filter.html"

    def choices_offered(self) -> Choices:
        raise NotImplementedError

    def chosen(self, rows: Rows, value: str) -> Rows:
        """The rows that this choice leaves."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:  # noqa: ARG002 — Django's
        return self.choices_offered()

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:  # noqa: ARG002 — Django's
        value = self.value()
        return self.chosen(queryset, value) if value and self.offers(value) else queryset

    def offers(self, value: str) -> bool:
        return value in dict(self.lookup_choices)


class NeedsFilter(ChoiceFilter):
    """Payments that need a person, by why."""

    title = "Needs a person"
    parameter_name = "needs"

    def choices_offered(self) -> Choices:
        return [(reason.key, reason.label) for reason in REASONS]

    def chosen(self, rows: QuerySet[MpesaTransaction], value: str) -> QuerySet[MpesaTransaction]:
        return rows.filter(next(reason.applies for reason in REASONS if reason.key == value))


class DaysFilter(RangeDateFilter):
    """From the first moment of one Nairobi day to the last of another. (unfold's own leaves the last day out.)"""

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:  # noqa: ARG002 — Django's
        first, last = (self._day(end) for end in ("from", "to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": midnight(first)})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": midnight(next_day(last))})
        return queryset

    def _day(self, end: str) -> date | None:
        try:
            day = date.fromisoformat(str(self.used_parameters.get(f"{self.parameter_name}_{end}", "")))
        except ValueError:
            return None
        return min(max(day, EARLIEST), LATEST)
