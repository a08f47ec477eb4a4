"""What the shop is measured against: the least that such an endpoint can be.

`/bare/status`: a bare DRF view with one indexed SELECT. `/bare/callback/<token>`: a bare Django view that makes the
same rows durable with hand-written SQL: inbox INSERT and commit; then attempt UPDATE, event INSERT, order UPDATE,
receipt INSERT, posting INSERT and commit. Neither checks, throttles, signs or masks anything.
"""

import json
import secrets
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from payments.gateway import token_hash

INBOX = """INSERT INTO payments_callbackdelivery
  (received_at, token_hash, checkout_request_id, body, source_address, verdict, from_safaricom, looked_at_by)
  VALUES (%s, %s, %s, %s, NULL, 'applied', FALSE, '')"""
ATTEMPT = """UPDATE payments_mpesatransaction SET state = 'completed', result_code = '0', receipt = %s,
  pays_order = TRUE,
  settled_at = %s, events_count = events_count + 1 WHERE callback_token_hash = %s RETURNING id, order_id"""
EVENT = """INSERT INTO payments_paymentevent
  (attempt_id, number, kind, source, from_state, to_state, at, facts, previous_hash, hash, key_id)
  VALUES (%s, 3, 'confirmed', 'callback', 'pending', 'completed', %s, '{}', '', '', '')"""
ORDER = """UPDATE orders_order SET state = 'paid', paid_at = %s, received_cents = received_cents + 150000
  WHERE id = %s RETURNING code"""
RECEIPT = """INSERT INTO payments_receipt (code, direction, kind, amount_cents, happened_at, short_code, account_no,
    payer_masked, attempt_id, told_by, told_at)
  VALUES (%s, 'in', 'payment', 150000, %s, '174379', %s, '', %s, 'callback', %s) RETURNING id"""
POSTING = """INSERT INTO payments_posting (ref, at, debit, credit, amount_cents, code, receipt_id, attempt_id,
    event_number, hash, key_id) VALUES (%s, %s, 'mpesa:174379', %s, 150000, 'paid', %s, %s, 3, '', '')"""


class BareStatus(APIView):
    def post(self, request: Request) -> Response:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, amount_kes, receipt FROM payments_mpesatransaction WHERE checkout_request_id = %s",
                [request.data["checkoutRequestId"]],
            )
            state, amount, receipt = cursor.fetchone()
        return Response({"success": True, "status": state, "amount": amount, "MpesaReceiptNumber": receipt})


def bare_callback(request: HttpRequest, token: str) -> JsonResponse:
    told: dict[str, Any] = json.loads(request.body)["Body"]["stkCallback"]
    items = {item["Name"]: item.get("Value") for item in told["CallbackMetadata"]["Item"]}
    now, hashed = timezone.now(), token_hash(token)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INBOX, [now, hashed, told["CheckoutRequestID"], request.body.decode()])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ATTEMPT, [items["MpesaReceiptNumber"], now, hashed])
        attempt_id, order_id = cursor.fetchone()
        cursor.execute(EVENT, [attempt_id, now])
        cursor.execute(ORDER, [now, order_id])
        (code,) = cursor.fetchone()
        cursor.execute(RECEIPT, [items["MpesaReceiptNumber"], now, code, attempt_id, now])
        (receipt_id,) = cursor.fetchone()
        cursor.execute(POSTING, [secrets.token_hex(12), now, f"order:{code}", receipt_id, attempt_id])
    return JsonResponse({"ResultCode": 0, "ResultDesc": "Accepted"})


urlpatterns = [
    path("bare/status", BareStatus.as_view()),
    path("bare/callback/<str:token>", bare_callback),
]
