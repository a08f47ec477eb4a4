"""The road to a receipt: as it should go, with a reload on the way, with an impatient finger."""

import re

from playwright.sync_api import expect

from tests.support.browser.demo import Demo
from tests.support.browser.people import AT_THE_NEXT_POLL, Buyer, Desk, Phone
from tests.support.browser.tabs import Tabs

IN_ORDER = re.compile(
    r"The buyer asked to pay KES 2,500.*Safaricom took the request.*Safaricom's callback.*is paid with it",
    re.S,
)


def test_wanjiru_buys_two_mixes_and_staff_find_her_payment(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.choose("nairobi-after-dark", "love-songs-vol-1")
    wanjiru.open_cart()
    expect(wanjiru.page.locator("[data-remove]")).to_have_count(2)
    wanjiru.says("#total", "KES 2,500")  # 1,500 and 1,000, as the server prices them
    wanjiru.proceed()
    wanjiru.says("#amount", "KES 2,500")
    order_code = wanjiru.order_code

    phone = Phone(tabs, demo)  # before anything is sent: it shows the next request by itself
    wanjiru.pay_with("0712 345 678")
    wanjiru.sees("waiting")
    wanjiru.says("#status", "Enter your M-PESA PIN to pay KES 2,500.")
    wanjiru.says("#masked-phone", "0712 ••• 678")
    expect(phone.prompt).to_contain_text("KSh 2500 ")
    expect(phone.prompt).to_contain_text(f"Account no. {order_code}?")
    phone.enter_pin()

    receipt = wanjiru.sees_receipt()
    expect(phone.message).to_have_attribute("data-state", "paid")
    expect(phone.message).to_contain_text(f"{receipt} Confirmed. Ksh2,500.00")
    wanjiru.says("#order-code", order_code)
    wanjiru.open_cart("empty")

    _staff_find_it(Desk(tabs, demo), order_code, receipt)


def _staff_find_it(kraph: Desk, order_code: str, receipt: str) -> None:
    kraph.open_payments()
    for words in (receipt, "0712345678", "+254 712 345 678"):
        kraph.search(words)
        expect(kraph.found).to_have_count(1)
        expect(kraph.found).to_contain_text(order_code)
    kraph.search("0712345679")
    expect(kraph.found).to_have_count(0)
    kraph.search(receipt)
    kraph.open_first()
    expect(kraph.page.locator("#sentence")).to_contain_text(
        re.compile(r"KES 2,500 came from 2547••••5678 on .*")
    )
    expect(kraph.page.locator("#sentence")).to_contain_text(f"receipt {receipt}. Order {order_code} is paid")
    expect(kraph.page.locator("#timeline")).to_contain_text(IN_ORDER)
    expect(kraph.page.locator("#order")).to_contain_text("Nairobi After Dark")
    assert "712345678" not in kraph.page.content()  # not even as the end of a CheckoutRequestID


def test_a_reload_while_waiting_goes_on_with_the_same_payment(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("gengetone-heat")
    wanjiru.pay_with("0722 000 055")
    wanjiru.sees("waiting")
    (sent,) = demo.pushes("254722000055")

    wanjiru.page.reload()
    wanjiru.sees("waiting")
    expect(wanjiru.checkout).to_have_attribute("data-poll-id", str(sent["checkout_request_id"]))
    wanjiru.says("#masked-phone", "0722 ••• 055")
    expect(wanjiru.page.locator("#countdown")).to_have_text(re.compile(r"1:5\d"))

    Phone(tabs, demo, "254722000055").enter_pin()
    wanjiru.sees_receipt()
    assert len(demo.pushes("254722000055")) == 1


def test_a_double_click_on_pay_sends_one_prompt(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("benga-gold")
    requests_before = demo.simulator.count("push")
    wanjiru.type_number("0722 000 056")
    wanjiru.pay_button.dblclick()
    wanjiru.sees("waiting")
    phone = Phone(tabs, demo, "254722000056")
    phone.enter_pin()
    wanjiru.sees_receipt()
    expect(phone.message).to_have_attribute("data-state", "paid", timeout=AT_THE_NEXT_POLL)
    assert demo.simulator.count("push") == requests_before + 1
    assert len(demo.pushes("254722000056")) == 1


def test_the_same_cart_is_one_order_in_each_tab_and_after_the_browser_was_closed(
    tabs: Tabs, demo: Demo
) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("benga-gold")
    code = wanjiru.order_code
    second_tab = Buyer(tabs, demo)  # what the browser keeps is the same
    second_tab.open_cart()
    second_tab.proceed()
    assert second_tab.order_code == code
    second_tab.page.goto(demo.shop)
    second_tab.go_to_checkout("matatu-anthems")
    assert second_tab.order_code != code


def test_mixes_that_this_phone_has_paid_for_are_asked_back_before_it_rings_again(
    tabs: Tabs, demo: Demo
) -> None:
    """Paid; then the same once more, from a browser that knows nothing of it."""
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("gengetone-heat")
    phone = Phone(tabs, demo, "254722000057")
    wanjiru.pay_with("0722 000 057")
    phone.enter_pin()
    receipt = wanjiru.sees_receipt()

    wanjiru.page.evaluate("localStorage.clear()")
    wanjiru.page.goto(demo.shop)
    wanjiru.go_to_checkout("gengetone-heat")
    tabs.expect_error("status of 409")
    wanjiru.pay_with("0722 000 057")
    wanjiru.sees("just-paid")
    expect(wanjiru.page.locator("#state-heading")).to_be_focused()
    wanjiru.says(
        "#status",
        f"You paid for “Gengetone Heat” from this phone within the last day: KES 800, receipt {receipt}",
    )
    assert len(demo.pushes("254722000057")) == 1

    wanjiru.page.get_by_role("button", name="Yes, pay once more").click()
    wanjiru.sees("waiting")
    phone.enter_pin()
    assert wanjiru.sees_receipt() != receipt
    assert len(demo.pushes("254722000057")) == 2
