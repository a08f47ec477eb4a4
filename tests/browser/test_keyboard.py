"""Without a mouse, and without eyes: from the shelf to the prompt by Tab, Enter and typing."""

from playwright.sync_api import Page, expect

from tests.support.browser.demo import Demo
from tests.support.browser.people import Buyer
from tests.support.browser.tabs import Tabs

MOST_STOPS = 40
FOCUS = """() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { top, bottom, width } = element.getBoundingClientRect();
    return {
        name: element.outerHTML.slice(0, 120),
        isOutlined: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2,
        isInView: top >= 0 && bottom <= innerHeight && width > 0,
    };
}"""


def test_a_keyboard_alone_leads_from_the_mixes_to_the_prompt(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    page = wanjiru.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")  # past the header
    _tab_to(page, '[data-add-to-cart="love-songs-vol-1"]')
    page.keyboard.press("Enter")
    expect(page.locator("[data-announce][role=status]")).to_have_text("Love Songs, Vol. 1 is in your cart.")
    _tab_to(page, "[data-cart-link]", key="Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("[data-cart-page]")).to_have_attribute("data-state", "full")
    _tab_to(page, "#proceed")
    page.keyboard.press("Enter")
    wanjiru.sees("form")
    _tab_to(page, "#phone")
    page.keyboard.type("0722 000 271")
    _tab_to(page, "#pay")
    page.keyboard.press("Enter")
    wanjiru.sees("waiting")
    expect(page.locator("#state-heading")).to_be_focused()
    expect(
        page.get_by_role("status").filter(has_text="Enter your M-PESA PIN to pay KES 1,000.")
    ).to_be_visible()
    expect(page.locator("#countdown")).to_have_attribute("aria-live", "off")  # not a word every second
    _tab_to(page, "summary")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Unlock your phone, and check that it has network.")).to_be_visible()


def _tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Each stop on the way can be seen: outlined, and in view."""
    for _ in range(MOST_STOPS):
        page.keyboard.press(key)
        focus = page.evaluate(FOCUS)
        assert focus["isOutlined"], focus
        assert focus["isInView"], focus
        if page.locator(selector).evaluate("(element) => element === document.activeElement"):
            return
    raise AssertionError(f"{selector} is not among {MOST_STOPS} stops of {key}")
