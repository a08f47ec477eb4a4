"""Whom a buyer writes to, on every page."""

from django.conf import settings
from django.http import HttpRequest


def contact(_request: HttpRequest) -> dict[str, str]:
    return {"contact_phone": settings.SHOP_CONTACT_PHONE, "contact_email": settings.SHOP_CONTACT_EMAIL}
