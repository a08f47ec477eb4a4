"""The simulator's own key pair, with which initiators' passwords come encrypted (daraja.md 6.6). It opens nothing else;
its certificate has run out, as Safaricom's has."""

import base64
import binascii
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

FOLDER = Path(__file__).parents[1] / "static"


def certificate() -> bytes:
    return (FOLDER / "certificate.pem").read_bytes()


@cache
def _key() -> RSAPrivateKey:
    key = load_pem_private_key((FOLDER / "initiator-key.pem").read_bytes(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("the simulator's key is no RSA key")
    return key


def decrypted(security_credential: str) -> str | None:
    """The password in it; None where it was made with another certificate, or is no credential."""
    try:
        return _key().decrypt(base64.b64decode(security_credential, validate=True), PKCS1v15()).decode()
    except (binascii.Error, ValueError):
        return None
