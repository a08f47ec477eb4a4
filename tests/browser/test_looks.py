"""Every page in every state, on a small phone and on a desk: nothing is cut off, nothing speaks in codes.

SCREENSHOTS=<folder> keeps a picture of each, to be looked at by a person.
"""

import os
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.people import Buyer, Desk, Phone
from tests.support.browser.tabs import DESK_SIZE, PHONE_SIZE, Tabs

PAST_THE_PROMPT = 121_000  # ms
RAW = re.compile(r"undefined|null|NaN|\[object|Traceback|ws_CO_|\b(1032|1037|2001)\b|[a-z]+_[a-z]+|\{\{|\{%")


def test_the_shelf_and_the_cart(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    look(wanjiru.page, "mixes")
    wanjiru.open_cart("empty")
    look(wanjiru.page, "cart-empty")
    wanjiru.page.go_back()
    wanjiru.choose("nairobi-after-dark", "love-songs-vol-1", "wedding-floor")
    look(wanjiru.page, "mixes-chosen")
    wanjiru.open_cart()
    look(wanjiru.page, "cart")
    tabs.expect_error("status of 404")
    wanjiru.page.goto(f"{demo.shop}/nothing-here")
    look(wanjiru.page, "not-found")
    tabs.expect_error("status of 404")
    wanjiru.page.goto(f"{demo.shop}/confirmation.html?order=cut-short")
    look(wanjiru.page, "confirmation-unknown-order")
    wanjiru.page.goto(f"{demo.shop}/confirmation.html?code=DKAAAAAAAA&receipt=UKN4AB12CD")
    look(wanjiru.page, "confirmation-find-order")


def test_a_checkout_that_fails_and_then_is_paid(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("nairobi-after-dark", "love-songs-vol-1")
    look(wanjiru.page, "checkout-form")
    wanjiru.pay_with("0712 345 67")
    wanjiru.says("#phone-error", "too short")
    look(wanjiru.page, "checkout-error")
    phone = Phone(tabs, demo, "254722000066")
    look(phone.page, "phone-quiet")
    wanjiru.pay_with("0722 000 066")
    wanjiru.sees("waiting")
    look(wanjiru.page, "checkout-waiting")
    expect(phone.prompt).to_be_visible()
    look(phone.page, "phone-prompt")
    phone.cancel()
    wanjiru.sees("failed")
    look(wanjiru.page, "checkout-failed")
    wanjiru.page.locator("#try-again").click()
    wanjiru.pay_button.click()
    wanjiru.sees("waiting")
    phone.enter_pin()
    wanjiru.sees_receipt()
    look(wanjiru.page, "confirmation-paid")
    wanjiru.page.goto(demo.shop)
    wanjiru.go_to_checkout("nairobi-after-dark", "love-songs-vol-1")
    tabs.expect_error("status of 409")
    wanjiru.pay_with("0722 000 066")
    wanjiru.sees("just-paid")
    look(wanjiru.page, "checkout-just-paid")
    look(phone.page, "phone-messages")


def test_what_was_paid_for(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("nairobi-after-dark", "wedding-floor", "riddim-and-rain")
    wanjiru.pay_with("0712 345 622")
    Phone(tabs, demo, "254712345622").enter_pin()
    wanjiru.sees_receipt()
    look(wanjiru.page, "confirmation-downloads")
    code = wanjiru.page.locator("#order-code").inner_text()
    receipt = wanjiru.page.locator("#receipt").inner_text()
    for what, name in ((code, "where-code"), (receipt, "where-receipt"), ("0712 345 622", "where-phone")):
        wanjiru.page.goto(f"{demo.shop}/where-is-my-money")
        wanjiru.page.locator("#what").fill(what)
        wanjiru.page.locator("main button").click()
        look(wanjiru.page, name)
    tabs.expect_error("status of 404")
    wanjiru.page.goto(f"{demo.shop}/downloads/DKAAAAAAAA/1-{'a' * 40}/wedding-floor")
    look(wanjiru.page, "download-unknown")


def test_an_order_that_is_out_of_date(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("nairobi-after-dark", "love-songs-vol-1")
    confirmation = wanjiru.checkout.get_attribute("data-confirmation-url")
    demo.age_orders(50)
    wanjiru.page.reload()
    wanjiru.sees("renew")
    look(wanjiru.page, "checkout-out-of-date")
    wanjiru.page.goto(f"{demo.shop}{confirmation}")
    look(wanjiru.page, "confirmation-out-of-date")


def test_a_checkout_that_nobody_answers(tabs: Tabs, demo: Demo) -> None:
    otieno = Buyer(tabs, demo)
    otieno.page.clock.install()
    otieno.go_to_checkout("wedding-floor")
    checkout = otieno.page.url
    otieno.pay_with("0722 000 067")
    otieno.sees("waiting")
    otieno.page.clock.fast_forward(PAST_THE_PROMPT)
    otieno.sees("still-checking")
    look(otieno.page, "checkout-still-checking")
    otieno.page.locator("#check-again").click()
    otieno.says("#check-note", "no answer from M-PESA yet")
    otieno.page.goto(checkout)
    otieno.page.goto(f"{demo.shop}{otieno.checkout.get_attribute('data-confirmation-url')}")
    expect(otieno.page.locator("#confirmation")).to_have_attribute("data-state", "pending")
    look(otieno.page, "confirmation-pending")


def test_a_request_that_m_pesa_refuses(tabs: Tabs, demo: Demo) -> None:
    otieno = Buyer(tabs, demo)
    otieno.go_to_checkout("benga-gold")
    tabs.expect_error("status of 50")
    otieno.pay_with("0722 000 092")  # a number the simulator refuses
    expect(otieno.page.locator("#form-error")).not_to_be_empty()
    otieno.sees("form")
    look(otieno.page, "checkout-refused")


def test_the_desk(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("love-songs-vol-1")
    wanjiru.pay_with("0722 000 068")
    wanjiru.sees("waiting")
    demo.simulator.answer(str(demo.pushes("254722000068")[0]["checkout_request_id"]), "pay")
    kraph = Desk(tabs, demo)
    look(kraph.page, "desk-home", is_ours=False)
    kraph.open_payments()
    look(kraph.page, "desk-payments", is_ours=False)
    kraph.open_first()
    look(kraph.page, "desk-payment", is_ours=False)


def look(page: Page, name: str, *, is_ours: bool = True) -> None:
    """At both widths: nothing sticks out sideways, no raw codes; and a picture where they are wanted."""
    before = page.viewport_size
    for width, height in (PHONE_SIZE, DESK_SIZE):
        page.set_viewport_size({"width": width, "height": height})
        _keep(page, f"{name}-{width}")
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert sideways <= 0, f"{name} is {sideways} px too wide at {width}"
    if before is not None:
        page.set_viewport_size(before)
    if is_ours:
        assert RAW.findall(page.locator("body").inner_text()) == []


def _keep(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
