"""Every address of the shop. Wiring only."""

from django.contrib import admin
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from djkraph.documented import try_it
from djkraph.errors import bad_request, not_found, server_error

urlpatterns = [
    path("", include("payments.api.urls")),  # first: tried in this order, and polls are most of the traffic
    path("", include("orders.urls")),
    path("admin/report/", include("payments.desk.day.page")),
    path("admin/ledger-check/", include("payments.desk.staff.ledger_check")),
    path("admin/", include("djkraph.staff.urls")),
    path("admin/", admin.site.urls),
    re_path(r"^api/schema/?$", SpectacularAPIView.as_view(), name="schema"),
    *try_it(),
]

handler400 = bad_request
handler404 = not_found
handler500 = server_error
