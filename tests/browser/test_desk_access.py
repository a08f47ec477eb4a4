"""Coming in and staying out: the log-in that locks, the page a role may not see, the auditor's check."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import keep_picture, look
from tests.support.browser.people import Desk
from tests.support.browser.tabs import DESK_SIZE, Tabs


@pytest.fixture
def _locked_for_this_test_only(demo: Demo) -> Iterator[None]:
    yield
    demo.unlock()


@pytest.mark.usefixtures("_locked_for_this_test_only")
def test_five_wrong_passwords_are_answered_by_a_page_that_says_what_to_do(tabs: Tabs, demo: Demo) -> None:
    page = tabs.open(demo.desk, size=DESK_SIZE)
    look(page, "log-in", root="body")
    send = page.locator("#login-form [type=submit]")
    for _ in range(5):
        page.locator("#id_login").fill("kraph")
        page.locator("#id_password").fill("not this one")
        send.click()
        expect(page.locator("[role=alert]")).to_contain_text("username and/or password you specified are not")
    tabs.expect_error("status of 429")
    page.locator("#id_login").fill("kraph")
    page.locator("#id_password").fill("not this one")
    send.click()
    expect(page.locator("h1")).to_have_text("Too many wrong passwords")
    expect(page.locator("main")).to_contain_text("Try again after")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        keep_picture(page, f"locked-{width}")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_an_auditor_reads_the_trail_and_checks_the_ledger(tabs: Tabs, demo: Demo) -> None:
    demo.simulator.answer(demo.push("0733 000 601", 900, "AUDIT601"), "pay")
    auditor = Desk(tabs, demo, role="auditor", name="chebet-audit")
    page = auditor.page
    page.locator("#nav-sidebar a", has_text="Audit").click()
    expect(page.locator("#result_list tbody tr").first).to_contain_text("Paid: the order is paid with it.")
    look(page, "audit")
    page.locator("#nav-sidebar a", has_text="Ledger check").click()
    look(page, "ledger-check")
    page.set_viewport_size({"width": DESK_SIZE[0], "height": DESK_SIZE[1]})
    page.locator("[data-start]").click()
    auditor.hears("payments are whole")
    expect(page.locator("[data-steps]")).to_have_attribute("data-state", "finished")


def test_long_work_says_that_its_session_is_over(tabs: Tabs, demo: Demo) -> None:
    auditor = Desk(tabs, demo, role="auditor", name="mwende-away")
    auditor.page.locator("#nav-sidebar a", has_text="Ledger check").click()
    expect(auditor.page.locator("[data-start]")).to_be_visible()
    auditor.page.context.clear_cookies(name="sessionid")
    auditor.page.locator("[data-start]").click()
    auditor.hears("You were away for a while and are logged out.")
    expect(auditor.page.locator("[data-again]")).to_be_visible()


def test_a_cashier_is_offered_neither_and_is_told_so(tabs: Tabs, demo: Demo) -> None:
    cashier = Desk(tabs, demo, role="cashier", name="otieno-desk")
    for entry in ("Audit", "Ledger check", "Staff"):
        expect(cashier.page.locator("#nav-sidebar a", has_text=entry)).to_have_count(0)
    tabs.expect_error("status of 403")
    cashier.page.goto(f"{demo.desk.rstrip('/')}/ledger-check/")
    cashier.hears("Your role does not allow this")
    keep_picture(cashier.page, "not-allowed")


def test_the_owner_gives_a_role_with_what_it_may_in_words(tabs: Tabs, demo: Demo) -> None:
    demo.hire("viewer", "njoki")
    kraph = Desk(tabs, demo)
    kraph.page.locator("#nav-sidebar a", has_text="Staff").click()
    look(kraph.page, "staff")
    kraph.page.set_viewport_size({"width": DESK_SIZE[0], "height": DESK_SIZE[1]})
    kraph.page.locator("#result_list a", has_text="njoki").first.click()
    kraph.hears("Supervisor: also settles by hand")
    look(kraph.page, "staff-member")
