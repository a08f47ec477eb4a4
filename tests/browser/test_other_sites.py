"""The merchant's existing page, on an origin of its own, against the contract of the integration guide."""

import re

from playwright.sync_api import Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.other_sites import OtherSite
from tests.support.browser.people import AT_THE_NEXT_POLL, Phone
from tests.support.browser.tabs import Tabs


def test_the_merchants_own_page_pays_unmodified(tabs: Tabs, demo: Demo, merchant_site: OtherSite) -> None:
    page = tabs.open(merchant_site.page("cart.html", shop=demo.shop), may_ask=(demo.shop,))
    _pay(page, "0722 000 081")
    _sees(page, "pending")
    phone = Phone(tabs, demo, "254722000081")
    expect(phone.prompt).to_contain_text("KSh 15000 ")
    phone.enter_pin()
    _sees(page, "completed")
    receipt = page.locator("#receipt").inner_text()
    assert receipt == demo.pushes("254722000081")[0]["receipt"]
    expect(page.locator("#transaction")).to_have_text(re.compile(r"\S+"))


def test_the_merchants_own_page_is_told_of_a_cancelled_prompt(
    tabs: Tabs, demo: Demo, merchant_site: OtherSite
) -> None:
    page = tabs.open(merchant_site.page("cart.html", shop=demo.shop), may_ask=(demo.shop,))
    _pay(page, "0722 000 082")
    Phone(tabs, demo, "254722000082").cancel()
    _sees(page, "failed")
    expect(page.locator("#outcome")).to_contain_text("You cancelled the request.")


def test_two_clicks_on_the_merchants_own_page_send_one_prompt(
    tabs: Tabs, demo: Demo, merchant_site: OtherSite
) -> None:
    page = tabs.open(merchant_site.page("cart.html", shop=demo.shop), may_ask=(demo.shop,))
    page.locator("#phone").fill("0722 000 083")
    page.locator("#pay").dblclick(delay=40)  # each click makes a reference of its own
    _sees(page, "sent")
    Phone(tabs, demo, "254722000083").enter_pin()
    _sees(page, "completed")
    assert len(demo.pushes("254722000083")) == 1


def test_a_page_of_a_site_that_is_not_listed_is_refused(
    tabs: Tabs, demo: Demo, strange_site: OtherSite
) -> None:
    page = tabs.open(strange_site.page("cart.html", shop=demo.shop), may_ask=(demo.shop,))
    tabs.expect_error("blocked by CORS policy")
    tabs.expect_error("net::ERR_FAILED")
    _pay(page, "0722 000 084")
    _sees(page, "blocked")
    assert demo.pushes("254722000084") == []


def test_the_shops_script_pays_from_another_site_by_one_script_tag(
    tabs: Tabs, demo: Demo, merchant_site: OtherSite
) -> None:
    page = tabs.open(merchant_site.page("manager.html", shop=demo.shop), may_ask=(demo.shop,))
    _pay(page, "+254 722 000 085")
    _sees(page, "pending")
    Phone(tabs, demo, "254722000085").enter_pin()
    _sees(page, "completed")
    expect(page.locator("#receipt")).to_have_text(str(demo.pushes("254722000085")[0]["receipt"]))


def test_the_merchants_published_page_pays_with_the_ready_manager(
    tabs: Tabs, demo: Demo, merchant_site: OtherSite
) -> None:
    page = tabs.open(merchant_site.page("pay.html", shop=demo.shop), may_ask=(demo.shop,))
    _pay(page, "0712")
    _sees(page, "invalid")
    _pay(page, "0722 000 086")
    _sees(page, "sent")
    Phone(tabs, demo, "254722000086").enter_pin()
    _sees(page, "completed")
    expect(page.locator("#transaction")).to_have_text(re.compile(r"\S+"))
    assert len(demo.pushes("254722000086")) == 1


def test_the_merchants_published_page_says_why_it_was_not_paid(
    tabs: Tabs, demo: Demo, merchant_site: OtherSite
) -> None:
    page = tabs.open(merchant_site.page("pay.html", shop=demo.shop), may_ask=(demo.shop,))
    _pay(page, "0722 000 087")
    Phone(tabs, demo, "254722000087").cancel()
    _sees(page, "failed")
    expect(page.locator("#outcome")).to_contain_text("You cancelled the request.")
    expect(page.locator("#pay")).to_be_enabled()


def test_a_page_that_sends_its_buyer_to_the_confirmation_without_an_order_finds_it_there(
    tabs: Tabs, demo: Demo, merchant_site: OtherSite
) -> None:
    """As the published page does after a payment."""
    page = tabs.open(merchant_site.page("pay.html", shop=demo.shop), may_ask=(demo.shop,))
    _pay(page, "0722 000 088")
    phone = Phone(tabs, demo, "254722000088")
    phone.enter_pin()
    _sees(page, "completed")
    (sent,) = demo.pushes("254722000088")
    mine = tabs.open(f"{demo.shop}/confirmation.html?success=true&type=cart&amount=15000")
    mine.get_by_label("Order code").fill(str(sent["reference"]))
    mine.get_by_label("M-PESA receipt").fill("UKN4AB12CD")
    mine.get_by_role("button", name="Find my order").click()
    expect(mine.get_by_role("alert")).to_contain_text("We know no payment with this receipt")
    mine.get_by_label("M-PESA receipt").fill(str(sent["receipt"]))
    mine.get_by_role("button", name="Find my order").click()
    expect(mine.locator("#confirmation")).to_have_attribute("data-state", "paid")
    expect(mine.locator("#receipt")).to_have_text(str(sent["receipt"]))


def _pay(page: Page, number: str) -> None:
    page.locator("#phone").fill(number)
    page.locator("#pay").click()


def _sees(page: Page, state: str) -> None:
    expect(page.locator("#outcome")).to_have_attribute("data-state", state, timeout=AT_THE_NEXT_POLL)
