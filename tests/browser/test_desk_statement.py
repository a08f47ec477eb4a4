"""A statement with all five kinds of line, worked off by a supervisor until the totals agree.

SCREENSHOTS=<folder> keeps pictures of each page, to be looked at by a person.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from playwright.sync_api import Route, expect

from tests.support.browser.demo import Demo
from tests.support.browser.desk_looks import look, look_as_it_is
from tests.support.browser.people import Desk
from tests.support.browser.tabs import Tabs
from tests.support.statements import Head, Row, write_csv, write_xlsx

NAIROBI = ZoneInfo("Africa/Nairobi")
TRANSACTION = dict[str, Any]


@pytest.fixture
def _no_faults_afterwards(demo: Demo) -> Iterator[None]:
    yield
    demo.simulator.no_faults()


def paid(demo: Demo, phone: str, amount: int, reference: str) -> TRANSACTION:
    checkout_id = demo.push(phone, amount, reference)
    demo.simulator.answer(checkout_id, "pay")
    return next(t for t in demo.simulator.state()["transactions"] if t["checkout_request_id"] == checkout_id)


def row_of(transaction: TRANSACTION, amount: int | None = None) -> Row:
    """Its line, as Safaricom would write it."""
    ended = datetime.fromisoformat(transaction["ended_at"]).replace(tzinfo=None, microsecond=0)
    return Row(
        receipt=transaction["receipt"],
        completed=ended,
        paid_in=Decimal(amount or transaction["amount"]),
        account_no=transaction["reference"],
    )


def order(demo: Demo) -> dict[str, Any]:
    """An order that nobody was asked to pay for: its buyer paid to the paybill by hand."""
    told = {"items": [{"mix": "love-songs-vol-1"}]}
    placed: dict[str, Any] = requests.post(f"{demo.shop}/api/orders", json=told, timeout=30).json()
    return placed


def upload(desk: Desk, name: str, data: bytes) -> None:
    desk.page.locator('a[href$="/payments/statement/"]').first.click()
    desk.may("upload").click()
    desk.page.locator("#id_file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})
    desk.may("send").click()


def count_in(desk: Desk, group: str) -> str:
    return desk.page.locator(f'[data-group="{group}"] strong').inner_text()


@pytest.mark.usefixtures("_no_faults_afterwards")
def test_a_statement_with_all_five_kinds_of_line_is_worked_off_until_the_totals_agree(
    tabs: Tabs, demo: Demo
) -> None:
    began = datetime.now(NAIROBI).replace(tzinfo=None, microsecond=0)
    good = paid(demo, "0733 000 501", 1100, "STATE501")
    late = paid(demo, "0733 000 502", 700, "STATE502")  # not yet on the first statement
    short = paid(demo, "0733 000 503", 800, "STATE503")
    demo.simulator.fault("no_callback")
    lost = paid(demo, "0733 000 504", 650, "STATE504")
    now = datetime.now(NAIROBI).replace(tzinfo=None, microsecond=0)
    wanjirus = order(demo)
    unknown = Row(
        receipt="UKN5HAND01", completed=now, paid_in=Decimal(wanjirus["amount"]), account_no="WANJIRU",
        other_party="25470****149 - WANJIRU **** KAMAU",
    )  # fmt: skip
    sweep = Row(
        receipt="UKN5SWEEP1", completed=now, withdrawn=Decimal(900), other_party="",
        reason_type="Utility Account to Organization Settlement Account",
    )  # fmt: skip
    charge = Row(
        receipt=good["receipt"], completed=now, withdrawn=Decimal(5), reason_type="Pay Utility Charge"
    )
    head = Head(
        short_code=short["short_code"],
        holder="DJ KRAPH",
        period_from=began,
        period_to=now + timedelta(hours=1),
    )
    first = [row_of(good), row_of(short, 750), row_of(lost), unknown, sweep, charge]

    achieng = Desk(tabs, demo, role="supervisor", name="achieng-statement")
    page = achieng.page
    tabs.expect_error("status of 400")
    page.goto(f"{demo.desk.rstrip('/')}/payments/statement/upload/")
    look(page, "statement-upload")
    upload(achieng, "broken.csv", write_csv(first, head=head).replace(b"1100.00", b"11OO.00", 1))
    achieng.hears("Row 8: Paid In '11OO.00' is no amount. Nothing was stored")
    look_as_it_is(page, "statement-upload-refused")

    upload(achieng, "evening.csv", write_csv(first, head=head))
    page.wait_for_url("**/change/")
    achieng.hears("The till does not agree")
    assert [count_in(achieng, each) for each in ("matched", "ours", "theirs", "differ", "left-out")] == [
        "2", "1", "1", "1", "2",
    ]  # fmt: skip
    look(page, "statement-comparison")
    for group in ("matched", "theirs", "differ", "left-out"):
        page.locator(f'[data-group="{group}"]').click()
        look(page, f"statement-{group}")

    page.locator('[data-group="theirs"]').click()
    page.locator('#theirs [data-action="attach"]').click()
    look(page, "statement-attach")
    page.locator("#id_target").fill(wanjirus["accountReference"])
    achieng.may("send").click()
    achieng.hears("Give the reason.")
    page.locator("#id_reason").fill("She read me the message; she typed her name as the account.")
    achieng.may("send").click()
    achieng.hears(f"Attached: order {wanjirus['accountReference']} is paid with it.")
    achieng.hears("Entered by hand for money on the M-PESA statement.")
    look(page, "statement-attached-payment")

    open_statement(achieng, "evening.csv")
    page.locator('[data-group="differ"]').click()
    page.locator("#differ a").first.click()
    achieng.hears("The M-PESA statement says KES 750")
    achieng.may("looked-at").click()
    achieng.hears("Marked as looked at.")

    upload(achieng, "later.xlsx", write_xlsx([*first, row_of(late)], head=head))
    page.wait_for_url("**/change/")
    achieng.hears("The till agrees to the shilling")
    achieng.hears("6 of them known before")
    assert [count_in(achieng, each) for each in ("matched", "ours", "theirs", "differ")] == [
        "4",
        "0",
        "0",
        "1",
    ]
    expect(page.locator('[data-total="difference"]')).to_have_text("KES 0")
    look(page, "statement-agrees")

    achieng.find(lost["receipt"])
    achieng.hears(f"Order {lost['reference']} is paid with it")
    achieng.hears("Found on the M-PESA statement.")

    upload(achieng, "evening-copy.csv", write_csv(first, head=head))
    achieng.hears("nothing was changed")
    page.locator('a[href$="/payments/statement/"]').first.click()
    look(page, "statement-list")


def open_statement(desk: Desk, name: str) -> None:
    desk.page.locator('a[href$="/payments/statement/"]').first.click()
    desk.page.locator("#result_list a", has_text=name).first.click()
    desk.page.wait_for_url("**/change/")


def test_matching_shows_how_far_it_is_and_goes_on_after_the_line_was_lost(tabs: Tabs, demo: Demo) -> None:
    """The page is held at forty of a hundred thousand, then cut off, then let go on."""
    now = datetime.now(NAIROBI).replace(tzinfo=None, microsecond=0) - timedelta(days=40)
    rows = [
        Row(receipt=f"UKN6MANY{n:02}", completed=now, paid_in=Decimal(10), account_no="NOBODY")
        for n in range(3)
    ]
    barasa = Desk(tabs, demo, role="supervisor", name="barasa-statement")
    page, steps = barasa.page, "**/matching/step/"
    answers = [{"cursor": "40000-100000", "done": 40_000, "total": 100_000, "finished": False,
                "says": "40,000 of 100,000 lines …", "wait_seconds": 1}]  # fmt: skip

    def held(route: Route) -> None:
        route.fulfill(json=answers.pop()) if answers else route.abort()

    page.route(steps, held)
    page.emulate_media(color_scheme="dark")
    tabs.expect_error("net::ERR_FAILED")
    upload(
        barasa, "many.csv", write_csv(rows, head=Head(short_code="174379", period_from=now, period_to=now))
    )
    barasa.hears("40,000 of 100,000 lines")
    look_as_it_is(page, "statement-matching")
    barasa.hears("The line to the shop was lost. Nothing is lost")
    page.unroute(steps)
    page.locator("[data-again]").click()
    page.wait_for_url("**/change/")
    barasa.hears("Theirs but not ours")
    assert count_in(barasa, "theirs") == "3"


def test_a_viewer_reads_a_statement_and_can_change_nothing(tabs: Tabs, demo: Demo) -> None:
    viewer = Desk(tabs, demo, role="viewer", name="njeri-statement")
    viewer.page.locator('a[href$="/payments/statement/"]').first.click()
    expect(viewer.may("upload")).to_have_count(0)
    open_statement(viewer, "many.csv")
    for action in ("again", "attach", "match"):
        expect(viewer.may(action)).to_have_count(0)
    tabs.expect_error("status of 403")
    token = {cookie["name"]: cookie["value"] for cookie in viewer.page.context.cookies()}["csrftoken"]
    answer = viewer.page.evaluate(
        """([address, token]) => fetch(address, {method: "POST", headers: {"X-CSRFToken": token},
           body: new URLSearchParams({cursor: "0-0"})}).then((answer) => answer.status)""",
        [viewer.page.url.split("/change/")[0] + "/matching/step/", token],
    )
    assert json.dumps(answer) == "403"
