"""What every endpoint's documentation says alike: how a refusal looks."""

from typing import Any

from rest_framework import serializers


class ProblemSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField(default=False)
    message = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.DictField(required=False)  # type: ignore[assignment]  # hides Serializer.errors on purpose


REFUSALS = {"4XX": ProblemSerializer, "5XX": ProblemSerializer}
