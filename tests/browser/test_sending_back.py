"""Money that goes back by the desk's order, and money that comes and goes at the phone's own menu, in the browser.

SCREENSHOTS=<folder> keeps pictures of each page, to be looked at by a person.
"""

import time
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import look, look_as_it_is
from tests.support.browser.people import AT_THE_NEXT_POLL, Desk, Phone
from tests.support.browser.tabs import Tabs

IN_A_WHILE = 20_000  # ms: the worker sends, Safaricom takes three seconds
WHY = "Paid twice, she read me both messages."


@pytest.fixture
def other_tabs(browser: Browser, demo: Demo) -> Iterator[Tabs]:
    """A second person's browser."""
    with browser.new_context(locale="en-KE", timezone_id="Africa/Nairobi") as context:
        opened = Tabs(context)
        yield opened
        faults = opened.faults()
    assert faults == []


def paid(demo: Demo, phone: str, amount: int, reference: str) -> str:
    """A payment that is there; its receipt."""
    poll_id = demo.push(phone, amount, reference)
    for _ in range(60):
        told = requests.post(
            f"{demo.shop}/stkpush/status", json={"checkoutRequestId": poll_id}, timeout=30
        ).json()
        if told["status"] == "completed" and told["MpesaReceiptNumber"]:
            return str(told["MpesaReceiptNumber"])
        time.sleep(0.5)
    raise AssertionError(told)


def fill(page: Page, **told: str | int) -> None:
    for name, value in told.items():
        page.locator(f"#id_{name}").fill(str(value))


def waits_for(page: Page, words: str) -> None:
    """Reloads, as somebody at the desk does."""
    for _ in range(IN_A_WHILE // 1000):
        page.reload()
        if words in page.locator("#content").inner_text():
            return
        page.wait_for_timeout(1000)
    raise AssertionError(page.locator("#content").inner_text())


def test_two_people_send_a_payment_back_and_see_it_gone(tabs: Tabs, other_tabs: Tabs, demo: Demo) -> None:
    receipt = paid(demo, "254720111200", 6000, "TWICE-1")
    achieng = Desk(tabs, demo, role="supervisor", name="achieng-back")
    page = achieng.page
    achieng.find(receipt)
    achieng.may("send-back").click()
    look_as_it_is(page, "send-back-form")
    fill(page, amount_kes=6000, reason=WHY)
    achieng.may("send").click()
    achieng.hears("a second one must confirm it")
    assert demo.simulator.state()["counters"]["reversal"] == 0

    kraph = Desk(other_tabs, demo)
    kraph.find(receipt)
    kraph.hears("wants Safaricom to send KES 6,000 of receipt")
    look(kraph.page, "send-back-proposal")
    kraph.may("confirm").first.click()
    kraph.hears("Confirmed: Safaricom is being asked to send it back.")
    kraph.page.locator("#ordered-back a").first.click()
    waits_for(kraph.page, "The money went back")
    look(kraph.page, "sent-back")
    (gone,) = [m for m in demo.simulator.state()["moves"] if m["original"] == receipt]
    kraph.hears(gone["receipt"])

    page.goto(page.url)
    achieng.find(receipt)
    achieng.hears("gave KES 6,000 back")
    look(page, "payment-sent-back")


def test_what_safaricom_refuses_says_why_and_what_to_do(tabs: Tabs, demo: Demo) -> None:
    receipt = paid(demo, "254720222200", 900, "SWEPT-1")
    demo.simulator.fault("swept_out", times=1)
    kraph = Desk(tabs, demo)
    kraph.find(receipt)
    kraph.may("send-back").click()
    fill(kraph.page, amount_kes=900, reason=WHY)
    kraph.may("send").click()
    kraph.hears("Safaricom is asked to send it back.")
    kraph.page.locator("#ordered-back a").first.click()
    waits_for(kraph.page, "It did not go back")
    kraph.hears("The till holds too little")
    look(kraph.page, "not-sent-back")
    kraph.page.locator('a[href$="/payments/reversal/"]').first.click()
    look(kraph.page, "reversals-list")


def test_one_that_is_not_sent_yet_is_stopped(tabs: Tabs, demo: Demo) -> None:
    receipt = paid(demo, "254720333300", 900, "STOP-1")
    demo.simulator.fault("deed_429")  # it waits for its turn
    kraph = Desk(tabs, demo)
    kraph.find(receipt)
    kraph.may("send-back").click()
    fill(kraph.page, amount_kes=900, reason=WHY)
    kraph.may("send").click()
    kraph.page.locator("#ordered-back a").first.click()
    waits_for(kraph.page, "It is sent to Safaricom in a moment.")
    kraph.may("never-went").click()
    look_as_it_is(kraph.page, "reversal-stop")
    fill(kraph.page, reason="It was the wrong customer, after all.")
    kraph.may("send").click()
    kraph.hears("Ended: the money counts as here.")
    demo.simulator.no_faults()
    assert [m for m in demo.simulator.state()["moves"] if m["original"] == receipt] == []


def test_somebody_pays_an_order_by_hand_and_it_is_claimed(tabs: Tabs, demo: Demo) -> None:
    told = {"items": [{"mix": "love-songs-vol-1"}]}
    placed = requests.post(f"{demo.shop}/api/orders", json=told, timeout=30).json()
    code, price = str(placed["accountReference"]), int(placed["amount"])
    page = Phone(tabs, demo, "254720555578").page
    page.get_by_text("Lipa na M-PESA: pay by hand").click()
    typed = {"payer": "254720555578", "account": code.lower(), "amount": str(price), "hand-pin": "1234"}
    for name, value in typed.items():
        page.locator(f"#{name}").fill(value)
    page.locator("#by-hand button").click()
    expect(page.locator("#said")).to_contain_text("Done: ", timeout=AT_THE_NEXT_POLL)
    kraph = Desk(tabs, demo)
    kraph.page.locator('a[href$="/orders/order/"]').first.click()
    kraph.search(code)
    kraph.open_first()
    waits_for(kraph.page, "Paid")
    look(kraph.page, "order-paid-by-hand")
    kraph.page.locator('a[href$="/payments/lookup/"]').first.click()
    kraph.hears("Safaricom says that it came")
    look(kraph.page, "payments-told")


def test_somebody_pays_by_hand_and_takes_it_back(tabs: Tabs, demo: Demo) -> None:
    phone = Phone(tabs, demo, "254720444478")
    page = phone.page
    page.get_by_text("Lipa na M-PESA: pay by hand").click()
    for name, value in {
        "payer": "254720444478",
        "account": "dk 7f3k9",
        "amount": "250",
        "hand-pin": "1234",
    }.items():
        page.locator(f"#{name}").fill(value)
    page.locator("#by-hand button").click()
    expect(page.locator("#said")).to_contain_text("Done: ", timeout=AT_THE_NEXT_POLL)
    receipt = page.locator("#said").inner_text().removeprefix("Done: ").rstrip(".")
    expect(phone.message).to_contain_text(f"{receipt} Confirmed. Ksh250.00")
    look_as_it_is(page, "phone-by-hand", root="main")
    page.get_by_text("*334#: have a payment taken back").click()
    page.locator("#receipt").fill(receipt)
    page.locator("#take-back button").click()
    expect(phone.message).to_contain_text(f"{receipt} was reversed", timeout=AT_THE_NEXT_POLL)
