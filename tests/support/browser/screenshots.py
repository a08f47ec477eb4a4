"""Takes the pictures of docs/staff-guide.md from the running product: `make screenshots`, about a minute.

Plays one afternoon of the shop with the simulated Safaricom, and looks at it as the staff of each role do.
"""

import sys
import tempfile
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.browser.chromium import ARGUMENTS, chromium
from tests.support.browser.demo import Demo, running_demo
from tests.support.browser.people import Desk
from tests.support.browser.tabs import Tabs
from tests.support.places import ROOT
from tests.support.statements import Head, Row, write_csv

PICTURES = ROOT / "docs" / "pictures"
SIZE = (1280, 760)
NAIROBI = ZoneInfo("Africa/Nairobi")
PAID = (
    ("0712 000 601", 1500, "CART601"),
    ("0712 000 602", 2500, "CART602"),
    ("0712 000 603", 900, "CART603"),
)
NOT_PAID = (("0712 000 604", 1200, "CART604", "cancel"), ("0712 000 605", 800, "CART605", "insufficient"))
# Its last digits end no prompt: a slow machine has the time it needs.
STUCK = ("0733 123 609", 1700, "CART606")
LARGE = ("0733 123 607", 12_000, "CART607")


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder), other_sites=[]) as demo,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS)) as browser,
    ):
        Story(browser, demo).play()


class Story:
    def __init__(self, browser: Browser, demo: Demo) -> None:
        self._browser = browser
        self._demo = demo

    def play(self) -> None:
        began = datetime.now(NAIROBI).replace(tzinfo=None, microsecond=0)
        for phone, amount, reference in PAID:
            self._demo.simulator.answer(self._demo.push(phone, amount, reference), "pay")
        for phone, amount, reference, ending in NOT_PAID:
            self._demo.simulator.answer(self._demo.push(phone, amount, reference), ending)
        for part in (self._log_in, self._cashier, self._supervisors):
            part()
        self._statement(began)
        for part in (self._lists, self._auditor):
            part()

    def _log_in(self) -> None:
        page = self._tabs().open(self._demo.desk, size=SIZE)
        keep(page, "log-in")

    def _cashier(self) -> None:
        """A customer on the phone: "I paid". Her callback is lost."""
        self._demo.simulator.fault("no_callback")
        checkout_id = self._demo.push(*STUCK)
        akinyi = self._desk("cashier", "akinyi")
        akinyi.open_payments()
        akinyi.search(STUCK[0])
        keep(akinyi.page, "search")
        akinyi.open_first()
        keep(akinyi.page, "payment-waiting")
        self._demo.simulator.answer(checkout_id, "pay")
        akinyi.may("ask").click()
        akinyi.hears("Safaricom says: paid.")
        keep(akinyi.page, "payment-asked")
        self._demo.simulator.no_faults()

    def _supervisors(self) -> None:
        """Safaricom said cancelled, the customer has the message of a paid one: two people settle it."""
        self._demo.simulator.answer(self._demo.push(*LARGE), "cancel")
        achieng = self._desk("supervisor", "achieng")
        achieng.find(LARGE[2])
        achieng.may("settle").click()
        fill(achieng.page, receipt="UKN9HAND01", amount_kes="12000", reason="She showed me the message.")
        achieng.page.locator("#id_evidence").select_option("sms")
        keep(achieng.page, "settle")
        achieng.may("send").click()
        barasa = self._desk("supervisor", "barasa")
        barasa.find(LARGE[2])
        barasa.hears("She showed me the message.")
        keep(barasa.page, "confirm")
        barasa.page.get_by_role("button", name="I have seen the evidence: confirm").click()
        barasa.hears("Confirmed: the payment is settled.")
        barasa.may("refund").click()
        fill(barasa.page, reference="UKP7BACK01", amount_kes="12000", reason="The wrong mixes.")
        keep(barasa.page, "refund")

    def _statement(self, began: datetime) -> None:
        """All that came, but one amount is another; and money that nobody asked for."""
        now = datetime.now(NAIROBI).replace(tzinfo=None, microsecond=0)
        came = [sent for sent in self._demo.simulator.state()["transactions"] if sent["receipt"]]
        rows = [row_of(sent) for sent in came]
        rows.append(Row(receipt="UKN5HAND01", completed=now, paid_in=Decimal(1500), account_no="WANJIRU"))
        head = Head(
            short_code=came[0]["short_code"], holder="DJ KRAPH", period_from=began,
            period_to=now + timedelta(hours=1),
        )  # fmt: skip
        naliaka = self._desk("supervisor", "naliaka")
        naliaka.page.locator('a[href$="/payments/statement/"]').first.click()
        naliaka.may("upload").click()
        keep(naliaka.page, "statement-upload")
        file = {"name": "today.csv", "mimeType": "text/csv", "buffer": write_csv(rows, head=head)}
        naliaka.page.locator("#id_file").set_input_files(file)  # type: ignore[arg-type]  # a dict is a FilePayload
        naliaka.may("send").click()
        naliaka.page.wait_for_url("**/change/")
        keep(naliaka.page, "statement")
        naliaka.page.locator('[data-group="theirs"]').click()
        naliaka.page.locator('#theirs [data-action="attach"]').first.click()
        keep(naliaka.page, "attach")

    def _lists(self) -> None:
        kraph = self._desk("", "")
        keep(kraph.page, "home")
        for entry, name in (
            ("Payments", "payments"), ("Orders", "orders"), ("Callback inbox", "inbox"),
            ("Report of a day", "day"),
        ):  # fmt: skip
            kraph.page.locator("#nav-sidebar a", has_text=entry).first.click()
            keep(kraph.page, name)

    def _auditor(self) -> None:
        chebet = self._desk("auditor", "chebet")
        chebet.page.locator("#nav-sidebar a", has_text="Ledger check").click()
        chebet.page.locator("[data-start]").click()
        expect(chebet.page.locator("[data-steps]")).to_have_attribute("data-state", "finished")
        keep(chebet.page, "ledger-check")

    def _desk(self, role: str, name: str) -> Desk:
        desk = Desk(self._tabs(), self._demo, role=role, name=name)
        desk.page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
        return desk

    def _tabs(self) -> Tabs:
        context = self._browser.new_context(
            locale="en-KE", timezone_id="Africa/Nairobi", color_scheme="light", reduced_motion="reduce"
        )
        return Tabs(context)


def row_of(sent: dict[str, Any]) -> Row:
    """Its line on the statement, as Safaricom would write it."""
    ended = datetime.fromisoformat(sent["ended_at"]).replace(tzinfo=None, microsecond=0)
    return Row(
        receipt=sent["receipt"],
        completed=ended,
        paid_in=Decimal(sent["amount"]),
        account_no=sent["reference"],
    )


def fill(page: Page, **told: str) -> None:
    for field, words in told.items():
        page.locator(f"#id_{field}").fill(words)


def keep(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)  # unfold's menu moves
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    sys.stdout.write(f"docs/pictures/{name}.png\n")


if __name__ == "__main__":
    main()
