"""The last look at a line of the log before it is written: nothing private leaves, whoever wrote it."""

import logging
import re

PRIVATE = (
    (
        re.compile(r"((?:mpesa-callback|payments/callback)/)[A-Za-z0-9_-]+"),
        r"\1…",
    ),  # an attempt's callback token
    (re.compile(r"\b(Bearer|Basic)\s+\S+", re.IGNORECASE), r"\1 …"),
    (re.compile(r"\d{9,}"), "…"),  # anything that could be a phone number (CheckoutRequestID ends in one)
)


ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "request",
    "status_code",
    "taskName",
}


class ScrubbingFormatter(logging.Formatter):
    """A constant message, then its fields as `name=value`; then out with what no log may hold."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — logging's spelling
        fields = [f"{name}={value}" for name, value in vars(record).items() if name not in ORDINARY]
        return " ".join([super().formatMessage(record), *fields])

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for pattern, instead in PRIVATE:
            line = pattern.sub(instead, line)
        return line
