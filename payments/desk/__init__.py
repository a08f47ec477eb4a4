"""What staff see, how it is said, and what they may press: a room for each subject. Decides nothing about money
(manual/) and writes no row itself."""

from payments.desk.addresses import address
from payments.desk.day.report import report
from payments.desk.day.text import as_csv, as_text, read_day
from payments.desk.home.trouble import Trouble, failing_messages, troubles
from payments.desk.lists.table import BOM
from payments.desk.needs import BY_KEY, count_payments_in_need
from payments.desk.orders.trace import trace
from payments.desk.settlements import DEEDS
from payments.desk.statements.comparison import Comparison, compare
from payments.desk.words import counted, kes, kes_of, moment, nairobi_day, shillings

__all__ = (
    "BOM",
    "BY_KEY",
    "DEEDS",
    "Comparison",
    "Trouble",
    "address",
    "as_csv",
    "as_text",
    "compare",
    "count_payments_in_need",
    "counted",
    "failing_messages",
    "kes",
    "kes_of",
    "moment",
    "nairobi_day",
    "read_day",
    "report",
    "shillings",
    "trace",
    "troubles",
)
