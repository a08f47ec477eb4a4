"""allauth's forms that take a passkey: whatever a stranger writes there gets a word."""

from typing import TYPE_CHECKING, Any

from allauth.mfa.webauthn import forms as passkeys

if TYPE_CHECKING:
    from django.forms import Form as _Form
else:
    _Form = object

UNREADABLE = "This passkey can’t be read. Try again, or take another way."


class _Readable(_Form):
    """allauth leaves JSON that is no passkey to run into errors of many types."""

    def full_clean(self) -> None:
        try:
            super().full_clean()
        except Exception:  # noqa: BLE001 — whatever comes of what a stranger wrote
            self.cleaned_data: dict[str, Any] = {}
            self.add_error("credential", UNREADABLE)


class LogInByPasskey(_Readable, passkeys.LoginWebAuthnForm):
    pass


class PasskeyAsSecond(_Readable, passkeys.AuthenticateWebAuthnForm):
    pass


class PasskeyAgain(_Readable, passkeys.ReauthenticateWebAuthnForm):
    pass


class NewPasskey(_Readable, passkeys.AddWebAuthnForm):
    pass
