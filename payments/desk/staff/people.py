"""Staff in the desk: people, the role of each, where they are logged in, and a link for a new password. Only an owner
(superuser) changes anything here, and he gets to know nobody's password."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import ManyToManyField
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import UserChangeForm

from djkraph.admin import OfferedOnly
from djkraph.staff import factors, sessions
from djkraph.staff.links import new_password_link
from payments.desk.pages import row_or_404, show

ROLES_IN_WORDS = (
    "Viewer: sees payments, orders, callbacks and statements. "
    "Cashier: also asks Safaricom, writes notes and marks as looked at. "
    "Supervisor: also settles by hand, records refunds, uploads statements, reads callbacks again and exports. "
    "Auditor: sees everything, also the audit and the ledger check, and changes nothing."
)


def is_owner(request: HttpRequest) -> bool:
    """Whoever may change people could make himself an owner: so only an owner may."""
    return bool(request.user.is_active and request.user.is_superuser)


for model in (User, Group, EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)


class NewMember(ModelForm):  # type: ignore[type-arg]  # Django's is not generic at run time
    """A name alone: the password is chosen by its owner, behind a link."""

    class Meta:
        model = User
        fields = ("username",)


@admin.register(User)
class StaffAdmin(OfferedOnly, UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # Django's is not generic at run time
    form = UserChangeForm
    add_form = NewMember
    list_display = ("username", "first_name", "last_name", "roles", "is_active", "last_login")
    list_filter = ("groups", "is_active")
    fieldsets = (
        (None, {"fields": ("username", "password_page", "second_factor", "logged_in")}),
        ("Who", {"fields": ("first_name", "last_name", "email")}),
        ("What they may do", {"fields": ("is_active", "is_staff", "groups", "is_superuser")}),
        ("Seen", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username",)}),)
    readonly_fields = ("password_page", "second_factor", "logged_in", "last_login", "date_joined")
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
        if obj is None or is_owner(request):
            return sets
        return ((None, {"fields": ("username", "second_factor")}), *sets[1:])

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.is_staff = True  # whoever is made here is made for the desk
            obj.set_unusable_password()
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
        said = "Nobody can read it, not even the shop." if user.has_usable_password() else "None yet."
        page = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('{} <a class="dk-link" href="{}">Make a link for a new one</a>', said, page)

    @display(description="Second factor", boolean=True)
    def second_factor(self, user: User) -> bool:
        return factors.has_one(user)

    @display(description="Logged in")
    def logged_in(self, user: User) -> str:
        page = reverse("admin:auth_user_sessions", args=[user.pk])
        return format_html('<a class="dk-link" href="{}">See where, or end it</a>', page)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self._sessions)
        return [path("<path:id>/sessions/", view, name="auth_user_sessions"), *super().get_urls()]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002, ARG002 — Django's
        """In place of setting somebody's password: the link by which he sets it. Shown once, kept nowhere."""
        member = _member(request, id)
        told: dict[str, Any] = {"title": f"A new password for {member}", "member": member}
        if request.method == "POST":
            told["link"] = new_password_link(request, member)
            self.log_change(request, member, "Made a link for a new password.")
        page = show(request, "desk/password_link.html", told, of=member)
        page["Cache-Control"] = "no-store"
        return page

    def _sessions(self, request: HttpRequest, id: str) -> HttpResponse:  # noqa: A002 — as Django's above
        member = _member(request, id)
        if request.method == "POST":
            ended = sessions.end_all(member)
            self.log_change(request, member, f"Logged out everywhere ({ended}).")
            messages.success(request, f"{member} is logged out everywhere.")
            return HttpResponseRedirect(reverse("admin:auth_user_change", args=[member.pk]))
        told = {"title": f"Where {member} is logged in", "sessions": sessions.open_sessions(member)}
        return show(request, "desk/member_sessions.html", told, of=member)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if db_field.name == "groups" and field is not None:
            field.label, field.help_text = "Role", ROLES_IN_WORDS
        return field


def _member(request: HttpRequest, told: str) -> User:
    if not is_owner(request):
        raise PermissionDenied
    return row_or_404(User.objects.all(), told)


@admin.register(Group)
class RoleAdmin(OfferedOnly, GroupAdmin, ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_owner(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 — Django's
        return is_owner(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 — Django's
        return is_owner(request)
