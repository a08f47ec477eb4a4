"""What the admins of both apps share. No model here."""

from typing import Any

from django.http import HttpRequest


class ReadOnly:
    """Nobody adds, edits or deletes these in the desk: the rooms that own them are their only writers."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
