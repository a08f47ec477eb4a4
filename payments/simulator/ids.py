"""Ids and receipts in the forms Safaricom gives them (daraja.md 2.2, 4). Only forms: who is given one is elsewhere."""

import secrets
import string
from datetime import datetime

BASE36 = string.digits + string.ascii_uppercase


def request_id(running: int) -> str:
    """`2654-4b64-97ff-b827b542881d3130`: error answers and MerchantRequestID share it."""
    text = f"{secrets.randbits(96):024x}"
    return f"{text[:4]}-{text[4:8]}-{text[8:12]}-{text[12:]}{running}"


def originator_conversation_id(running: int) -> str:
    """`1236-7134259-1`."""
    return f"{1000 + secrets.randbelow(9000)}-{1_000_000 + secrets.randbelow(9_000_000)}-{running}"


def conversation_id(moment: datetime) -> str:
    """`AG_20261123_1234409f86436c583e3f`."""
    return f"AG_{moment:%Y%m%d}_{secrets.token_hex(10)}"


def checkout_request_id(moment: datetime, msisdn: str) -> str:
    """`ws_CO_` + ddMMyyyyHHmmss in EAT + one digit of a second + the local number."""
    tenth = moment.microsecond // 100_000
    return f"ws_CO_{moment:%d%m%Y%H%M%S}{tenth}{msisdn[-9:]}"


def receipt(moment: datetime) -> str:
    """`UKN4AB12CD`: letters of year (U = 2026) and month, day as one character, seven of base 36."""
    year = chr(ord("A") + (ord("L") - ord("A") + moment.year - 2017) % 26)
    month = chr(ord("A") + moment.month - 1)
    tail = secrets.choice(string.digits) + "".join(secrets.choice(BASE36) for _ in range(6))
    return f"{year}{month}{BASE36[moment.day]}{tail}"


def access_token() -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(28))
