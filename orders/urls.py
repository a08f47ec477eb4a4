"""The shop's addresses."""

from django.urls import path, re_path

from orders import views

urlpatterns = [
    path("", views.mixes_page, name="mixes"),
    re_path(r"^cart/?$", views.cart_page, name="cart"),
    path("covers/<slug:slug>.svg", views.cover, name="cover"),
    re_path(r"^api/mixes/?$", views.MixesView.as_view(), name="api-mixes"),
    re_path(r"^api/orders/?$", views.OrdersView.as_view(), name="api-orders"),
]
