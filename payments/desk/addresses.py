"""Where each page of the desk stands. Draws none: templates and figures use it too."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.db.models import Model
from django.urls import reverse

Of = Model | type[Model]


def address(of: Of, page: str, *args: object) -> str:
    return reverse(f"admin:{of._meta.app_label}_{of._meta.model_name}_{page}", args=args)


def page_of(row: Model) -> str:
    return address(row, "change", row.pk)


def list_of(kind: type[Model], chosen: Mapping[str, object] | None = None) -> str:
    """The list of all of its kind, or of those that these filters leave."""
    return address(kind, "changelist") + (f"?{urlencode(chosen)}" if chosen else "")
