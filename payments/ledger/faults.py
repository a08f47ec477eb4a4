"""What a check of the ledger finds. Types only."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that is not as it must be, in a sentence that names where."""

    where: str
    what: str
    attempt_id: int | None = None  # whose page shows it
    order_code: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"
