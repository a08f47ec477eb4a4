"""Lets Django's admin find the desk. Nothing else."""

from payments.desk.inbox import page as inbox
from payments.desk.orders import page as orders
from payments.desk.payments import behind, trail
from payments.desk.payments import page as payments
from payments.desk.staff import people
from payments.desk.statements import page as statements
from payments.desk.statements import statement_lines

__all__ = ("behind", "inbox", "orders", "payments", "people", "statement_lines", "statements", "trail")
