"""What the admins of both apps share. No model here."""

from typing import Any

from django.contrib.admin import ShowFacets
from django.http import HttpRequest

# what the filters of Django and unfold ask of the field that they are for
ASKED = frozenset({"exact", "id__exact", "isnull", "in", "gte", "gt", "lte", "lt"})
ENDS = ("_from", "_to")


class OfferedOnly:
    """A list's address asks for nothing but what its filters offer. Django lets everybody who may see a list look into
    any column by it, letter by letter: the hash of a phone, a token's."""

    show_facets = ShowFacets.NEVER  # counts of each choice: a million rows, for each filter

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        filters = self.get_list_filter(request)  # type: ignore[attr-defined]  # the ModelAdmin's
        return any(_asks(each, lookup) for each in filters)


def _asks(of: Any, lookup: str) -> bool:
    """Whether a filter has a parameter of this name: one of a field, or a class with a name of its own."""
    if not isinstance(of, str | tuple | list):
        return bool(lookup == of.parameter_name)
    field = of if isinstance(of, str) else str(of[0])
    before, _, asked = lookup.partition(f"{field}__")
    return lookup == field or (not before and asked in ASKED) or lookup in (f"{field}{end}" for end in ENDS)


class ReadOnly(OfferedOnly):
    """Nobody adds, edits or deletes these in the desk: the rooms that own them are their only writers."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
