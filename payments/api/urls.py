"""The payment endpoints and pages. Each endpoint answers with and without a trailing slash."""

from django.urls import path, re_path

from payments.api import pages, views
from payments.api.orders import OrderView
from payments.api.receipts import ReceiptsView
from payments.api.where import where_is_my_money

TOKEN_IN_PATH = "(?P<token>[A-Za-z0-9_-]{1,128})"  # noqa: S105

urlpatterns = [
    re_path(r"^stkpush/status/?$", views.StatusView.as_view(), name="stkpush-status"),
    re_path(r"^stkpush/?$", views.PushView.as_view(), name="stkpush"),
    re_path(rf"^api/payments/callback/{TOKEN_IN_PATH}/?$", views.CallbackView.as_view(), name="callback"),
    re_path(r"^api/payments/callback/?$", views.BareCallbackView.as_view(), name="bare-callback"),
    re_path(rf"^api/mpesa-callback/{TOKEN_IN_PATH}/?$", views.CallbackView.as_view(), name="mpesa-callback"),
    re_path(r"^api/mpesa-callback/?$", views.BareCallbackView.as_view(), name="bare-mpesa-callback"),
    re_path(rf"^api/payments/results/{TOKEN_IN_PATH}/?$", views.ResultView.as_view(), name="order-result"),
    re_path(rf"^api/payments/confirmed/{TOKEN_IN_PATH}/?$", views.ResultView.as_view(), name="confirmed"),
    re_path(rf"^api/payments/validated/{TOKEN_IN_PATH}/?$", views.ValidationView.as_view(), name="validated"),
    re_path(rf"^api/payments/timeouts/{TOKEN_IN_PATH}/?$", views.TimeoutView.as_view(), name="order-timeout"),
    re_path(r"^api/receipts/?$", ReceiptsView.as_view(), name="api-receipts"),
    re_path(r"^api/orders/(?P<token>[A-Za-z0-9_-]{1,64})/?$", OrderView.as_view(), name="api-order"),
    path("checkout/<str:token>", pages.checkout, name="checkout"),
    re_path(r"^where-is-my-money/?$", where_is_my_money, name="where"),
    path("confirmation.html", pages.confirmation, name="confirmation"),
]
