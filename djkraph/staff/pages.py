"""allauth's pages that need something of ours, and all of them in the desk's frame."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.views import LoginView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from djkraph.staff import factors

View = Callable[..., Any]


def in_desk(view: View, title: str = "") -> View:
    """With what the desk's frame takes: sidebar, colours, and the page's title."""

    @wraps(view)
    def shown(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        answer = view(request, *args, **kwargs)
        if isinstance(answer, TemplateResponse):
            frame = {**admin.site.each_context(request), "title": title, "must_have": _must_have(request)}
            answer.context_data = frame | (answer.context_data or {})
        return answer

    return shown


class LogIn(LoginView):
    """Somebody who is signed in and may not use the desk any more is signed out: he would be sent back and forth."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if request.user.is_authenticated and not request.user.is_staff:
            logout(request)
        return super().dispatch(request, *args, **kwargs)


class RemoveKey(RemoveWebAuthnView):
    def form_valid(self, form: Any) -> HttpResponse:
        if get_adapter().can_delete_authenticator(self.object):
            answer: HttpResponse = super().form_valid(form)
            return answer
        messages.error(self.request, "This is your only second factor. Add another one first.")
        return HttpResponseRedirect(self.get_success_url())


def _must_have(request: HttpRequest) -> bool:
    return factors.must_have(request.user)
