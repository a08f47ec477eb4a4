"""The payment endpoints and pages. Each endpoint answers with and without a trailing slash."""

from django.urls import path, re_path

from payments import pages, views

urlpatterns = [
    re_path(r"^stkpush/?$", views.PushView.as_view(), name="stkpush"),
    re_path(r"^stkpush/status/?$", views.StatusView.as_view(), name="stkpush-status"),
    re_path(
        r"^api/(?:mpesa-callback|payments/callback)/?$", views.CallbackView.as_view(), name="bare-callback"
    ),
    re_path(
        r"^api/(?:mpesa-callback|payments/callback)/(?P<token>[A-Za-z0-9_-]{1,128})/?$",
        views.CallbackView.as_view(),
        name="callback",
    ),
    path("checkout/<str:token>", pages.checkout, name="checkout"),
    path("confirmation.html", pages.confirmation, name="confirmation"),
]
