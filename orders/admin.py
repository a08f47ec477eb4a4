"""The shelf in the desk: mixes can be edited. Orders stand with how they are paid (payments/desk/orders/)."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import OfferedOnly, ReadOnly
from orders.catalogue import in_words
from orders.delivery.audio import kind_of
from orders.delivery.files import answer
from orders.forms import CatalogueForm, MixForm
from orders.models import Mix, OrderItem
from orders.services import import_mixes


@admin.register(Mix)
class MixAdmin(OfferedOnly, ModelAdmin):
    list_display = ("title", "genre", "minutes", "price", "on_sale", "ready")
    list_filter = ("on_sale", "genre")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    form = MixForm
    list_before_template = "desk/mixes_import_button.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        told = {
            "may_import": self.has_add_permission(request),
            "import_url": reverse("admin:orders_mix_import"),
        }
        return super().changelist_view(request, {**told, **(extra_context or {})})

    def get_urls(self) -> list[URLPattern]:
        importing = path("import/", self.admin_site.admin_view(self.import_view), name="orders_mix_import")
        file = path("file/<str:name>", self.admin_site.admin_view(self.file_view), name="orders_mix_file")
        return [importing, file, *super().get_urls()]

    def file_view(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """For whoever may change a mix: to hear what was uploaded."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        mix = get_object_or_404(Mix.objects.order_by("pk"), Q(audio=name) | Q(preview=name))
        of = "audio" if mix.audio.name == name else "preview"
        told = {"size": getattr(mix, f"{of}_bytes"), "etag": getattr(mix, f"{of}_sha256")}
        return answer(request, getattr(mix, of), kind=kind_of(name), **told)

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """The catalogue of the merchant's page, as a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CatalogueForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            done = import_mixes(form.entries)
            (new_or_known, *lacking) = in_words(done)
            messages.success(request, new_or_known)
            if lacking:
                messages.warning(request, " ".join(line.strip() for line in lacking))
            return HttpResponseRedirect(reverse("admin:orders_mix_changelist"))
        told = {
            **self.admin_site.each_context(request),
            "title": "Import a catalogue",
            "form": form,
            "back": reverse("admin:orders_mix_changelist"),
        }
        return TemplateResponse(request, "desk/mixes_import.html", told, status=400 if form.errors else 200)

    @display(description="Price", ordering="price_kes")
    def price(self, mix: Mix) -> str:
        return f"KES {mix.price_kes:,}"

    @display(description="Download", boolean=True)
    def ready(self, mix: Mix) -> bool:
        return bool(mix.audio)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False  # sold mixes stand in orders: take them off sale instead


@admin.register(OrderItem)
class OrderItemAdmin(ReadOnly, ModelAdmin):
    list_display = ("title", "price_kes", "order", "downloads", "downloaded_at")
    search_fields = ("title", "order__code")
    list_select_related = ("order",)
    show_full_result_count = False
