"""Lets Django's admin find the desk. Nothing else."""

from payments.desk.alerts import page as alerts
from payments.desk.inbox import page as inbox
from payments.desk.orders import page as orders
from payments.desk.payments import behind, trail
from payments.desk.payments import page as payments
from payments.desk.receipts import page as receipts
from payments.desk.receipts import told
from payments.desk.refunds import page as refunds
from payments.desk.reversals import page as reversals
from payments.desk.settlements import page as settlements
from payments.desk.staff import people
from payments.desk.statements import lines_page as lines
from payments.desk.statements import page as statements

__all__ = (
    "alerts",
    "behind",
    "inbox",
    "lines",
    "orders",
    "payments",
    "people",
    "receipts",
    "refunds",
    "reversals",
    "settlements",
    "statements",
    "told",
    "trail",
)
