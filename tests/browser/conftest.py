"""The real stack and a real browser, once for this folder. Not for the whole session: playwright's event loop must
not be running when tests elsewhere use the database."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.demo import Demo, running_demo
from tests.browser.other_sites import OtherSite
from tests.browser.tabs import Tabs

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
NO_CHROMIUM = """The browser tests need Chromium.
Install it (Debian: apt-get install chromium) or set CHROMIUM to its path."""


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


def chromium() -> str:
    """Its path, or nothing where there is none."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, filter(None, names))), "")


@pytest.fixture
def tabs(browser: Browser, demo: Demo) -> Iterator[Tabs]:
    """This test's own browser window: no cookie and no cart of an earlier one."""
    with browser.new_context(locale="en-KE", timezone_id="Africa/Nairobi") as context:
        opened = Tabs(context)
        yield opened
        faults = opened.faults()
    assert faults == []
