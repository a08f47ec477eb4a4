"""Reads the account statement exported from the M-PESA organisation portal. No Django, no settings in here."""

from .cells import NAIROBI
from .errors import StatementUnreadable
from .files import MAX_BYTES
from .reader import MAX_ROWS, read_statement
from .records import Kind, Line, Statement

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "NAIROBI",
    "Kind",
    "Line",
    "Statement",
    "StatementUnreadable",
    "read_statement",
]
