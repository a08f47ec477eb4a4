"""What every endpoint's documentation says alike: how a refusal looks. And, in development, a page to try them on."""

from typing import Any

from django.conf import settings
from django.urls import URLPattern, path
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework import serializers
from rest_framework.renderers import TemplateHTMLRenderer


class ProblemSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(required=False)  # type: ignore[assignment]  # hides Serializer.errors on purpose


REFUSALS = {"4XX": ProblemSerializer, "5XX": ProblemSerializer}


def try_it() -> list[URLPattern]:
    """Nothing in a shop that doesn't say DEBUG."""
    if not settings.API_PAGE:
        return []
    page = SpectacularSwaggerSplitView.as_view(url_name="schema", renderer_classes=[TemplateHTMLRenderer])
    return [path("api/try", page, name="try-the-api")]
