"""What somebody may have meant who searches by what a customer reads out or pastes: receipts, a day's amount. Pure;
looks nothing up (search.py)."""

import re
from dataclasses import dataclass
from datetime import date
from string import ascii_uppercase, digits

LONGEST = 1000  # characters of a pasted message that are read
RECEIPT_LETTERS = ascii_uppercase + digits
_RECEIPT = re.compile(r"\b(?=[A-Z]*\d)[A-Z][A-Z0-9]{9}\b", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBER_DAY = re.compile(
    r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b|\b(\d{4})-(\d{2})-(\d{2})\b", re.ASCII
)
_WORD_DAY = re.compile(
    rf"\b(\d{{1,2}})\.? ?({'|'.join(_MONTHS)})[a-z]*\.?,?(?: (20\d{{2}}))?\b", re.ASCII | re.IGNORECASE
)
_AMOUNT = re.compile(
    r"(?<![\w,.])(?:kes|kshs?)?\.? ?(\d{1,3}(?:,\d{3})+|\d{1,6})(?:\.\d\d)?(?![\w,])",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class AmountOfDay:
    """Whole shillings, on a day of Nairobi."""

    amount_kes: int
    day: date


def receipts_in(text: str) -> list[str]:
    """Each word that looks like a receipt, as M-PESA's message begins with one."""
    return list(dict.fromkeys(_RECEIPT.findall(text[:LONGEST].upper())))[:20]


def nearly(receipt: str) -> list[str]:
    """The receipts that differ from this one in one character, or in two neighbours that changed places."""
    near = {
        receipt[:place] + letter + receipt[place + 1 :]
        for place in range(len(receipt))
        for letter in RECEIPT_LETTERS
    }
    near |= {
        receipt[:at] + receipt[at + 1] + receipt[at] + receipt[at + 2 :] for at in range(len(receipt) - 1)
    }
    return sorted(near - {receipt})


def amount_of_day(text: str, *, today: date) -> AmountOfDay | None:
    """`1,500 on 25/11/2026`, `KES 1500 25 Nov`. None where it doesn't name one of each. Days stand before months."""
    text = text[:LONGEST]
    for pattern, read in ((_NUMBER_DAY, _day_of_numbers), (_WORD_DAY, _day_of_words)):
        found = pattern.search(text)
        day = read(found, today) if found else None
        if found and day:
            amounts = _AMOUNT.findall(f"{text[: found.start()]} {text[found.end() :]}")
            if amounts:
                return AmountOfDay(amount_kes=int(amounts[0].replace(",", "")), day=day)
    return None


def _day_of_numbers(found: re.Match[str], _today: date) -> date | None:
    day, month, year = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    return _day(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))


def _day_of_words(found: re.Match[str], today: date) -> date | None:
    """Without a year it is the last such day that has been."""
    month = _MONTHS.index(found[2].lower()) + 1
    day = _day(int(found[3] or today.year), month, int(found[1]))
    return _day(today.year - 1, month, int(found[1])) if day and not found[3] and day > today else day


def _day(year: int, month: int, day: int) -> date | None:
    try:
        read = date(year, month, day)
    except ValueError:
        return None
    return read if 2007 <= read.year < 2100 else None
