"""Every decision about a receipt's money, by a person who may, in the browser; and the same pages shut to those who may
not.

SCREENSHOTS=<folder> keeps pictures of each page, to be looked at by a person.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import look, look_as_it_is
from tests.support.browser.people import Desk
from tests.support.browser.tabs import Tabs
from tests.support.statements import Head, Row, write_csv

NAIROBI = ZoneInfo("Africa/Nairobi")
WHY = "She read me the message on the phone."


@pytest.fixture
def other_tabs(browser: Browser, demo: Demo) -> Iterator[Tabs]:
    """A second person's browser."""
    with browser.new_context(locale="en-KE", timezone_id="Africa/Nairobi") as context:
        opened = Tabs(context)
        yield opened
        faults = opened.faults()
    assert faults == []


def upload(desk: Desk, name: str, lines: Sequence[tuple[str, int, str]], *, days_ago: int) -> None:
    """A statement of payments to the paybill that no prompt asked for: (receipt, KES, account number)."""
    at = datetime.now(NAIROBI).replace(tzinfo=None, microsecond=0) - timedelta(days=days_ago)
    rows = [
        Row(receipt=receipt, completed=at, paid_in=Decimal(kes), account_no=account)
        for receipt, kes, account in lines
    ]
    head = Head(short_code="174379", period_from=at, period_to=at)
    desk.page.locator('a[href$="/payments/statement/"]').first.click()
    desk.may("upload").click()
    file = {"name": name, "mimeType": "text/csv", "buffer": write_csv(rows, head=head)}
    desk.page.locator("#id_file").set_input_files(file)
    desk.may("send").click()
    desk.page.wait_for_url("**/statement/*/change/")


def open_receipt(desk: Desk, code: str) -> None:
    desk.page.locator('a[href$="/payments/receipt/"]').first.click()
    desk.search(code)
    expect(desk.found).to_have_count(1)
    desk.open_first()


def fill(page: Page, **told: str | int) -> None:
    for name, value in told.items():
        page.locator(f"#id_{name}").fill(str(value))


def priced_order(demo: Demo) -> tuple[str, int]:
    """Its code and its price."""
    told = {"items": [{"mix": "love-songs-vol-1"}]}
    placed = requests.post(f"{demo.shop}/api/orders", json=told, timeout=30).json()
    return str(placed["accountReference"]), int(placed["amount"])


def test_a_supervisor_places_keeps_and_sends_back_the_parts_of_a_receipt(tabs: Tabs, demo: Demo) -> None:
    code, price = priced_order(demo)
    achieng = Desk(tabs, demo, role="supervisor", name="achieng-parts")
    page = achieng.page
    upload(achieng, "parts.csv", [("UKN7PARTS1", price + 300, "NOBODY")], days_ago=50)
    open_receipt(achieng, "UKN7PARTS1")
    look(page, "receipt-nobodys")

    achieng.may("place").click()
    fill(page, target=code, amount_kes=price - 100, reason=WHY)
    look_as_it_is(page, "receipt-place")
    achieng.may("send").click()
    achieng.hears("KES 100 still to pay")
    achieng.may("place").click()
    fill(page, target=code, amount_kes=100, reason="The rest of the same message.")
    achieng.may("send").click()
    achieng.hears("it is paid")

    achieng.may("keep").click()
    fill(page, amount_kes=100, reason="She said that it is for the DJ.")
    look_as_it_is(page, "receipt-keep")
    achieng.may("send").click()
    achieng.hears("KES 100 is kept.")

    achieng.may("refund").click()
    fill(page, reference="UKP7PARTS1", amount_kes=200, reason="She had typed too much.")
    achieng.may("send").click()
    achieng.hears("The refund is recorded.")
    look(page, "receipt-with-its-parts")
    page.locator('#content a[href*="/payments/refund/"]').first.click()
    achieng.hears("UKP7PARTS1")
    look(page, "refund-recorded")
    achieng.may("undo").click()
    fill(page, reason="The portal shows that it never left.")
    achieng.may("send").click()
    achieng.hears("is taken back: its money is here again.")

    page.locator('a[href$="/orders/order/"]').first.click()
    achieng.search(code)
    achieng.open_first()
    achieng.hears("UKN7PARTS1")
    look(page, "order-of-two-parts")


