"""The search of the suite's log can fail: it finds each private thing, and nothing in what may be said."""

import logging
from pathlib import Path

import pytest

from tests.support.suite_log import Said, SuiteLog

SECRETS = [
    "254712345678", "0712345678", "ws_CO_231120261800001708374149", "simulator-consumer-secret",
    "Bearer c9SQxWWhmdVRlyh0zh8gZDTkubVF", "/api/payments/callback/" + "ab12" * 12,
]  # fmt: skip


@pytest.mark.parametrize("secret", SECRETS)
def test_what_our_own_code_says_is_searched_before_the_scrubbing(secret: str, tmp_path: Path) -> None:
    log = SuiteLog(tmp_path)
    handler = logging.FileHandler(log.said)
    handler.setFormatter(Said())
    record = logging.makeLogRecord({"msg": "trouble with %s", "args": (secret,), "name": "payments"})
    handler.emit(record)
    handler.close()
    assert len(log.leaks()) == 1


def test_ordinary_lines_are_no_leak(tmp_path: Path) -> None:
    log = SuiteLog(tmp_path)
    log.said.write_text(
        "payments daraja call done ('push', 200)\norder DK7F3K9QX4 receipt UKN4AB12CD at 20261123\n"
    )
    assert log.leaks() == []
