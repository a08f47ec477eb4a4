"""The real stack and a real browser, once for this folder. Not for the whole session: playwright's event loop must
not be running when tests elsewhere use the database."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser.chromium import ARGUMENTS, NO_CHROMIUM, chromium
from tests.support.browser.demo import Demo, running_demo
from tests.support.browser.other_sites import OtherSite
from tests.support.browser.tabs import Tabs


@pytest.fixture(scope="package")
def merchant_site() -> Iterator[OtherSite]:
    """A site of the merchant's, on another origin, that the shop lists in CORS_ALLOWED_ORIGINS."""
    with OtherSite() as site:
        yield site


@pytest.fixture(scope="package")
def strange_site() -> Iterator[OtherSite]:
    """Somebody else's site, which the shop doesn't list."""
    with OtherSite() as site:
        yield site


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory, merchant_site: OtherSite) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    with running_demo(folder, other_sites=[merchant_site.origin]) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    executable = chromium()
    if not executable:
        pytest.fail(NO_CHROMIUM, pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def tabs(browser: Browser, demo: Demo) -> Iterator[Tabs]:
    """This test's own browser window: no cookie and no cart of an earlier one."""
    with browser.new_context(locale="en-KE", timezone_id="Africa/Nairobi") as context:
        opened = Tabs(context)
        yield opened
        faults = opened.faults()
    assert faults == []
