"""The merchants and the one app this simulator knows. Public sandbox values and invented ones; no real secret."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CONSUMER_KEY = "simulator-consumer-key"
CONSUMER_SECRET = "simulator-consumer-secret"  # noqa: S105 - public by design, it opens nothing
INITIATOR = "simulator-initiator"
INITIATOR_PASSWORD = "Simulator#2026"  # noqa: S105 - as public as the rest
SANDBOX_PASSKEY = "bfb279f9aa9bdbcf158e97dd71a467cd2e0c893059b10f78e6b72ada1ed2c919"


@dataclass(frozen=True, kw_only=True)
class Account:
    """`party_b` and `transaction_type` are the only pairing that can be paid; any other ends in 2028."""

    short_code: str
    party_b: str
    transaction_type: str
    name: str = "DJ KRAPH"
    passkey: str = SANDBOX_PASSKEY

    @property
    def is_paybill(self) -> bool:
        return self.transaction_type == "CustomerPayBillOnline"

    def password(self, timestamp: str) -> str:
        return base64.b64encode(f"{self.short_code}{self.passkey}{timestamp}".encode()).decode()


PAYBILL = Account(short_code="174379", party_b="174379", transaction_type="CustomerPayBillOnline")
TILL = Account(short_code="600000", party_b="600001", transaction_type="CustomerBuyGoodsOnline")

ACCOUNTS: Mapping[str, Account] = MappingProxyType({a.short_code: a for a in (PAYBILL, TILL)})


def account_at(number: str) -> Account | None:
    """The merchant whose short code or till number this is."""
    return next((a for a in ACCOUNTS.values() if number in (a.short_code, a.party_b)), None)
