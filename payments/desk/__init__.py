"""What the desk reads and how it says it: sentences, timelines, numbers, exports. Nothing in here writes or calls."""

from payments.desk.day.report import report
from payments.desk.day.report_text import as_csv, as_text, read_day
from payments.desk.lists.table import BOM
from payments.desk.needs import count_payments_in_need
from payments.desk.statements.figures import ZERO, Comparison, compare, money
from payments.desk.words import NAIROBI

__all__ = (
    "BOM",
    "NAIROBI",
    "ZERO",
    "Comparison",
    "as_csv",
    "as_text",
    "compare",
    "count_payments_in_need",
    "money",
    "read_day",
    "report",
)
