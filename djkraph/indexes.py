"""Indexes that Django has no short word for."""

from django.db.models import Index


def begins(name: str, field: str) -> Index:
    """Finds rows by how a text begins. (SQLite has no operator classes and leaves that out.)"""
    return Index(name=name, fields=(field,), opclasses=("varchar_pattern_ops",))
