"""The desk's home in a real browser: read at six in the evening, on a desk and on a phone, by day and by night."""

from playwright.sync_api import expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import look
from tests.support.browser.people import Buyer, Desk
from tests.support.browser.tabs import Tabs


def buy(tabs: Tabs, demo: Demo, mix: str, number: str, answer: str) -> None:
    buyer = Buyer(tabs, demo)
    buyer.go_to_checkout(mix)
    buyer.pay_with(f"0{number[3:]}")
    buyer.sees("waiting")
    if answer:
        demo.simulator.answer(str(demo.pushes(number)[-1]["checkout_request_id"]), answer)


def test_kraph_sees_at_six_what_came_in_and_what_waits_for_him(tabs: Tabs, demo: Demo) -> None:
    buy(tabs, demo, "love-songs-vol-1", "254722000071", "pay")
    buy(tabs, demo, "wedding-floor", "254722000072", "cancel")
    buy(tabs, demo, "benga-gold", "254722000073", "")
    kraph = Desk(tabs, demo)
    page = kraph.page
    expect(page.locator("#home")).to_be_visible()
    expect(page.locator('[data-trouble="worker"]')).to_have_count(0)  # it runs, and says so
    expect(page.locator("#taken")).to_contain_text("Taken: today")
    expect(page.locator("#failures")).to_contain_text("Cancelled by the user")
    expect(page.locator("#speed")).to_contain_text("seconds")
    look(page, "home", root="#home")
    page.locator("#chart summary").click()
    expect(page.locator("#chart tbody tr:visible")).to_have_count(30)
    page.locator("#taken a", has_text="open").first.click()
    expect(page.locator("#result_list tbody tr").first).to_be_visible()
    page.go_back()


def test_trouble_is_told_with_what_to_do_and_goes_away(tabs: Tabs, demo: Demo) -> None:
    kraph = Desk(tabs, demo)
    trouble = kraph.page.locator("[data-trouble]")
    expect(trouble).to_have_count(0)
    demo.simulator.fault("push_no_product")
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("love-songs-vol-1")
    tabs.expect_error("status of 50")
    wanjiru.pay_with("0722 000 074")
    expect(wanjiru.page.locator("#form-error")).not_to_be_empty()
    kraph.page.reload()
    expect(trouble).to_contain_text("Safaricom refuses the shop itself")
    look(kraph.page, "home-trouble", root="#home")
    demo.simulator.no_faults()
    wanjiru.pay_button.click()
    wanjiru.sees("waiting")
    kraph.page.reload()
    expect(trouble).to_have_count(0)
