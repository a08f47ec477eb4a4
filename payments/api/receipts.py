"""Receipts that another system hands on: the one that has the paybill's C2B addresses. Signed, kept, and believed no
more than Safaricom's own notices: once Safaricom, asked, says the same."""

import time
from http import HTTPStatus
from typing import Any

from django.db import Error
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from djkraph.documented import REFUSALS
from djkraph.http import ApiProblem, read_capped
from djkraph.signatures import HEADER, is_signed
from payments import gateway, lookups
from payments.models import CallbackDelivery

Verdict = CallbackDelivery.Verdict
SIGNED = OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, required=True, description="t=…,v1=…")


class ReceiptTakenSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    known = serializers.BooleanField(help_text="It was told before")


class ReceiptsView(APIView):
    """Safaricom's notice of one payment, handed on as it came. Told twice it counts once."""

    @extend_schema(request=dict, parameters=[SIGNED], responses={200: ReceiptTakenSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        body = read_capped(request._request)
        secrets = gateway.feed_secrets()
        if not secrets:
            raise ApiProblem("This shop takes no receipts from others.", code="refused", status=403)
        if not is_signed(body, request.headers.get(HEADER, ""), secrets=secrets, now=time.time()):
            message = "The signature is not right, or older than five minutes."
            raise ApiProblem(message, code="unsigned", status=HTTPStatus.UNAUTHORIZED)
        try:
            verdict = lookups.hear(body.decode(errors="replace"), now=gateway.now())
        except Error as away:
            raise ApiProblem("Not kept. Send it again.", code="not_kept", status=503) from away
        if verdict is Verdict.WRONG_ID:
            raise ApiProblem("That short code is not this shop's.", code="wrong_short_code", status=400)
        if verdict is Verdict.UNREADABLE:
            message = "Hand on Safaricom's notice as it came: JSON with TransID and BusinessShortCode in it."
            raise ApiProblem(message, code="invalid", status=HTTPStatus.BAD_REQUEST)
        return Response({"success": True, "known": verdict is Verdict.REPEATED})
