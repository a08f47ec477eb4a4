"""Coming in at the desk with a second factor, by an app and by a passkey; and the owner's link for a new password. The
passkey is Chromium's own, in place of a finger on a sensor."""

import re
import time
from urllib.parse import urlsplit

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import look, look_as_it_is
from tests.support.browser.people import Desk
from tests.support.browser.tabs import DESK_SIZE, Tabs


def digits(secret: str, *, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def log_in(page: Page, name: str, password: str) -> None:
    page.locator("#id_login").fill(name)
    page.locator("#id_password").fill(password)
    page.locator("#login-form [type=submit]").click()


def log_out(page: Page, desk: str) -> None:
    page.goto(f"{desk}logout/")
    page.locator("main form [type=submit], .dk-form [type=submit]").click()
    expect(page.locator("#id_login")).to_be_visible()


def test_an_app_on_the_phone_and_a_recovery_code_open_the_desk(tabs: Tabs, demo: Demo) -> None:
    password = demo.hire("supervisor", "wanja-app")
    page = tabs.open(demo.desk, size=DESK_SIZE)
    log_in(page, "wanja-app", password)
    page.goto(f"{demo.desk}second-factor/")
    look(page, "second-factor")
    page.locator("#app a").click()
    look_as_it_is(page, "second-factor-app")
    secret = page.locator("#secret").inner_text()
    page.locator("#id_code").fill("123456")
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".dk-error")).to_have_text("Incorrect code.")
    secret = page.locator("#secret").inner_text()
    page.locator("#id_code").fill(digits(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator(".dk-codes li")).to_have_count(10)
    look_as_it_is(page, "second-factor-codes")
    recovery = page.locator(".dk-codes li").first.inner_text()
    page.get_by_role("link", name="I have them").click()
    look(page, "second-factor-on")
    for code in (digits(secret, steps=1), recovery):
        log_out(page, demo.desk)
        log_in(page, "wanja-app", password)
        expect(page.locator("#id_code")).to_be_visible()
        if code == recovery:
            look(page, "log-in-second", root="body")
        page.locator("#id_code").fill(code)
        page.locator("[type=submit]").first.click()
        expect(page.locator("#nav-sidebar")).to_be_visible()


def test_a_passkey_opens_the_desk_without_a_password(tabs: Tabs, demo: Demo) -> None:
    password = demo.hire("supervisor", "otieno-key")
    here = f"http://localhost:{urlsplit(demo.desk).port}/admin/"  # no passkey is for a bare address
    page = tabs.open(here, size=DESK_SIZE)
    sensor = page.context.new_cdp_session(page)
    sensor.send("WebAuthn.enable")
    sensor.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    log_in(page, "otieno-key", password)
    expect(page.locator("#nav-sidebar")).to_be_visible()
    page.goto(f"{here}second-factor/keys/add/")
    look_as_it_is(page, "passkey-add")
    page.locator("#id_name").fill("My phone")
    page.locator("#passkey-add").click()
    expect(page.locator(".dk-codes li")).to_have_count(10)
    page.goto(f"{here}second-factor/keys/")
    expect(page.locator(".dk-table")).to_contain_text("My phone")
    expect(page.locator(".dk-table")).to_contain_text("needs no password")
    look(page, "passkeys")
    log_out(page, here)
    page.locator("#passkey-log-in").click()
    expect(page.locator("#nav-sidebar")).to_be_visible()
    log_out(page, here)
    log_in(page, "otieno-key", password)
    page.locator("#passkey-use").click()
    expect(page.locator("#nav-sidebar")).to_be_visible()


def test_where_no_passkey_can_be_used_a_word_says_so(tabs: Tabs, demo: Demo) -> None:
    """No passkey is for a bare address."""
    page = tabs.open(demo.desk, size=DESK_SIZE)
    page.locator("#passkey-log-in").click()
    expect(page.locator("#passkey-trouble")).to_contain_text("Take another way")


def test_the_owner_makes_a_link_and_the_new_colleague_chooses_a_password(tabs: Tabs, demo: Demo) -> None:
    owner = Desk(tabs, demo).page
    owner.goto(f"{demo.desk}auth/user/add/")
    look(owner, "person-add")
    owner.set_viewport_size({"width": DESK_SIZE[0], "height": DESK_SIZE[1]})
    owner.locator("#id_username").fill("njambi-new")
    owner.locator("[name=_save]").click()
    owner.goto(f"{demo.desk}auth/user/?q=njambi-new")
    owner.locator("#result_list tbody a").first.click()
    look(owner, "person")
    owner.locator("a", has_text="Make a link").click()
    look(owner, "password-link")
    owner.locator(".dk-form [type=submit]").click()
    link = owner.locator("#link").input_value()
    look_as_it_is(owner, "password-link-made")
    new = tabs.open(link, size=DESK_SIZE)
    look(new, "password-choose", root="body")
    new.locator("#id_password1").fill("a-long-passphrase")
    new.locator("#id_password2").fill("a-long-passphrase")
    new.locator("[type=submit]").click()
    look(new, "password-chosen", root="body")
    new.locator("a", has_text=re.compile("Log in")).click()
    log_in(new, "njambi-new", "a-long-passphrase")
    expect(new.locator("#nav-sidebar")).to_be_visible()
    new.goto(f"{demo.desk}logged-in/")
    look(new, "logged-in")
    new.goto(f"{demo.desk}password_change/")
    look(new, "password-change")
