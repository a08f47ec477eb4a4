"""The shop's addresses."""

from django.urls import path, re_path

from orders import views
from orders.delivery import views as delivery

LINK = r"(?P<code>[A-Z0-9]{1,12})/(?P<until>[0-9]{1,11})-(?P<signature>[0-9a-f]{40})"

urlpatterns = [
    path("", views.mixes_page, name="mixes"),
    re_path(r"^cart/?$", views.cart_page, name="cart"),
    re_path(rf"^downloads/{LINK}/(?P<slug>[-a-zA-Z0-9_]{{1,60}})$", delivery.download, name="download"),
    re_path(rf"^downloads/{LINK}\.zip$", delivery.archive, name="archive"),
    path("previews/<slug:slug>", delivery.preview, name="preview"),
    path("covers/<slug:slug>.svg", views.cover, name="cover"),
    re_path(r"^api/mixes/?$", views.MixesView.as_view(), name="api-mixes"),
    re_path(r"^api/orders/?$", views.OrdersView.as_view(), name="api-orders"),
]
