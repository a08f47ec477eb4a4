"""One test's browser: its tabs, each watched. An error on the console, a breach of the CSP or a request to a host
that isn't the page's own fails the test."""

from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request

PHONE_SIZE = (360, 740)
DESK_SIZE = (1280, 800)
TELL_OF_BREACHES = """addEventListener("securitypolicyviolation", (breach) =>
    console.error(`CSP: ${breach.violatedDirective} ${breach.blockedURI}`));"""


class Tabs:
    def __init__(self, context: BrowserContext) -> None:
        self._context = context
        self._context.set_default_timeout(10_000)
        self._context.add_init_script(TELL_OF_BREACHES)
        self._faults: list[str] = []
        self._expected: list[str] = []

    def open(
        self, address: str, *, size: tuple[int, int] = PHONE_SIZE, may_ask: tuple[str, ...] = ()
    ) -> Page:
        """A new tab. It may send requests to the address's own origin, and to those in `may_ask`."""
        page = self._context.new_page()
        page.set_viewport_size({"width": size[0], "height": size[1]})
        allowed = {_origin(each) for each in (address, *may_ask)}
        page.on("console", self._on_console)
        page.on("pageerror", self._on_page_error)
        page.on("request", lambda request: self._on_request(request, allowed))
        page.goto(address)
        return page

    def expect_error(self, words: str) -> None:
        """This test provokes an error whose console line has these words; it must come."""
        self._expected.append(words)

    def faults(self) -> list[str]:
        """What nobody expected, and what was expected and didn't come."""
        unforeseen = [seen for seen in self._faults if not any(words in seen for words in self._expected)]
        missing = [words for words in self._expected if not any(words in seen for seen in self._faults)]
        return unforeseen + [f"expected on the console, but not seen: {words}" for words in missing]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._faults.append(f"{message.text} ({message.location['url']})")

    def _on_page_error(self, error: Error) -> None:
        self._faults.append(f"uncaught: {error}")

    def _on_request(self, request: Request, allowed: set[str]) -> None:
        if urlsplit(request.url).scheme in ("data", "blob"):
            return
        if _origin(request.url) not in allowed:
            self._faults.append(f"a request to another host: {request.url}")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
