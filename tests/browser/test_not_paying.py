"""The roads that don't end in a receipt at once: each says in plain words what to do, and none takes money."""

import json
import re

from playwright.sync_api import Route, expect

from tests.support.browser.demo import Demo
from tests.support.browser.people import Buyer, Phone
from tests.support.browser.tabs import Tabs


def test_cancelled_on_the_phone_then_tried_again_and_paid(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("riddim-and-rain")
    phone = Phone(tabs, demo, "254722000061")
    wanjiru.pay_with("0722 000 061")
    wanjiru.sees("waiting")
    phone.cancel()

    wanjiru.sees("failed")
    wanjiru.says("#state-heading", "The payment did not go through")
    wanjiru.says("#status", "You cancelled the request.")
    expect(wanjiru.page.locator("#state-heading")).to_be_focused()
    wanjiru.page.locator("#try-again").click()

    wanjiru.sees("form")
    expect(wanjiru.page.locator("#phone")).to_have_value("0722 000 061")
    wanjiru.pay_button.click()
    wanjiru.sees("waiting")
    phone.enter_pin()
    wanjiru.sees_receipt()
    assert [sent["state"] for sent in demo.pushes("254722000061")] == ["failed", "paid"]


def test_a_prompt_that_ran_out_says_so_and_may_be_sent_again(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("matatu-anthems")
    wanjiru.pay_with("0722 000 062")
    wanjiru.sees("waiting")
    demo.simulator.advance(61)

    wanjiru.sees("failed")
    words = wanjiru.page.locator("#status").inner_text()
    assert "1037" not in words
    assert "DS timeout" not in words
    wanjiru.says("#status", "phone")
    wanjiru.page.locator("#try-again").click()
    wanjiru.pay_button.click()
    wanjiru.sees("waiting")
    Phone(tabs, demo, "254722000062").enter_pin()
    wanjiru.sees_receipt()


def test_a_mistyped_number_is_explained_by_its_field_and_nothing_is_sent(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("benga-gold")
    requests_before = demo.simulator.count("push")
    field = wanjiru.page.locator("#phone")
    for typed, words in (
        ("", "Enter your M-PESA phone number."),
        ("0712 345 67", "This number is too short. It should look like 0712 345 678."),
        ("0712 345 6789", "This number is too long. It should look like 0712 345 678."),
        ("0712 345 67a", "A phone number has only digits, like 0712 345 678."),
        ("+1 212 555 0100", "Only Kenyan numbers can pay: start with 07, 01 or +254."),
    ):
        wanjiru.pay_with(typed)
        wanjiru.says("#phone-error", words)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        expect(field).to_have_accessible_description(re.compile(f"{re.escape(words)} *$"))
    wanjiru.sees("form")
    assert demo.simulator.count("push") == requests_before


def test_an_amount_changed_in_the_browser_is_refused_in_words(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("wedding-floor")
    wanjiru.page.route("**/stkpush", _for_one_shilling)
    tabs.expect_error("status of 400")
    wanjiru.pay_with("0722 000 063")
    wanjiru.says("#form-error", "This order costs KES 3,500, not KES 1. Reload the page.")
    wanjiru.sees("form")
    assert demo.pushes("254722000063") == []


def _for_one_shilling(route: Route) -> None:
    asked = json.loads(route.request.post_data or "")
    assert asked["amount"] == 3500
    route.continue_(post_data=json.dumps({**asked, "amount": 1}))


def test_nothing_in_an_address_makes_an_order_paid(tabs: Tabs, demo: Demo) -> None:
    otieno = Buyer(tabs, demo)
    otieno.go_to_checkout("amapiano-sunrise")
    confirmation = otieno.checkout.get_attribute("data-confirmation-url")
    otieno.page.goto(f"{demo.shop}{confirmation}&status=completed&success=true&MpesaReceiptNumber=UKN4AB12CD")
    expect(otieno.page.locator("#confirmation")).to_have_attribute("data-state", "pending")
    expect(otieno.page.locator("body")).not_to_contain_text("UKN4AB12CD")


def test_an_order_that_is_out_of_date_leads_back_to_the_cart_at_todays_price(tabs: Tabs, demo: Demo) -> None:
    """Her page was open when the price changed; then she opens it anew, in another browser with an empty cart."""
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("amapiano-sunrise")
    checkout = wanjiru.page.url
    demo.price("amapiano-sunrise", 1900)
    tabs.expect_error("status of 409")
    wanjiru.pay_with("0722 000 064")
    wanjiru.sees("renew")
    wanjiru.says("#state-heading", "This order is out of date")
    wanjiru.says("#status", "costs KES 1,900 now")
    expect(wanjiru.pay_button).to_be_hidden()
    assert demo.pushes("254722000064") == []

    wanjiru.page.evaluate("localStorage.clear()")
    wanjiru.page.goto(checkout)
    wanjiru.sees("renew")
    wanjiru.page.get_by_role("link", name="Start again from the cart").click()
    wanjiru.says("#total", "KES 1,900")
    expect(wanjiru.page).to_have_url(f"{demo.shop}/cart")
    wanjiru.proceed()
    wanjiru.says("#amount", "KES 1,900")
    demo.price("amapiano-sunrise", 2000)


def test_after_no_answer_the_page_goes_on_watching_and_shows_the_late_money(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.page.clock.install()
    wanjiru.go_to_checkout("benga-gold")
    wanjiru.pay_with("0722 000 180")  # no answer after 26 s, and a minute later the money comes all the same
    wanjiru.sees("waiting")
    wanjiru.says(".sent", "Request sent to 0722 ••• 180")
    demo.simulator.advance(27)
    wanjiru.page.clock.fast_forward(3_000)
    wanjiru.sees("failed")
    wanjiru.says("#status", "If you typed your M-PESA PIN, do not pay again yet: we go on watching")
    wanjiru.page.reload()
    wanjiru.sees("form")
    wanjiru.says("#status", "We still watch your earlier request")
    demo.simulator.advance(61)
    demo.simulator.settle()
    wanjiru.page.clock.fast_forward(10_000)
    wanjiru.sees_receipt()
    assert len(demo.pushes("254722000180")) == 1
