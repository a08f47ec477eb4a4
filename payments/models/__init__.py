"""The tables of payments. No behaviour: attempts, events and their links are written by ledger/ alone."""

from payments.models.alert import Alert, AlertMessage
from payments.models.approval import HandSettlement
from payments.models.attempt import MpesaTransaction
from payments.models.delivery import DONE_VERDICTS, PROBLEM_VERDICTS, CallbackDelivery
from payments.models.event import PaymentEvent
from payments.models.lookup import Lookup
from payments.models.posting import Posting
from payments.models.receipt import Receipt
from payments.models.refund import Refund
from payments.models.reversal import Reversal
from payments.models.seal import Seal, SealedInPart
from payments.models.shared import (
    Awaited,
    DarajaToken,
    Heartbeat,
    IdempotencyKey,
    QueryBudget,
    StoppedPhone,
)
from payments.models.statement import Statement, StatementLine

__all__ = (
    "DONE_VERDICTS",
    "PROBLEM_VERDICTS",
    "Alert",
    "AlertMessage",
    "Awaited",
    "CallbackDelivery",
    "DarajaToken",
    "HandSettlement",
    "Heartbeat",
    "IdempotencyKey",
    "Lookup",
    "MpesaTransaction",
    "PaymentEvent",
    "Posting",
    "QueryBudget",
    "Receipt",
    "Refund",
    "Reversal",
    "Seal",
    "SealedInPart",
    "Statement",
    "StatementLine",
    "StoppedPhone",
)
