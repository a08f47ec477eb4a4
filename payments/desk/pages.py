"""What every page of the desk does alike: who may see it, which row it is of, how it is drawn. No list (lists/), and
nothing about one kind of row."""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from djkraph.admin import ReadOnly

LONGEST_ID = 17  # digits: what is longer is no id of ours, and not every database could look it up

Row = TypeVar("Row", bound=Model)


class Button(NamedTuple):
    """Something to press on a row's page. `opens`: leads to a form; else it is done at once."""

    name: str
    label: str
    address: str
    opens: bool = False
    main: bool = False


class DetailPage(ReadOnly, ModelAdmin):
    """Shows one row in place of Django's form for changing it. A page says what stands on it in `detail`."""

    detail_template = ""

    def detail(self, request: HttpRequest, row: Any) -> Mapping[str, Any]:
        """What the template takes, `title` among it."""
        raise NotImplementedError

    def detail_rows(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.get_queryset(request)
        return rows

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 — Django's
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        row = row_or_404(self.detail_rows(request), object_id)
        told = {**self.detail(request, row), **(extra_context or {})}
        return show(request, self.detail_template, told, of=row)


def show(
    request: HttpRequest,
    template: str,
    told: Mapping[str, Any],
    *,
    of: Model | type[Model] | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with the desk's frame around it. `of`: the row, or the kind of rows, that its path at the top names."""
    context = {**admin.site.each_context(request), **told}
    if of is not None:
        context["opts"] = of._meta
    if isinstance(of, Model):
        context["original"] = of
    return TemplateResponse(request, template, context, status=status)


def refuse_without(request: HttpRequest, *permissions: str) -> None:
    if not request.user.has_perms(permissions):
        raise PermissionDenied


def row_or_404(rows: QuerySet[Row], told: str | int) -> Row:
    """The one with this id, as an address names it."""
    number = number_in(str(told))
    row = None if number is None else rows.filter(pk=number).first()
    if row is None:
        raise Http404("There is no such row.")
    return row


def number_in(text: str, *, longest: int = LONGEST_ID) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= longest else None
