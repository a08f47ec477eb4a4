"""An order's two names: the short code people read aloud, and the token nobody can guess."""

import re
import secrets

# no 0/O, 1/I/L, 5/S, 8/B, 2/Z, U/V: read over a bad line, typed on a small screen
ALPHABET = "34679ACDEFGHJKMNPQRTUWXY"
PREFIX = "DK"
CODE = re.compile(rf"{PREFIX}[{ALPHABET}]{{8}}")


def new_code() -> str:
    """`DK` and eight look-alike-free characters: 10, within the 12 that M-Pesa's AccountReference holds."""
    return PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(8))


def is_code(text: str) -> bool:
    """Whether this has the form of our own codes (said nothing about whether such an order exists)."""
    return CODE.fullmatch(text) is not None


def new_token() -> str:
    """192 unguessable bits, safe in an address."""
    return secrets.token_urlsafe(24)
