"""Staff in the desk: people, and the role of each. Only an owner (superuser) changes anything here."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from djkraph.admin import OfferedOnly

ROLES_IN_WORDS = (
    "Viewer: sees payments, orders, callbacks and statements. "
    "Cashier: also asks Safaricom, writes notes and marks as looked at. "
    "Supervisor: also settles by hand, records refunds, uploads statements, reads callbacks again and exports. "
    "Auditor: sees everything, also the audit and the ledger check, and changes nothing."
)


def is_owner(request: HttpRequest) -> bool:
    """Whoever may change people could make himself an owner: so only an owner may."""
    return bool(request.user.is_active and request.user.is_superuser)


admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class StaffAdmin(OfferedOnly, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # Django's is not generic at run time
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password_page")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        ("Seen", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "password1", "password2")}),)
    readonly_fields = ("password_page", "last_login", "date_joined")
    filter_horizontal = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_owner(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 — Django's
        return is_owner(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 — Django's
        return False  # the history names people: whoever leaves is made inactive

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A name that the history may hold stays; and no owner locks himself out."""
        fixed = ("username",) if obj else ()
        own = ("is_active", "is_staff", "is_superuser") if obj == request.user else ()
        return (*super().get_readonly_fields(request, obj), *fixed, *own)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may not set a password is not sent to its page."""
        sets = super().get_fieldsets(request, obj)
        return sets if obj is None or is_owner(request) else ((None, {"fields": ("username",)}), *sets[1:])

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # whoever is made here is made for the desk
        super().save_model(request, obj, form, change)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    @display(description="Role")
    def roles(self, user: User) -> str:
        if user.is_superuser:
            return "Owner"
        return ", ".join(group.name.capitalize() for group in user.groups.all()) or "None: sees nothing"

    @display(description="Password")
    def password_page(self, user: User) -> str:
        page = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html(
            'Nobody can read it, not even the shop. <a class="dk-link" href="{}">Set another one</a>', page
        )

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.label, field.help_text = "Role", ROLES_IN_WORDS
        return field


@admin.register(Group)
class RoleAdmin(OfferedOnly, GroupAdmin, ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_owner(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 — Django's
        return is_owner(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 — Django's
        return is_owner(request)
