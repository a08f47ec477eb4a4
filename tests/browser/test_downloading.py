"""From paid to playing: the mix comes out as it was put in, goes on where it was cut, and is heard before."""

import io
import wave
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import requests
from playwright.sync_api import expect

from tests.support.browser.demo import Demo
from tests.support.browser.people import Buyer, Phone
from tests.support.browser.tabs import Tabs


def seconds_of(content: bytes) -> float:
    with wave.open(io.BytesIO(content)) as music:
        return music.getnframes() / music.getframerate()


def test_wanjiru_takes_home_what_she_paid_for(tabs: Tabs, demo: Demo, tmp_path: Path) -> None:
    wanjiru = Buyer(tabs, demo)
    wanjiru.go_to_checkout("nairobi-after-dark", "benga-gold")
    wanjiru.pay_with("0712 345 611")
    Phone(tabs, demo, "254712345611").enter_pin()
    wanjiru.sees_receipt()
    with wanjiru.page.expect_download() as taking:
        wanjiru.page.locator("[data-download=nairobi-after-dark]").click()
    assert taking.value.suggested_filename == "DJ Kraph - Nairobi After Dark.wav"
    taking.value.save_as(tmp_path / "mix.wav")
    whole = (tmp_path / "mix.wav").read_bytes()
    assert seconds_of(whole) == 8.0

    address = urljoin(
        demo.shop, wanjiru.page.locator("[data-download=nairobi-after-dark]").get_attribute("href")
    )
    first = requests.get(address, timeout=20, stream=True)
    beginning = first.raw.read(50_000)
    first.close()  # the line is cut
    asked = {"Range": "bytes=50000-", "If-Range": first.headers["ETag"]}
    rest = requests.get(address, headers=asked, timeout=20)
    assert (rest.status_code, beginning + rest.content) == (206, whole)
    assert requests.head(address, timeout=20).headers["Content-Length"] == str(len(whole))
    beyond = requests.get(address, headers={"Range": f"bytes={len(whole)}-"}, timeout=20)
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{len(whole)}")

    zipped = urljoin(demo.shop, wanjiru.page.locator("[data-download=all]").get_attribute("href"))
    got = zipfile.ZipFile(io.BytesIO(requests.get(zipped, timeout=20).content))
    assert got.namelist() == ["DJ Kraph - Nairobi After Dark.wav", "DJ Kraph - Benga Gold.wav"]
    assert got.read(got.namelist()[0]) == whole

    tabs.expect_error("status of 404")
    wanjiru.page.goto(address[:-1])
    expect(wanjiru.page.locator("#no-download")).to_have_attribute("data-why", "unknown")


def test_a_preview_is_heard_on_the_shelf_one_at_a_time_and_ends(tabs: Tabs, demo: Demo) -> None:
    wanjiru = Buyer(tabs, demo)
    first, second = wanjiru.page.locator("[data-hear]").nth(0), wanjiru.page.locator("[data-hear]").nth(1)
    first.click()
    expect(first).to_have_text("Stop the preview")
    second.click()
    expect(first).to_have_text("Hear a preview")
    expect(second).to_have_attribute("data-playing", "")
    expect(second).to_have_text("Hear a preview", timeout=10_000)  # three seconds are over
    second.click()
    second.click()
    expect(second).to_have_text("Hear a preview")
