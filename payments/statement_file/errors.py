"""The one failure of reading a statement, said so that the person at the desk knows the row and the next step."""

from __future__ import annotations

EXPORT_AGAIN = (
    "export the statement again (organisation portal, Transaction › Account Statement › Export) and upload "
    "that file as it is"
)


class StatementUnreadable(Exception):
    """The file is not taken, not even in part. `row` counts from 1 as Excel does; None: it isn't about one row.

    No word of it holds an unmasked phone number: what it quotes was scrubbed.
    """

    def __init__(self, row: int | None, reason: str, *, advice: str = EXPORT_AGAIN) -> None:
        self.row = row
        self.reason = reason
        self.advice = advice
        super().__init__(row, reason)

    def __str__(self) -> str:
        where = f"Row {self.row}: " if self.row else ""
        return f"{where}{self.reason} Nothing was stored; {self.advice}."
