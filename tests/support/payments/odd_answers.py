"""Values and texts that no sane server sends, for the tests that read answers."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from payments.daraja import Reply

ODD_TEXTS = [
    "", " ", "null", "true", "0", '"x"', "[]", "[{}]", "{}", '{"a":', "NaN", "[" * 50_000, '{"a":' * 50_000, "\x00",
    '{"ResponseCode": null}', '{"ResponseCode": false}', '{"errorCode": {}, "errorMessage": []}', '{"fault": 3}',
    '{"Envelope": {"Body": []}}', "9" * 60_000, "1e999999999", '{"ResponseCode": ' + "9" * 5000 + "}", "\ud800",
    "<html>", "Bad Gateway",
]  # fmt: skip


def reply(body, status=200, **more):
    return Reply(status=status, text=body if isinstance(body, str) else json.dumps(body), **more)


def complaint(code, words, status=500):
    return reply({"requestId": "1c5b", "errorCode": code, "errorMessage": words}, status)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.just("0"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
