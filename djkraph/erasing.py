"""Emptying columns of rows that are old enough, some hundreds at a time, so that no lock is held for long. Which
columns say something of a person, each room knows of its own tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model, QuerySet

BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Erasable:
    """Rows that still hold something of a person and need it no more, and what stands there afterwards: None where the
    row goes whole. `kept`: as old, and still needed."""

    what: str  # in the plural, as people call them
    rows: QuerySet[Any, Any]
    kept: int
    emptied: Mapping[str, Any] | None

    def count(self) -> int:
        return self.rows.count()

    def erase(self) -> Iterator[int]:
        """How many are done so far, after each batch. Stopped and begun anew, it goes on."""
        model: type[Model] = self.rows.model
        done = 0
        while ids := list(self.rows.order_by("id").values_list("id", flat=True)[:BATCH]):
            with transaction.atomic(durable=True):
                rows = model._default_manager.filter(id__in=ids)
                done += rows.delete()[0] if self.emptied is None else rows.update(**self.emptied)
            yield done
