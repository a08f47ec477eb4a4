"""The payment endpoints: look up, normalise, one call, answer."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.http import JsonResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from djkraph.documented import REFUSALS
from djkraph.http import ApiProblem, problem, read_capped
from djkraph.throttling import (
    PushPerAddress,
    StatusPerAddress,
    client_address,
    guesses_a_lot,
    note_guess,
    sender,
)
from payments import callbacks, checkout, gateway
from payments.api.errors import in_http
from payments.api.serializers import (
    CallbackAnswerSerializer,
    PushAnswerSerializer,
    StatusAnswerSerializer,
    StatusSerializer,
    StkPushSerializer,
)
from payments.checkout import PaymentStatus
from payments.models import IdempotencyKey
from payments.states import Public

log = logging.getLogger(__name__)

MAX_KEY = 255
PLAIN_ID = re.compile(r"[\w-]{1,128}", re.ASCII)  # Daraja's and our own: the serializer changes none of them
CHECKING = "We are checking your payment. Do not pay again yet."
KEY_HEADER = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="One per buyer's click"
)


class PushView(APIView):
    """Sends one payment prompt to a phone, or answers with the one that is under way."""

    throttle_classes = (PushPerAddress,)

    @extend_schema(
        request=StkPushSerializer,
        parameters=[KEY_HEADER],
        responses={200: PushAnswerSerializer, **REFUSALS},
    )
    def post(self, request: Request) -> Response:
        request_body = StkPushSerializer(data=request.data)
        request_body.is_valid(raise_exception=True)
        asked = request_body.validated_data
        ask = checkout.Ask(
            msisdn=asked["phone"],
            amount_kes=asked["amount"],
            reference=(asked.get("accountReference") or "").strip(),
            description=asked.get("description") or "",
            again=asked.get("again") or False,
            opened_from=sender(request.META),
        )
        try:
            with checkout.place_for_push():
                answer = checkout.answer_once(
                    _idempotency_key(request),
                    asked=checkout.body_hashes(asked),
                    now=gateway.now(),
                    produce=lambda key_id: _push(ask, key_id),
                    under_way=_push_under_way,
                )
        except checkout.PushProblem as full:
            answer = _refusal(full)
        except checkout.KeyReused as reused:
            raise ApiProblem(str(reused), code="key_reused", status=HTTPStatus.CONFLICT) from reused
        headers = {"Retry-After": str(answer.retry_after)} if answer.retry_after else None
        return Response(answer.body, status=answer.status, headers=headers)


class StatusView(APIView):
    """How one payment stands. What is merely not known yet is `pending`, always: the shop's page takes anything
    else for failed."""

    throttle_classes = (StatusPerAddress,)

    @extend_schema(request=StatusSerializer, responses={200: StatusAnswerSerializer, **REFUSALS})
    def post(self, request: Request) -> Response:
        payment_status = checkout.payment_status_now(_poll_id(request.data), clock=gateway.now)
        if payment_status is None:
            note_guess(request.META)
            raise NotFound("This payment is not known here.")
        return Response(_status_json(payment_status, with_receipt=_may_see_receipt(payment_status, request)))

    def handle_exception(self, error: Exception) -> Response:
        if isinstance(error, APIException) and error.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            return super().handle_exception(error)
        if not isinstance(error, APIException):
            log.error("A status poll failed", exc_info=error)
        return Response({"success": True, "status": Public.PENDING, "message": CHECKING})


class CallbackView(APIView):
    """Safaricom's word about one payment. 200 as soon as it is stored."""

    @extend_schema(request=dict, responses={200: CallbackAnswerSerializer, **REFUSALS})
    def post(self, request: Request, token: str = "") -> JsonResponse:
        body = read_capped(request._request)  # as it came: callbacks/ reads it
        source, packed = client_address(request.META), request.META.get("HTTP_CONTENT_ENCODING", "")
        try:
            callbacks.receive_callback(
                token=token, body=body, source_address=source, now=gateway.now(), content_encoding=packed
            )
        except callbacks.NotFromSafaricom as refused:
            raise ApiProblem("Not from here.", code="refused", status=HTTPStatus.FORBIDDEN) from refused
        except OSError as lost:  # neither database nor disk: let the sender know that it was not taken
            log.exception("A callback could not be kept")
            raise ApiProblem("Not kept. Send it again.", code="not_kept", status=503) from lost
        return JsonResponse({"ResultCode": 0, "ResultDesc": "Accepted"})


