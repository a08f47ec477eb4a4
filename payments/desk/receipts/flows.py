"""What moved of one receipt, from account to account, mistakes taken out. Pure: postings in, cents out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from payments.ledger import KEPT, ORDER, REFUNDS_DUE, UNCLAIMED
from payments.models import Posting

Code = Posting.Code


@dataclass(frozen=True, kw_only=True)
class Flows:
    """Cents by (debited, credited, why). What a correction took back is in none of it."""

    of: Mapping[tuple[str, str, str], int]

    @property
    def unclaimed(self) -> int:
        return self.at(UNCLAIMED)

    @property
    def due(self) -> int:
        """Decided to go back, and not gone yet."""
        return self.at(REFUNDS_DUE)

    @property
    def kept(self) -> int:
        return self.at(KEPT)

    @property
    def orders(self) -> Mapping[str, int]:
        """By order code: what is its own of this receipt."""
        names = sorted({credit for _, credit, _ in self.of if credit.startswith(ORDER)})
        return {name.removeprefix(ORDER): cents for name in names if (cents := self.at(name))}

    def at(self, account: str) -> int:
        """What stands in an account that we owe."""
        return sum(
            cents * ((credit == account) - (debit == account))
            for (debit, credit, _), cents in self.of.items()
        )

    def moved(self, *codes: str, debit: str = "", credit: str = "") -> int:
        """What moved for one of these reasons, out of this account and into that one, where they are named."""
        return sum(
            cents
            for (source, target, code), cents in self.of.items()
            if code in codes and debit in ("", source) and credit in ("", target)
        )


def flows(postings: Iterable[Posting]) -> Flows:
    """Of the postings of one receipt, all of them."""
    found: Counter[tuple[str, str, str]] = Counter()
    for first, sign in _by_first(list(postings)):
        found[first.debit, first.credit, first.code] += sign * first.amount_cents
    return Flows(of={key: cents for key, cents in found.items() if cents})


def _by_first(postings: list[Posting]) -> Iterator[tuple[Posting, int]]:
    """Each as the posting that it began with: one that is mended counts against itself, and for itself again where the
    mending was mended."""
    known = {posting.pk: posting for posting in postings}
    for posting in postings:
        first, sign = posting, 1
        while first.mends_id is not None and first.mends_id in known:
            first, sign = known[first.mends_id], -sign
        yield first, sign
