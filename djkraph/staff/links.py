"""A link by which one person chooses a password: made by the owner, handed over by hand, used once."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse


def new_password_link(request: HttpRequest, user: User) -> str:
    """The whole address. Good for PASSWORD_RESET_TIMEOUT, and until the password changes or the person logs in."""
    told = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return request.build_absolute_uri(reverse("account_reset_password_from_key", kwargs=told))
