"""The log's last look: no phone number, token or Authorization header leaves, tracebacks included."""

import logging

import pytest

from djkraph.logs import ScrubbingFormatter


def written(message: str, *args: object, error: Exception | None = None) -> str:
    record = logging.LogRecord("shop", logging.ERROR, __file__, 1, message, args, None)
    if error is not None:
        record.exc_info = (type(error), error, None)
    return ScrubbingFormatter("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    "private",
    [
        "/api/payments/callback/5be292ee80fefeef5334b68f", "/api/mpesa-callback/abc-DEF_123", "254712345678",
        "0712345678", "ws_CO_231120261800001708374149", "Authorization: Bearer c9SQxWWhmdVRlyh0zh8gZDTkubVF",
        "Basic a2V5OnNlY3JldA==",
    ],
)  # fmt: skip
def test_nothing_private_is_written(private: str) -> None:
    secret = private.rsplit("/", 1)[-1].rsplit(" ", 1)[-1]
    assert secret not in written("Trouble at %s", private)
    assert secret not in written("Trouble", error=ValueError(private))


def test_the_rest_is_written_as_it_was() -> None:
    assert written("Order %s cost %s", "DK7F3K9QX4", 1500) == "ERROR Order DK7F3K9QX4 cost 1500"


def test_fields_stand_behind_the_message() -> None:
    record = logging.makeLogRecord({"msg": "daraja call done", "milliseconds": 12, "daraja_call": "push"})
    line = ScrubbingFormatter("%(message)s").format(record)
    assert line == "daraja call done milliseconds=12 daraja_call=push"