@extend_schema(exclude=True)
class ResultView(CallbackView):
    """What came of one of our orders to Safaricom, or a payment that was made by hand. Kept as a callback is, and read
    by whose address it came to."""


@extend_schema(exclude=True)
class ValidationView(APIView):
    """May this payment by hand be made? Answered at once: Safaricom waits eight seconds."""

    def post(self, request: Request, token: str) -> JsonResponse:
        code = callbacks.validate(token=token, body=read_capped(request._request), now=gateway.now())
        words = "Rejected" if code else "Accepted"
        return JsonResponse({"ResultCode": code or "0", "ResultDesc": words})


@extend_schema(exclude=True)
class TimeoutView(APIView):
    """That an order waited too long at Safaricom, which is no failure: it is looked for."""

    def post(self, request: Request, token: str) -> JsonResponse:
        read_capped(request._request)
        callbacks.note_timeout(token=token, now=gateway.now())
        return JsonResponse({"ResultCode": 0, "ResultDesc": "Accepted"})


@extend_schema(exclude=True)
class BareCallbackView(CallbackView):
    """The address without a token. Its deliveries are hints, and nobody is to use it."""


def _push(ask: checkout.Ask, key_id: int | None) -> checkout.StoredAnswer:
    try:
        answer = checkout.request_payment(
            replace(ask, has_key=key_id is not None), clock=gateway.now, key_id=key_id
        )
    except checkout.PushProblem as refused:
        return _refusal(refused)
    return _push_answer(answer)


def _refusal(refused: checkout.PushProblem) -> checkout.StoredAnswer:
    return checkout.StoredAnswer(
        status=in_http(refused).status_code,
        body=problem(str(refused), code=refused.code),
        retry_after=refused.retry_after,
    )


def _push_under_way(row: IdempotencyKey) -> checkout.StoredAnswer:
    """For a key whose first request never came to its answer: its attempt can be polled by our own id."""
    poll_id = row.attempt.public_id if row.attempt else ""
    return _push_answer(checkout.Answer(poll_id=poll_id, prompt=checkout.Prompt.SAME))


def _push_answer(answer: checkout.Answer) -> checkout.StoredAnswer:
    return checkout.StoredAnswer(
        status=HTTPStatus.OK,
        body={
            "success": True,
            "checkoutRequestId": answer.poll_id,
            "prompt": answer.prompt,
            "message": answer.message,
        },
    )


def _poll_id(body: Any) -> str:
    """Which payment is polled. A plain id needs no serializer, which costs as much as the database; whatever is odd
    goes through it, and it has the words."""
    plain = body.get("checkoutRequestId") if isinstance(body, Mapping) else None
    if isinstance(plain, str) and PLAIN_ID.fullmatch(plain):
        return plain
    asked = StatusSerializer(data=body)
    asked.is_valid(raise_exception=True)
    poll_id: str = asked.validated_data["checkoutRequestId"]
    return poll_id


def _may_see_receipt(payment_status: PaymentStatus, request: Request) -> bool:
    """Whoever asks for many ids that are none learns the receipts of his own payments alone. (Behind an address that
    many share, the others' pages show theirs on the confirmation.)"""
    if payment_status.receipt is None or payment_status.opened_from == sender(request.META):
        return True
    return not guesses_a_lot(request.META)


def _status_json(payment_status: PaymentStatus, *, with_receipt: bool) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "success": payment_status.status != Public.FAILED,
        "status": payment_status.status,
        "message": payment_status.message,
    }
    if payment_status.status == Public.FAILED and payment_status.is_watched:
        answer["watching"] = True  # for pages that care: it may yet turn out paid
    if payment_status.status == Public.COMPLETED:
        answer |= {
            "transaction_id": payment_status.public_id,
            "MpesaReceiptNumber": payment_status.receipt if with_receipt else None,
            "amount": payment_status.amount_kes,
        }
    return answer


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > MAX_KEY or not key.isprintable() or not key.isascii():
        raise ApiProblem(
            f"Idempotency-Key is at most {MAX_KEY} printable characters.",
            code="invalid",
            status=HTTPStatus.BAD_REQUEST,
        )
    return key
