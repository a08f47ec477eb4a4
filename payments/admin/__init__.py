"""The desk of payments: one module a part of it. Importing them registers them; nothing else here."""

from payments.admin import behind, inbox, orders, payments, people, statement_lines, statements, trail

__all__ = ["behind", "inbox", "orders", "payments", "people", "statement_lines", "statements", "trail"]
