"""Who acts for the shop at Safaricom beyond taking payments, and his password as it travels (daraja.md 6.6)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


class CertificateUnreadable(ValueError):
    """The file holds no RSA certificate, as PEM or DER. Its text is a sentence for staff."""


@dataclass(frozen=True, kw_only=True)
class Initiator:
    """`certificate`: the environment's, PEM or DER. Its dates don't matter: Safaricom's own ran out years ago."""

    name: str
    password: str = field(repr=False)
    certificate: bytes = field(repr=False)

    def security_credential(self) -> str:
        """The password under the certificate's key, base64; another text each time. Raises CertificateUnreadable."""
        key = public_key(self.certificate)
        return base64.b64encode(key.encrypt(self.password.encode(), PKCS1v15())).decode("ascii")


def public_key(certificate: bytes) -> RSAPublicKey:
    is_pem = b"-----BEGIN CERTIFICATE-----" in certificate
    load = x509.load_pem_x509_certificate if is_pem else x509.load_der_x509_certificate
    try:
        key = load(certificate).public_key()
    except ValueError:
        raise CertificateUnreadable("The file holds no certificate, as PEM or as DER.") from None
    if not isinstance(key, RSAPublicKey):
        raise CertificateUnreadable("The certificate's key is no RSA key.")
    return key
