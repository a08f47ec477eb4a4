"""Which of allauth's pages the desk has, and where. Under /admin/, before the admin's own: its log-in page, log-out
and change of a password are these. There is no way to sign up, and none to have a password sent by mail."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as app
from allauth.mfa.webauthn import views as keys
from allauth.usersessions import views as sessions
from django.urls import path, re_path

from djkraph.staff.pages import LogIn, RemoveKey, in_desk

ANEW = r"^new-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$"

urlpatterns = [
    path("login/", in_desk(LogIn.as_view(), "Log in"), name="account_login"),
    path("login/second-factor/", in_desk(mfa.authenticate, "Second factor"), name="mfa_authenticate"),
    path("login/passkey/", keys.login_webauthn, name="mfa_login_webauthn"),
    path("logout/", in_desk(account.logout, "Log out"), name="account_logout"),
    path("reauthenticate/", in_desk(account.reauthenticate, "Is it you?"), name="account_reauthenticate"),
    path(
        "password_change/",
        in_desk(account.password_change, "Change your password"),
        name="account_change_password",
    ),
    path(
        "new-password/done/",
        in_desk(account.password_reset_from_key_done, "Your password is set"),
        name="account_reset_password_from_key_done",
    ),
    re_path(
        ANEW,
        in_desk(account.password_reset_from_key, "Choose a password"),
        name="account_reset_password_from_key",
    ),
    path(
        "logged-in/", in_desk(sessions.list_usersessions, "Where you are logged in"), name="usersessions_list"
    ),
    path("second-factor/", in_desk(mfa.index, "Your second factor"), name="mfa_index"),
    path("second-factor/code/", in_desk(mfa.reauthenticate, "Is it you?"), name="mfa_reauthenticate"),
    path("second-factor/app/", in_desk(app.activate_totp, "Authenticator app"), name="mfa_activate_totp"),
    path(
        "second-factor/app/remove/",
        in_desk(app.deactivate_totp, "Remove the app"),
        name="mfa_deactivate_totp",
    ),
    path(
        "second-factor/codes/",
        in_desk(codes.view_recovery_codes, "Recovery codes"),
        name="mfa_view_recovery_codes",
    ),
    path(
        "second-factor/codes/new/",
        in_desk(codes.generate_recovery_codes, "New recovery codes"),
        name="mfa_generate_recovery_codes",
    ),
    path("second-factor/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
    path("second-factor/keys/", in_desk(keys.list_webauthn, "Passkeys"), name="mfa_list_webauthn"),
    path("second-factor/keys/add/", in_desk(keys.add_webauthn, "Add a passkey"), name="mfa_add_webauthn"),
    path(
        "second-factor/keys/is-it-you/",
        in_desk(keys.reauthenticate_webauthn, "Is it you?"),
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "second-factor/keys/<int:pk>/remove/",
        in_desk(RemoveKey.as_view(), "Remove a passkey"),
        name="mfa_remove_webauthn",
    ),
    path(
        "second-factor/keys/<int:pk>/name/",
        in_desk(keys.edit_webauthn, "Name a passkey"),
        name="mfa_edit_webauthn",
    ),
]
