"""A list of many rows: newest first, in pages that nobody counts, with its own search. Nobody edits a row in it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly
from payments.desk.lists.pager import InfinitePaginator


class ManyRows(ReadOnly, ModelAdmin):
    """`search_fields` of a list only show the box: what is found stands in `found`."""

    list_filter_submit = True
    list_per_page = 50
    ordering = ("-id",)
    paginator = InfinitePaginator
    show_full_result_count = False

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Those that this term names; it is not blank."""
        raise NotImplementedError

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 — Django's
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        return (self.found(queryset, search_term) if search_term.strip() else queryset), False
