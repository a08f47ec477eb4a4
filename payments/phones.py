"""A Kenyan phone number: read as people type it, masked for eyes, hashed for search. Kept nowhere whole."""

import hashlib
import hmac
import re
import unicodedata

import phonenumbers

ALLOWED = re.compile(r"[0-9\s()+.-]{1,40}", re.ASCII)
# Prefixes are portable and new ones open every year: the form is checked, the operator is Safaricom's business.
# by Unicode's categories: marks of direction and soft hyphens; variation selectors and other marks; blanks; dashes
_PLAIN = {"Cf": "", "Mn": "", "Me": "", "Zs": " ", "Zl": " ", "Zp": " ", "Pd": "-"}
_FROM_ABROAD = re.compile(r"^[\s(]*00")  # what most of the world dials for +
_LINK = re.compile(r"\s*tel:\s*", re.IGNORECASE)
SHOWN = 3  # digits at least, at either end of a masked number
MSISDN = re.compile(r"254[17]\d{8}", re.ASCII)


class NotAPhone(ValueError):
    """Not a Kenyan mobile number; the message says so in the buyer's words."""


def read_msisdn(text: str) -> str:
    """`0712 345 678`, `+254…`, `712…`, `0110…` → `254712345678`. Raises NotAPhone."""
    text = _plain(text)
    if not ALLOWED.fullmatch(text):
        raise NotAPhone("Type the phone number in digits, like 0712 345 678.")
    try:
        number = phonenumbers.parse(_FROM_ABROAD.sub("+", text), "KE")
    except phonenumbers.NumberParseException as bad:
        raise NotAPhone("This is not a phone number. Type it like 0712 345 678.") from bad
    if number.country_code != 254:
        raise NotAPhone("M-PESA works with Kenyan numbers only. Type yours like 0712 345 678.")
    msisdn = f"254{number.national_number}"
    if not MSISDN.fullmatch(msisdn):
        raise NotAPhone("This is not a Kenyan mobile number: it has 10 digits and starts with 07 or 01.")
    return msisdn


def _plain(text: str) -> str:
    """Without what nobody sees (phones put marks of direction around a number that is copied) and without the `tel:`
    of a link, and with every blank and dash as the plain one. The page does the same (mpesaPaymentManager.js)."""
    if not text.isascii():
        text = "".join(_PLAIN.get(unicodedata.category(each), each) for each in text.replace("\u2212", "-"))
    text = re.sub(r"\s", " ", text)
    return _LINK.sub("", text, count=1) if _LINK.match(text) else text


def mask(msisdn: str) -> str:
    """`254712345678` → `2547••••5678`."""
    return f"{msisdn[:4]}••••{msisdn[-4:]}"


def masked_payer(other_party: str) -> str:
    """Whoever a statement's line names: `25470****149 - JOHN **** DOE` → `25470****149`; a dash where it doesn't."""
    found = re.match(r"[\d*•]{6,16}", blank_phones(other_party), re.ASCII)
    return found[0] if found else "—"


def may_be_the_same(one: str, other: str) -> bool:
    """Whether two masked numbers can hide one number: what both show is the same, and that is enough of its beginning
    and its end to tell people apart."""
    (begins, ends), (other_begins, other_ends) = _shown(one), _shown(other)
    first, last = min(len(begins), len(other_begins)), min(len(ends), len(other_ends))
    if first < SHOWN or last < SHOWN:
        return False
    return begins[:first] == other_begins[:first] and ends[-last:] == other_ends[-last:]


def _shown(masked: str) -> tuple[str, str]:
    """The digits before and after what is hidden, from the country's code on: `0712****678` → `254712`, `678`."""
    parts = re.split(r"[*•]+", masked)
    begins, ends = (parts[0], parts[-1]) if len(parts) > 1 else ("", "")
    return f"254{begins[1:]}" if begins.startswith("0") else begins, ends


def phone_hash(msisdn: str, key: str) -> str:
    """The same number gives the same 64 hex digits under the same key; without the key it can't be guessed."""
    return hmac.new(key.encode(), b"msisdn:" + msisdn.encode(), hashlib.sha256).hexdigest()


def blank_phones(text: str) -> str:
    """Text with every run of digits that could hold a phone number blanked, still readable as JSON.

    Runs of 9 to 13 digits lose all but their first; longer ones (CheckoutRequestID ends in the payer's number)
    lose their last nine. 14 digits are Safaricom's time (yyyyMMddHHmmss) and stay.
    """
    return re.sub(r"\d{9,}", _blank_run, text, flags=re.ASCII)


def _blank_run(run: re.Match[str]) -> str:
    digits = run.group()
    if len(digits) == 14:
        return digits
    kept = 1 if len(digits) < 14 else len(digits) - 9
    return digits[:kept] + "0" * (len(digits) - kept)
