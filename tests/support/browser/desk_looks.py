"""How a page of the desk looks, wherever it is read: at both widths, by day and by night.

SCREENSHOTS=<folder> keeps a picture of each, to be looked at by a person.
"""

import os
import re
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page, expect

SIZES = ((390, 844), (1280, 900))
RAW = re.compile(
    r"undefined|null|NaN|\bNone\b(?!:? [a-z])|Traceback|ws_CO_|\{\{|\{%|Match\.|Kind\."
    r"|(?<!Safaricom's code )\b(?:1032|1037|2001)\b"
)
CUT_OFF = """(root) => [...root.querySelectorAll(".dk-card, .dk-banner")]
    .filter((card) => card.scrollWidth > card.clientWidth + 1).map((card) => card.id || card.innerText)"""


def look(page: Page, name: str, *, root: str = "#content") -> None:
    """By day and by night. Reloads the page."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        page.reload()
        expect(page.locator("html.dark")).to_have_count(1 if scheme == "dark" else 0)
        look_as_it_is(page, f"{name}-{scheme}", root=root)


def look_as_it_is(page: Page, name: str, *, root: str = "#content") -> None:
    """Nothing sticks out sideways, no raw codes; and a picture where wanted."""
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(200)  # unfold's colours and menu move
        keep_picture(page, f"{name}-{width}")
        sideways = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert sideways <= 0, f"{name} is {sideways} px too wide at {width}"
        assert page.locator(root).evaluate(CUT_OFF) == [], f"{name} at {width}"
    raw = RAW.findall(page.locator(root).inner_text())
    assert raw == [], f"{name} shows {raw}"


def keep_picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
