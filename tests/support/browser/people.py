"""What people do in the browser, in their words: buyers, the phone in their hand, staff. Asserts only what they
wait for; what a story proves stands in its test."""

from playwright.sync_api import Locator, Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.tabs import DESK_SIZE, PHONE_SIZE, Tabs

AT_THE_NEXT_POLL = 12_000  # ms: the page asks every three seconds
ONCE_SAFARICOM_WAS_ASKED = 20_000  # ms: a question waits for its turn, and others may have theirs first


class Buyer:
    def __init__(self, tabs: Tabs, demo: Demo, *, size: tuple[int, int] = PHONE_SIZE) -> None:
        self._shop = demo.shop
        self.page = tabs.open(f"{demo.shop}/", size=size)

    @property
    def checkout(self) -> Locator:
        return self.page.locator("#checkout")

    @property
    def order_code(self) -> str:
        return self.checkout.get_attribute("data-order-code") or ""

    @property
    def pay_button(self) -> Locator:
        return self.page.locator("#pay")

    def choose(self, *slugs: str) -> None:
        for slug in slugs:
            self.page.locator(f'[data-add-to-cart="{slug}"]').click()

    def open_cart(self, state: str = "full") -> None:
        self.page.locator("[data-cart-link]").click()
        expect(self.page.locator("[data-cart-page]")).to_have_attribute("data-state", state)

    def proceed(self) -> None:
        self.page.locator("#proceed").click()
        self.sees("form")

    def go_to_checkout(self, *slugs: str) -> None:
        """From the shelf to the form, by the cart."""
        self.choose(*slugs)
        self.open_cart()
        self.proceed()

    def type_number(self, number: str) -> None:
        self.page.locator("#phone").fill(number)

    def pay_with(self, number: str) -> None:
        self.type_number(number)
        self.pay_button.click()

    def sees(self, state: str) -> None:
        """The checkout page is, or comes to be, in this state."""
        expect(self.checkout).to_have_attribute("data-state", state, timeout=AT_THE_NEXT_POLL)

    def says(self, selector: str, words: str) -> None:
        expect(self.page.locator(selector)).to_contain_text(words)
        expect(self.page.locator(selector)).to_be_visible()

    def sees_receipt(self) -> str:
        """Waits for the confirmation of a paid order; gives the receipt on it."""
        confirmation = self.page.locator("#confirmation")
        expect(confirmation).to_have_attribute("data-state", "paid", timeout=AT_THE_NEXT_POLL)
        return self.page.locator("#receipt").inner_text()


class Phone:
    """The simulated phone, pinned to one line; without a number it follows whichever was asked last."""

    def __init__(self, tabs: Tabs, demo: Demo, msisdn: str = "") -> None:
        self.page = tabs.open(f"{demo.phone}/{msisdn}".rstrip("/"))

    @property
    def prompt(self) -> Locator:
        return self.page.locator("#prompt")

    @property
    def message(self) -> Locator:
        return self.page.locator("#sms")

    def enter_pin(self, pin: str = "1234") -> None:
        expect(self.prompt).to_be_visible()
        self.page.locator("#pin").fill(pin)
        self.page.locator("#send").click()
        expect(self.prompt).to_be_hidden()

    def cancel(self) -> None:
        expect(self.prompt).to_be_visible()
        self.page.locator("#cancel").click()
        expect(self.prompt).to_be_hidden()


class Desk:
    """Staff: the owner, logged in as the terminal said, or somebody hired in a role."""

    def __init__(self, tabs: Tabs, demo: Demo, *, role: str = "", name: str = "") -> None:
        self.name = name or role or demo.username
        password = demo.hire(role, self.name) if role else demo.password
        self.page: Page = tabs.open(demo.desk, size=DESK_SIZE)
        self.page.locator("#id_login").fill(self.name)
        self.page.locator("#id_password").fill(password)
        self.page.locator("#login-form [type=submit]").click()
        expect(self.page.locator("#id_password")).to_have_count(0)

    @property
    def found(self) -> Locator:
        return self.page.locator("#result_list tbody tr")

    def open_payments(self) -> None:
        self.page.locator('a[href$="/payments/mpesatransaction/"]').first.click()
        expect(self.page.locator("#searchbar")).to_be_visible()

    def search(self, words: str) -> None:
        self.page.locator("#searchbar").fill(words)
        self.page.locator("#searchbar").press("Enter")
        self.page.wait_for_url("**q=*")

    def find(self, words: str) -> None:
        """From anywhere to the page of the one payment that these words name."""
        self.open_payments()
        self.search(words)
        expect(self.found).to_have_count(1)
        self.open_first()

    def may(self, action: str) -> Locator:
        """The button or link for this action on a payment's page."""
        return self.page.locator(f'[data-action="{action}"]')

    def hears(self, words: str) -> None:
        expect(self.page.locator("body")).to_contain_text(words, timeout=ONCE_SAFARICOM_WAS_ASKED)

    def open_first(self) -> None:
        self.found.first.locator("a").first.click()
        self.page.wait_for_url("**/change/**")