def test_a_supervisor_takes_back_a_settlement_and_a_refund_that_never_left(tabs: Tabs, demo: Demo) -> None:
    checkout_id = demo.push("0733 000 571", 900, "UNDO571")
    demo.simulator.answer(checkout_id, "cancel")
    barasa = Desk(tabs, demo, role="supervisor", name="barasa-undo")
    page = barasa.page
    barasa.find("UNDO571")
    barasa.may("settle").click()
    fill(page, receipt="UKN7UNDO01", amount_kes=900, reason="She showed me the message in the shop.")
    page.locator("#id_evidence").select_option("sms")
    barasa.may("send").click()
    barasa.hears("Settled.")

    barasa.may("refund").click()
    fill(page, reference="UKP7UNDO01", amount_kes=400, reason="One of the mixes was a wrong one.")
    barasa.may("send").click()
    barasa.hears("KES 400 was sent back")
    barasa.may("undo-refund").click()
    fill(page, reason="The portal shows that it never left.")
    barasa.may("send").click()
    barasa.hears("The refund UKP7UNDO01 is taken back")

    barasa.may("undo").click()
    fill(page, reason="The message was another shop's.")
    barasa.may("send").click()
    barasa.hears("Taken back. What was decided stands in the history, and so does this.")
    look(page, "payment-taken-back")


def test_a_file_above_the_limit_waits_until_a_second_supervisor_believes_it_and_is_voided(
    tabs: Tabs, other_tabs: Tabs, demo: Demo
) -> None:
    orders = [priced_order(demo)[0] for _ in range(2)]
    chebet = Desk(tabs, demo, role="supervisor", name="chebet-files")
    upload(
        chebet, "large.csv", [("UKN7LARGE1", 4000, orders[0]), ("UKN7LARGE2", 3000, orders[1])], days_ago=60
    )
    chebet.hears("UKN7LARGE")
    expect(chebet.may("believe")).to_have_count(0)
    look(chebet.page, "statement-waits-for-belief")
    address = chebet.page.url

    dalmas = Desk(other_tabs, demo, role="supervisor", name="dalmas-files")
    dalmas.page.goto(address)
    look(dalmas.page, "statement-to-be-believed")
    dalmas.may("believe").click()
    dalmas.hears("Believed:")

    open_line(dalmas, "UKN7LARGE1")
    dalmas.may("void").click()
    fill(dalmas.page, reason="The portal does not show this line.")
    look_as_it_is(dalmas.page, "line-void")
    dalmas.may("send").click()
    dalmas.hears("Void: the line counts no more")
    dalmas.page.goto(address)
    dalmas.may("void").click()
    fill(dalmas.page, reason="The portal does not show this file at all.")
    dalmas.may("send").click()
    dalmas.hears("a second one must confirm it")  # 3,000 more, on the day of the 4,000 above
    look(dalmas.page, "statement-to-be-voided")
    chebet.page.goto(address)
    chebet.may("confirm").click()
    chebet.hears("This statement is void.")
    expect(chebet.may("void")).to_have_count(0)
    expect(chebet.page.locator('[data-group="matched"]')).to_contain_text("KES 0")
    chebet.page.locator('[data-group="void"]').click()
    chebet.hears("UKN7LARGE2")
    look(chebet.page, "statement-voided")


def open_line(desk: Desk, receipt: str) -> None:
    open_receipt(desk, receipt)
    desk.page.locator('#content a[href*="/payments/statementline/"]').first.click()
    desk.page.wait_for_url("**/statementline/**")


ROLES = ("viewer", "cashier", "auditor")
OF_A_PAYMENT = ("settle", "refund", "undo", "undo-refund")
OF_A_RECEIPT = ("place", "keep", "refund")


@pytest.mark.parametrize("role", ROLES)
def test_whoever_may_not_decide_is_offered_nothing_and_refused_by_address(
    role: str, tabs: Tabs, demo: Demo
) -> None:
    paid = f"SHUT{role[:3].upper()}1"
    demo.simulator.answer(demo.push("0733 000 58" + str(ROLES.index(role)), 300, paid), "pay")
    person = Desk(tabs, demo, role=role, name=f"{role}-shut")
    person.find(paid)
    tabs.expect_error("status of 403")
    refused_one_by_one(person, OF_A_PAYMENT)
    person.page.goto(f"{demo.desk.rstrip('/')}/payments/receipt/?q=UKN7PARTS1")
    person.open_first()
    refused_one_by_one(person, OF_A_RECEIPT)
    person.page.locator('#content a[href*="/payments/statementline/"]').first.click()
    person.page.wait_for_url("**/statementline/**")
    refused_one_by_one(person, ("void",))


def refused_one_by_one(person: Desk, actions: Sequence[str]) -> None:
    here = person.page.url.split("?")[0]
    for action in actions:
        expect(person.may(action)).to_have_count(0)
    for action in actions:
        answer = person.page.goto(here.replace("/change/", f"/{action}/"))
        assert (action, answer.status if answer else None) == (action, 403)
    person.page.goto(here)
