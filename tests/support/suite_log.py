"""Everything the suite's process logs, kept twice and searched at the end: as the shop writes it (scrubbed), and as
our own code said it (before the scrubbing, which must never be what saves us)."""

import logging
import re
from pathlib import Path

from djkraph.logs import ORDINARY, ScrubbingFormatter
from djkraph.settings import SANDBOX_PASSKEY

OURS = ("payments", "orders", "djkraph")
PRIVATE = {
    "a phone number": re.compile(r"(?<![0-9a-f])(?:\+?254|0)[17][0-9]{8}(?![0-9])"),
    "a CheckoutRequestID": re.compile(r"ws_CO_[0-9]{12,}"),
    "the passkey": re.compile(SANDBOX_PASSKEY),
    "the consumer secret": re.compile(r"simulator-consumer-secret"),
    "an Authorization header": re.compile(r"\b(?:Bearer|Basic)\s+[A-Za-z0-9+/=_-]{8,}"),
    "a callback token": re.compile(r"callback/[0-9a-f]{48}"),
}


class Said(logging.Formatter):
    """What our code itself said: message and fields. An exception's own words are others'; `written` has them."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in ORDINARY}
        return f"{record.name} {record.getMessage()} {fields}"


class SuiteLog:
    """Two files under `folder`: written.log and said.log."""

    def __init__(self, folder: Path) -> None:
        self.written, self.said = folder / "written.log", folder / "said.log"
        self._handlers: list[tuple[logging.Logger, logging.Handler]] = []

    def start(self) -> None:
        shape = "%(asctime)s %(levelname)s %(name)s %(message)s"
        self._attach(logging.getLogger(), self.written, ScrubbingFormatter(shape))
        for name in OURS:
            self._attach(logging.getLogger(name), self.said, Said())

    def _attach(self, logger: logging.Logger, file: Path, formatter: logging.Formatter) -> None:
        handler = logging.FileHandler(file)
        handler.setFormatter(formatter)
        logger.addHandler(handler)
        self._handlers.append((logger, handler))

    def stop(self) -> None:
        for logger, handler in self._handlers:
            logger.removeHandler(handler)
            handler.close()

    def leaks(self) -> list[str]:
        """What was found, by file and line, without repeating it."""
        return [
            f"{file.name}:{number}: {what}"
            for file in (self.written, self.said)
            if file.exists()
            for number, line in enumerate(file.read_text().splitlines(), start=1)
            for what, pattern in PRIVATE.items()
            if pattern.search(line)
        ]
