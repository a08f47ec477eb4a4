"""The unguessable part of an address that Safaricom calls. Sent once, kept only as a hash."""

import hashlib
import secrets


def new_token() -> str:
    """192 bits in lower-case hex: nothing that Safaricom's check of addresses dislikes."""
    return secrets.token_hex(24)


def token_hash(token: str) -> str:
    """How such a token is kept: the token itself stands in no row."""
    return hashlib.sha256(token.encode()).hexdigest()
