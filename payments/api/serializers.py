"""The shape of what the payment endpoints take, and the words for what they can't. No database here."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from orders.models import MAX_TOTAL_KES
from payments.models import MpesaTransaction
from payments.phones import NotAPhone, read_msisdn

MAX_REFERENCE = 100
MAX_TEXT = 200


class PhoneField(serializers.CharField):
    """Any usual spelling of a Kenyan mobile number → `254712345678`."""

    def to_internal_value(self, data: Any) -> str:
        if isinstance(data, float):  # 71234567.0 is no spelling of 0712 345 670
            raise serializers.ValidationError("Type the phone number in digits, like 0712 345 678.")
        try:
            return read_msisdn(super().to_internal_value(data))
        except NotAPhone as bad:
            raise serializers.ValidationError(str(bad), code="phone") from bad


@extend_schema_field({"type": "integer", "minimum": 1, "maximum": MAX_TOTAL_KES})
class WholeShillingsField(serializers.Field[int, Any, int, Any]):
    """1 to 250,000 whole shillings; `1500`, `1500.0` and `"1500"` are the same amount."""

    def to_internal_value(self, data: Any) -> int:
        amount = _whole(data)
        if amount is None:
            raise serializers.ValidationError("The amount must be a whole number of shillings.")
        if not 1 <= amount <= MAX_TOTAL_KES:
            raise serializers.ValidationError(f"The amount must be from KES 1 to KES {MAX_TOTAL_KES:,}.")
        return amount

    def to_representation(self, value: int) -> int:
        return value


def _whole(data: Any) -> int | None:
    if isinstance(data, bool):
        return None
    if isinstance(data, int):
        return data
    if isinstance(data, float):
        return int(data) if data.is_integer() else None
    if isinstance(data, str) and data.isascii() and data.strip().isdigit() and len(data) <= 12:
        return int(data)
    return None


class StkPushSerializer(serializers.Serializer[Any]):
    """POST /stkpush. Which transaction type is used is the shop's setting; the word sent must only be legal."""

    phone = PhoneField(max_length=40, error_messages={"required": "Type your M-PESA phone number."})
    amount = WholeShillingsField(error_messages={"required": "The amount is missing."})
    description = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=MAX_TEXT
    )
    accountReference = serializers.CharField(  # noqa: N815 — the contract's spelling
        required=False, allow_blank=True, allow_null=True, max_length=MAX_REFERENCE
    )
    transactionType = serializers.ChoiceField(  # noqa: N815
        choices=MpesaTransaction.Channel.values,
        required=False,
        allow_blank=True,
        allow_null=True,
        error_messages={"invalid_choice": f"This must be {' or '.join(MpesaTransaction.Channel.values)}."},
    )
    again = serializers.BooleanField(
        required=False,
        allow_null=True,
        help_text="It is meant as another purchase, though the same was just paid",
    )
    remark = serializers.CharField(required=False, allow_blank=True, allow_null=True, max_length=MAX_TEXT)


class StatusSerializer(serializers.Serializer[Any]):
    """POST /stkpush/status, in each of the three spellings pages use."""

    checkoutRequestId = serializers.CharField(  # noqa: N815
        max_length=128, error_messages={"required": "checkoutRequestId is missing."}
    )

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and "checkoutRequestId" not in data:
            spelt = data.get("CheckoutRequestID", data.get("checkout_request_id"))
            data = {**data, "checkoutRequestId": spelt} if spelt is not None else data
        return super().to_internal_value(data)


# --- the answers, for the OpenAPI page ------------------------------------------------------------------


class PushAnswerSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    checkoutRequestId = serializers.CharField()  # noqa: N815
    prompt = serializers.ChoiceField(choices=["sent", "same", "unknown"])
    message = serializers.CharField()


class StatusAnswerSerializer(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    status = serializers.ChoiceField(choices=["pending", "completed", "failed"])
    message = serializers.CharField()
    watching = serializers.BooleanField(
        required=False,
        help_text="Failed, and watched all the same: poll on, slowly, and it may turn out paid",
    )
    transaction_id = serializers.CharField(required=False)
    MpesaReceiptNumber = serializers.CharField(required=False, allow_null=True)
    amount = serializers.IntegerField(required=False)


class CallbackAnswerSerializer(serializers.Serializer[Any]):
    ResultCode = serializers.IntegerField()
    ResultDesc = serializers.CharField()


class OrderFactsSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    state = serializers.ChoiceField(choices=("open", "part_paid", "paid", "refunded", "ended"))
    total_kes = serializers.IntegerField()
    received_kes = serializers.FloatField(help_text="What came for it and did not go back, in KES")
    to_pay_kes = serializers.IntegerField()


class DownloadSerializer(serializers.Serializer[Any]):
    mix = serializers.SlugField()
    title = serializers.CharField()
    url = serializers.CharField(help_text="Opens for some weeks; take it as it is")
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class OrderAnswerSerializer(serializers.Serializer[Any]):
    """GET /api/orders/<token>. No downloads until the order is paid."""

    success = serializers.BooleanField()
    order = OrderFactsSerializer()
    downloads = DownloadSerializer(many=True)
    archive = serializers.CharField(allow_null=True, help_text="All of them in one zip")
