import base64
import threading
from datetime import datetime
from typing import Any

import requests
from django.conf import settings
from django.core.cache import cache
from django.urls import path, re_path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from tests.benchmarks.thin.payments.models import Payment

one_at_a_time = threading.Lock()


def token() -> str:
    found = cache.get("token")
    if found is None:
        with one_at_a_time:  # a second token ends the first
            return new_token()
    return str(found)


def new_token() -> str:
    found = cache.get("token")
    if found is None:
        answer = requests.get(
            f"{settings.MPESA_BASE_URL}/oauth/v1/generate?grant_type=client_credentials",
            auth=(settings.MPESA_CONSUMER_KEY, settings.MPESA_CONSUMER_SECRET),
            timeout=30,
        )
        found = answer.json()["access_token"]
        cache.set("token", found, 3000)
    return str(found)


class Push(APIView):
    def post(self, request: Request) -> Response:
        told: dict[str, Any] = request.data
        at = datetime.now().strftime("%Y%m%d%H%M%S")  # noqa: DTZ005
        code = settings.MPESA_BUSINESS_SHORT_CODE
        password = base64.b64encode(f"{code}{settings.MPESA_PASSKEY}{at}".encode()).decode()
        asked = {
            "BusinessShortCode": code, "Password": password, "Timestamp": at, "PartyB": code,
            "TransactionType": "CustomerPayBillOnline", "Amount": told["amount"], "PartyA": told["phone"],
            "PhoneNumber": told["phone"], "CallBackURL": settings.MPESA_CALLBACK_URL + "/" + "t" * 48,
            "AccountReference": told["accountReference"], "TransactionDesc": "DJ Kraph",
        }  # fmt: skip
        answer = requests.post(
            f"{settings.MPESA_BASE_URL}/mpesa/stkpush/v1/processrequest",
            json=asked,
            headers={"Authorization": f"Bearer {token()}"},
            timeout=30,
        ).json()
        Payment.objects.create(
            phone=told["phone"],
            amount=told["amount"],
            reference=told["accountReference"],
            checkout_request_id=answer["CheckoutRequestID"],
        )
        return Response({"success": True, "checkoutRequestId": answer["CheckoutRequestID"]})


class Status(APIView):
    def post(self, request: Request) -> Response:
        payment = Payment.objects.get(checkout_request_id=request.data["checkoutRequestId"])
        return Response(
            {"status": payment.state, "amount": payment.amount, "MpesaReceiptNumber": payment.receipt}
        )


class Callback(APIView):
    def post(self, request: Request, **_: str) -> Response:
        told = request.data["Body"]["stkCallback"]
        items = {each["Name"]: each.get("Value") for each in told["CallbackMetadata"]["Item"]}
        payment = Payment.objects.get(checkout_request_id=told["CheckoutRequestID"])
        payment.state, payment.receipt = "paid", items["MpesaReceiptNumber"]
        payment.save()
        return Response({"ResultCode": 0, "ResultDesc": "Accepted"})


urlpatterns = [
    path("stkpush", Push.as_view()),
    path("stkpush/status", Status.as_view()),
    re_path("api/payments/callback.*", Callback.as_view()),
]
