"""What Safaricom's callback says, paid and not paid."""

from typing import Any

from tests.support.payments.fake_daraja import WANJIRU


def success(
    checkout_id: str = "ws_CO_1", amount: Any = 1500, receipt: str | None = "UKN4AB12CD"
) -> dict[str, Any]:
    items = [
        {"Name": "Amount", "Value": amount},
        {"Name": "MpesaReceiptNumber", "Value": receipt},
        {"Name": "Balance"},
        {"Name": "TransactionDate", "Value": 20261123180012},
        {"Name": "PhoneNumber", "Value": int(WANJIRU)},
    ]
    told = {"MerchantRequestID": "m-1", "CheckoutRequestID": checkout_id, "ResultCode": 0, "ResultDesc": "ok"}
    return {"Body": {"stkCallback": {**told, "CallbackMetadata": {"Item": items}}}}


def failure(code: Any = 1032, checkout_id: str = "ws_CO_1") -> dict[str, Any]:
    told = {
        "MerchantRequestID": "m-1",
        "CheckoutRequestID": checkout_id,
        "ResultCode": code,
        "ResultDesc": "no",
    }
    return {"Body": {"stkCallback": told}}
