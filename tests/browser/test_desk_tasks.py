"""What staff are there for, each in the role that does it: "I paid" on the phone, and nothing in the ledger yet."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser.demo import Demo
from tests.support.browser.people import Desk
from tests.support.browser.tabs import Tabs

TASKS = ("ask", "settle", "refund", "looked-at", "note")


@pytest.fixture
def other_tabs(browser: Browser, demo: Demo) -> Iterator[Tabs]:
    """A second person's browser."""
    with browser.new_context(locale="en-KE", timezone_id="Africa/Nairobi") as context:
        opened = Tabs(context)
        yield opened
        faults = opened.faults()
    assert faults == []


@pytest.fixture
def _no_callbacks(demo: Demo) -> Iterator[None]:
    """Safaricom's callbacks get lost, for as long as this test goes on."""
    demo.simulator.fault("no_callback")
    yield
    demo.simulator.no_faults()


@pytest.mark.usefixtures("_no_callbacks")
def test_a_cashier_finds_a_stuck_payment_by_phone_number_asks_and_sees_it_paid(
    tabs: Tabs, demo: Demo
) -> None:
    """The callback is lost; the customer reads her number over the phone."""
    checkout_id = demo.push("0733 000 471", 1700, "STUCK471")
    cashier = Desk(tabs, demo, role="cashier", name="akinyi")
    cashier.find("0733 000 471")
    cashier.hears("waits for the buyer's PIN")
    demo.simulator.answer(checkout_id, "pay")
    cashier.may("ask").click()
    cashier.hears("Safaricom says: paid.")
    cashier.hears("Asked Safaricom by hand: paid.")
    cashier.hears("Receipt awaited")
    expect(cashier.may("ask")).to_have_count(0)
    expect(cashier.may("settle")).to_have_count(0)
    cashier.page.locator("textarea[name=text]").fill("She has the message, sends it tonight.")
    cashier.may("note").click()
    cashier.hears("She has the message, sends it tonight.")


def test_a_supervisor_settles_with_evidence_and_a_second_one_confirms(
    tabs: Tabs, other_tabs: Tabs, demo: Demo
) -> None:
    """Safaricom said cancelled, the customer has the message of a paid one: above the limit two must agree."""
    checkout_id = demo.push("0733 000 472", 12_000, "LARGE472")
    demo.simulator.answer(checkout_id, "cancel")
    achieng = Desk(tabs, demo, role="supervisor", name="achieng")
    achieng.find("LARGE472")
    achieng.hears("was not paid: cancelled by the user.")
    achieng.may("settle").click()
    tabs.expect_error("status of 400")
    achieng.may("send").click()
    achieng.hears("Without one a payment is not settled by hand.")
    achieng.hears("Choose where you saw that it was paid.")
    achieng.page.locator("#id_receipt").fill("ukn9hand01")
    achieng.page.locator("#id_amount_kes").fill("12000")
    achieng.page.locator("#id_evidence").select_option("sms")
    achieng.page.locator("#id_reason").fill("She showed me the message in the shop.")
    achieng.may("send").click()
    achieng.hears("a second one must confirm it")
    achieng.hears("You proposed it, so somebody else must confirm it.")
    expect(achieng.page.get_by_role("button", name="confirm")).to_have_count(0)

    barasa = Desk(other_tabs, demo, role="supervisor", name="barasa")
    barasa.find("LARGE472")
    barasa.hears("She showed me the message in the shop.")
    barasa.page.get_by_role("button", name="I have seen the evidence: confirm").click()
    barasa.hears("Confirmed: the payment is settled.")
    barasa.hears("achieng, confirmed by barasa")
    barasa.hears("UKN9HAND01")
    barasa.may("refund").click()
    barasa.page.locator("#id_reference").fill("UKP7BACK01")
    barasa.page.locator("#id_amount_kes").fill("12000")
    barasa.page.locator("#id_reason").fill("The mixes were the wrong ones.")
    barasa.may("send").click()
    barasa.hears("more than you may still decide alone today: a second one must confirm it")
    achieng.page.reload()
    achieng.hears("were sent back with reference UKP7BACK01.")
    achieng.page.get_by_role("button", name="I have seen the evidence: confirm").click()
    achieng.hears("Confirmed: the refund is recorded.")
    achieng.hears("KES 12,000 was sent back")


def test_a_viewer_sees_everything_and_can_press_nothing(tabs: Tabs, demo: Demo) -> None:
    checkout_id = demo.push("0733 000 473", 900, "SEEN473")
    demo.simulator.answer(checkout_id, "pay")
    viewer = Desk(tabs, demo, role="viewer", name="njeri")
    viewer.find("SEEN473")
    viewer.hears("is paid with it")
    for task in TASKS:
        expect(viewer.may(task)).to_have_count(0)
    tabs.expect_error("status of 403")
    viewer.page.goto(f"{viewer.page.url.replace('/change/', '/settle/')}")
    viewer.hears("403")


def test_several_payments_are_asked_about_with_progress(tabs: Tabs, demo: Demo) -> None:
    for n in range(3):
        demo.push(f"0733 000 48{n}", 600 + n, f"MANY48{n}")
    cashier = Desk(tabs, demo, role="cashier", name="wambui")
    cashier.open_payments()
    cashier.search("MANY48")
    expect(cashier.found).to_have_count(3)
    cashier.page.locator("#action-toggle").check()
    cashier.page.locator("select[name=action]").select_option("ask_selected")
    cashier.page.locator("button[name=index], #changelist-form [type=submit]").first.click()
    expect(cashier.page.locator("[data-steps]")).to_have_attribute("data-state", "finished", timeout=60_000)
    expect(cashier.page.locator("[data-log] li")).to_have_count(3)
    cashier.hears("All 3 are done.")
