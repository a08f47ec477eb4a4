"""Orders, the inbox, the export and the report of a day in a real browser, each by somebody whose work it is."""

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import requests
from playwright.sync_api import Locator, expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import SIZES, keep_picture, look
from tests.support.browser.people import Buyer, Desk
from tests.support.browser.tabs import Tabs

UNREADABLE = "Not readable"


def paid(demo: Demo, phone: str, amount: int, reference: str) -> None:
    demo.simulator.answer(demo.push(phone, amount, reference), "pay")


def rows_of(file: Path) -> list[dict[str, str]]:
    text = file.read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def downloaded(staff: Desk, button: Locator) -> tuple[str, list[dict[str, str]]]:
    """The name of the file that this button gives, and what stands in it."""
    with staff.page.expect_download() as waiting:
        button.click()
    return waiting.value.suggested_filename, rows_of(Path(waiting.value.path()))


def open_from_sidebar(staff: Desk, title: str) -> None:
    staff.page.locator("#nav-sidebar a", has_text=title).click()


# --- orders -----------------------------------------------------------------------------------------------


def test_a_viewer_reads_what_an_order_costs_what_came_and_what_is_owed(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("love-songs-vol-1", "wedding-floor")
    wanjiru.pay_with("0722 000 171")
    wanjiru.sees("waiting")
    code = wanjiru.order_code
    demo.simulator.answer(str(demo.pushes("254722000171")[-1]["checkout_request_id"]), "pay")
    receipt = wanjiru.sees_receipt()
    viewer = Desk(tabs, demo, role="viewer", name="moraa")
    open_from_sidebar(viewer, "Orders")
    look(viewer.page, "orders")
    viewer.search("0722 000 171")
    expect(viewer.found).to_have_count(1)
    viewer.open_first()
    viewer.hears(f"with receipt {receipt}; nothing is owed.")
    expect(viewer.page.locator("#items tbody tr")).to_have_count(2)
    expect(viewer.page.locator("#attempts")).to_contain_text(receipt)
    look(viewer.page, "order")
    viewer.page.locator("#attempts a", has_text="Open").click()
    viewer.hears(f"Order {code} is paid with it.")


# --- the inbox --------------------------------------------------------------------------------------------


def test_a_supervisor_filters_the_inbox_and_reads_several_callbacks_once_more(tabs: Tabs, demo: Demo) -> None:
    for number in range(3):
        address = f"{demo.shop}/api/payments/callback/{'f' * 47}{number}"
        assert requests.post(address, data=b"no callback", timeout=30).status_code == 200
    paid(demo, "0722 000 172", 800, "INBOX172")
    supervisor = Desk(tabs, demo, role="supervisor", name="naliaka")
    page = supervisor.page
    open_from_sidebar(supervisor, "Callback inbox")
    look(page, "inbox")
    choose_verdict(supervisor, UNREADABLE)
    expect(supervisor.found).to_have_count(3)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("read_selected")
    page.locator("#changelist-form button[name=index]").click()
    expect(page.locator("#became tbody tr")).to_have_count(3)
    expect(page.locator("#became tbody tr").first).to_contain_text("Read once more: not readable.")
    look_at_what_became(supervisor)
    page.locator("#became a", has_text="Open").first.click()
    supervisor.hears("It is not a callback that we can read.")
    supervisor.hears("Read once more: not readable.")
    look(page, "delivery")
    page.get_by_role("button", name="Mark as looked at").click()
    supervisor.hears("Marked as looked at.")


def choose_verdict(staff: Desk, words: str) -> None:
    """By the list's own filter panel."""
    staff.page.set_viewport_size({"width": 1280, "height": 900})
    staff.page.get_by_role("button", name="Filters").or_(
        staff.page.locator("a", has_text="Filters")
    ).first.click()
    staff.page.locator("select[name=verdict__exact]").select_option(label=words, force=True)
    staff.page.get_by_role("button", name="Apply Filters").click()
    staff.page.wait_for_url("**verdict__exact=**")


def look_at_what_became(staff: Desk) -> None:
    """It answers a POST, so it isn't reloaded: as it stands, at both widths."""
    for width, height in SIZES:
        staff.page.set_viewport_size({"width": width, "height": height})
        keep_picture(staff.page, f"inbox-done-{width}")
        assert staff.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_cashier_sees_the_inbox_and_is_not_offered_to_read_it_again(tabs: Tabs, demo: Demo) -> None:
    paid(demo, "0722 000 178", 500, "INBOX178")
    cashier = Desk(tabs, demo, role="cashier", name="chebet")
    open_from_sidebar(cashier, "Callback inbox")
    offered = cashier.page.locator("select[name=action] option")
    expect(offered.filter(has_text="looked at")).to_have_count(1)
    expect(offered.filter(has_text="once more")).to_have_count(0)


# --- the export -------------------------------------------------------------------------------------------


def test_the_file_holds_exactly_what_the_list_is_filtered_to(tabs: Tabs, demo: Demo) -> None:
    paid(demo, "0722 000 173", 1100, "EXPO1")
    paid(demo, "0722 000 174", 1200, "EXPO2")
    paid(demo, "0722 000 175", 1300, "OTHER1")
    supervisor = Desk(tabs, demo, role="supervisor", name="wafula")
    supervisor.open_payments()
    supervisor.search("EXPO")
    expect(supervisor.found).to_have_count(2)
    name, rows = downloaded(supervisor, supervisor.page.locator('a[href*="/export/"]').first)
    assert name.startswith("payments-")
    assert {(row["Page's reference"], row["Amount (KES)"]) for row in rows} == {
        ("EXPO1", "1100"),
        ("EXPO2", "1200"),
    }
    assert {row["Phone"] for row in rows} == {"2547••••0173", "2547••••0174"}
    assert {row["State"] for row in rows} == {"Paid"}


def test_a_viewer_is_offered_no_file(tabs: Tabs, demo: Demo) -> None:
    viewer = Desk(tabs, demo, role="viewer", name="kerubo")
    viewer.open_payments()
    expect(viewer.page.locator('a[href*="/export/"]')).to_have_count(0)
    open_from_sidebar(viewer, "Report of a day")
    expect(viewer.page.locator("#summary")).to_contain_text("taken in")
    expect(viewer.page.locator("#file")).to_have_count(0)


# --- the report of a day ----------------------------------------------------------------------------------


def test_a_manager_reads_the_day_at_six_takes_it_along_and_prints_it(tabs: Tabs, demo: Demo) -> None:
    paid(demo, "0722 000 176", 2300, "TODAY1")
    demo.simulator.answer(demo.push("0722 000 177", 400, "TODAY2"), "cancel")
    today = datetime.now(ZoneInfo("Africa/Nairobi")).date()
    supervisor = Desk(tabs, demo, role="supervisor", name="atieno")
    page = supervisor.page
    open_from_sidebar(supervisor, "Report of a day")
    expect(page.locator("#summary")).to_contain_text("The day is not over yet.")
    expect(page.locator('[data-part="Why requests came to nothing"]')).to_contain_text(
        "Cancelled by the user"
    )
    look(page, "day")
    name, rows = downloaded(supervisor, page.locator("#file"))
    assert name == f"report-{today}.csv"
    (total,) = [row for row in rows if (row["Part"], row["What"]) == ("Taken", "All")]
    assert int(total["KES"]) >= 2300
    page.emulate_media(media="print")
    expect(page.locator("#nav-sidebar")).to_be_hidden()
    expect(page.locator("#file")).to_be_hidden()
    expect(page.locator("#summary")).to_be_visible()
    page.emulate_media(media="screen")
    page.locator("[rel=prev]").click()
    expect(page.locator("input[name=date]")).to_have_value(str(today - timedelta(days=1)))
    expect(page.locator("#summary")).to_contain_text("KES 0 was taken in 0 payments.")
    page.locator("[rel=next]").click()
    expect(page.locator("input[name=date]")).to_have_value(str(today))
    page.locator('[data-part="Needs a person"] a', has_text="Unpriced").click()
    expect(supervisor.found.first).to_be_visible()
