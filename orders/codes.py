"""An order's two names: the short code people read aloud, and the token nobody can guess."""

import itertools
import math
import re
import secrets
import unicodedata

# no 0/O, 1/I/L, 5/S, 8/B, 2/Z, U/V: read over a bad line, typed on a small screen
ALPHABET = "34679ACDEFGHJKMNPQRTUWXY"
PREFIX = "DK"
LENGTH = 8  # behind the prefix
CODE = re.compile(rf"{PREFIX}[{ALPHABET}]{{{LENGTH}}}")

# What stands in no code was meant for something that looks or sounds like it.
_MEANT_FOR = {
    **dict.fromkeys("0O", "DQCG"),
    **dict.fromkeys("1IL", "7JT"),
    **dict.fromkeys("2Z", "7"),
    **dict.fromkeys("5S", "6"),
    **dict.fromkeys("8B", "39RE6"),
    "V": "UY",
}
_READINGS = {letter: letter for letter in ALPHABET} | _MEANT_FOR
MOST_READINGS = 256  # of one text: what could mean more means nothing
_LONGEST_TEXT = 200


def new_code() -> str:
    """`DK` and eight look-alike-free characters: 10, within the 12 that M-Pesa's AccountReference holds."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def is_code(text: str) -> bool:
    """Whether this has the form of our own codes (said nothing about whether such an order exists)."""
    return CODE.fullmatch(text) is not None


def codes_meant(text: str) -> frozenset[str]:
    """The order codes that somebody who typed this may have meant; most often none, or one.

    Blanks, hyphens, full stops, lower case and words about the code don't matter (`Order dk-3467.9acd`); the prefix may
    be missing where nothing else is there; `0` and `O` and the like, which no code has, stand for what they look like.
    Money is an order's only where exactly one of these is an order.
    """
    typed = unicodedata.normalize("NFKC", text[:_LONGEST_TEXT]).upper()
    squeezed = "".join(letter for letter in typed if letter.isalnum())
    found: set[str] = set()
    for start in range(len(squeezed)):
        if _is_prefix(squeezed[start : start + len(PREFIX)]):
            found.update(_readings(squeezed[start + len(PREFIX) :][:LENGTH]))
    if len(squeezed) == LENGTH:
        found.update(_readings(squeezed))
    return frozenset(found) if len(found) <= MOST_READINGS else frozenset()


def _is_prefix(text: str) -> bool:
    return len(text) == len(PREFIX) and all(
        meant in _READINGS.get(typed, "") for typed, meant in zip(text, PREFIX, strict=True)
    )


def _readings(rest: str) -> list[str]:
    """Each code whose part behind the prefix may have been typed so."""
    letters = [_READINGS.get(letter, "") for letter in rest]
    if len(rest) != LENGTH or math.prod(map(len, letters)) > MOST_READINGS:
        return []
    return [PREFIX + "".join(reading) for reading in itertools.product(*letters)]


def new_token() -> str:
    """192 unguessable bits, safe in an address."""
    return secrets.token_urlsafe(24)
