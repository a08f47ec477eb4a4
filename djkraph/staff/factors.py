"""Second factors: who must have one, how their secrets are kept, and that nobody of these is let through without.

Must have one: whoever may move money, in a live shop. A session remembers whose second factor it has seen; one that is
older than the factor itself has not, and is asked.
"""

from base64 import urlsafe_b64encode
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter as accounts
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_used
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.module_loading import import_string

SEEN_OF = "second_factor_of"  # in a session: the id of the user whose second factor it has seen
MUST_HAVE = (
    "You may move money, so the desk wants more than a password of you. Set it up now: it takes a minute."
)
# behind /admin/: how one shows who one is, and leaves
BEFORE_IT = frozenset(
    {"logout/", "reauthenticate/", "password_change/", "second-factor/code/", "second-factor/keys/is-it-you/"}
)


class Factors(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whoever must have one adds another first."""
        others = _factors_of(authenticator.user).exclude(pk=authenticator.pk)
        return not must_have(authenticator.user) or others.exists()


def must_have(user: User | AnonymousUser) -> bool:
    """Whether the desk shows this person nothing without a second factor."""
    return settings.SECOND_FACTOR_REQUIRED and any(map(user.has_perm, _moves_money()))


def without_one() -> list[User]:
    """Who must have one, and hasn't set it up yet."""
    active = User.objects.filter(is_active=True, is_staff=True).order_by("username")
    return [user for user in active if must_have(user) and not has_one(user)]


def has_one(user: User) -> bool:
    return bool(_factors_of(user).exists())


def forget(user: User) -> int:
    """How many the user had, recovery codes not counted. At the next log-in new ones are set up."""
    had: int = _factors_of(user).count()
    Authenticator.objects.filter(user=user).delete()
    return had


class AskedFor:
    """Shows no page of the desk to somebody who must have a second factor until this session has seen it, and to
    nobody who has one a page about it."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self._asked(request) or self.get_response(request)

    def _asked(self, request: HttpRequest) -> HttpResponse | None:
        _, desk, page = request.path_info.partition("/admin/")
        if not desk or page in BEFORE_IT or page.startswith("static/"):
            return None
        user = request.user
        if not isinstance(user, User) or request.session.get(SEEN_OF) == user.pk:
            return None
        about_factors = page.startswith("second-factor/")
        if not about_factors and not must_have(user):
            return None
        if has_one(user):  # also of those who need not have one: a password alone reads and changes no factor
            by_factor = [way for way in accounts().get_reauthentication_methods(user) if "mfa" in way["id"]]
            return HttpResponseRedirect(
                f"{by_factor[0]['url']}?{urlencode({'next': request.get_full_path()})}"
            )
        if about_factors:
            return None
        messages.warning(request, MUST_HAVE)
        return HttpResponseRedirect(reverse("mfa_index"))


@receiver((authenticator_added, authenticator_used))
def _seen(request: HttpRequest, user: User, **_told: Any) -> None:
    request.session[SEEN_OF] = user.pk


@cache
def _moves_money() -> frozenset[str]:
    """The permissions; read late, since what the desk is made of can't be imported before the apps are there."""
    return frozenset(deed.permission for deed in import_string(settings.MOVES_MONEY))


def _factors_of(user: User) -> Any:
    return Authenticator.objects.filter(user=user).exclude(type=Authenticator.Type.RECOVERY_CODES)


def _cipher() -> MultiFernet:
    """By the ledger's keys: the first encrypts, the others and the retired still read."""
    retired = [each.rpartition("@")[0] for each in settings.LEDGER_KEYS_RETIRED]
    keys = [sha256(b"second factors:" + key.encode()).digest() for key in (*settings.LEDGER_KEY, *retired)]
    return MultiFernet([Fernet(urlsafe_b64encode(key)) for key in keys])
