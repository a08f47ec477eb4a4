"""Rows for the benchmarks: open payments whose callback tokens and ids are known by number."""

from typing import Any

from tests.benchmarks.rig import rows

ORDERS = """INSERT INTO orders_order (code, token, client_reference, total_kes, is_priced, email, state, created_at)
  SELECT 'B' || i, 'bench-' || i, 'CART' || i, 1500, FALSE, '', 'open', now()
  FROM generate_series(%s::int, %s::int) i"""
ATTEMPTS = """INSERT INTO payments_mpesatransaction (public_id, order_id, state, amount_kes, phone_masked, phone_hash,
    channel, short_code, account_reference, description, callback_token_hash, merchant_request_id,
    checkout_request_id, result_code, result_desc, pays_order, refund_due, amount_differs, came_late, unpriced,
    by_hand, created_at,
    next_check_at, checks, events_count, chain_head)
  SELECT 'pay_' || o.client_reference, o.id, 'pending', 1500, '2547••••0000', md5(o.code), 'CustomerPayBillOnline',
    '174379', left(o.code, 12), 'DJ Kraph', encode(sha256(('token-' || substr(o.client_reference, 5))::bytea), 'hex'),
    '',
    'ws_CO_' || substr(o.client_reference, 5), '', '', FALSE, FALSE, FALSE, FALSE, TRUE,
    FALSE, now(), now() + interval '1 day', 0,
    2, ''
  FROM orders_order o WHERE o.client_reference IN (SELECT 'CART' || i FROM generate_series(%s::int, %s::int) i)"""
EVENTS = """INSERT INTO payments_paymentevent (attempt_id, number, kind, source, from_state, to_state, at, facts,
    previous_hash, hash, key_id)
  SELECT id, n, 'created', 'push', '', 'created', now(), '{}', '', '', '' FROM payments_mpesatransaction,
    generate_series(1, 2) n WHERE public_id IN (SELECT 'pay_CART' || i FROM generate_series(%s::int, %s::int) i)"""


HISTORY_OF_ORDERS = """INSERT INTO orders_order
    (code, token, client_reference, total_kes, is_priced, email, state, created_at, paid_at)
  SELECT 'H' || lpad(i::text, 7, '0'), 'past-' || i, 'PAST' || lpad(i::text, 7, '0'), 100 + i %% 5000, FALSE, '',
    CASE WHEN i %% 4 = 0 THEN 'open' ELSE 'paid' END,
    now() - interval '1 year' * (1 - i / %s::float),
    CASE WHEN i %% 4 = 0 THEN NULL ELSE now() - interval '1 year' * (1 - i / %s::float) END
  FROM generate_series(%s::int, %s::int) i"""
HISTORY = """INSERT INTO payments_mpesatransaction (public_id, order_id, state, amount_kes, phone_masked, phone_hash,
    channel, short_code, account_reference, description, callback_token_hash, merchant_request_id,
    checkout_request_id, result_code, result_desc, receipt, received_kes, pays_order, refund_due, amount_differs,
    came_late, unpriced, by_hand, created_at, settled_at, looked_at, checks, events_count, chain_head)
  SELECT 'pay_' || client_reference, id, CASE WHEN state = 'paid' THEN 'completed' ELSE 'failed' END, total_kes,
    '2547••••0000', md5(code) || md5(code), 'CustomerPayBillOnline', '174379', left(code, 12), 'DJ Kraph',
    md5(token) || md5(code), '', 'ws_CO_' || client_reference, CASE WHEN state = 'paid' THEN '0' ELSE '1032' END, '',
    CASE WHEN state = 'paid' THEN 'UKP' || substr(client_reference, 5) END,
    CASE WHEN state = 'paid' THEN total_kes END, state = 'paid', FALSE, FALSE, FALSE, TRUE, FALSE, created_at,
    created_at + interval '9 seconds', CASE WHEN id %% 1000 = 0 THEN NULL ELSE created_at END, 0, 2, ''
  FROM orders_order WHERE token LIKE 'past-%%' AND id > %s"""
HISTORY_OF_EVENTS = """INSERT INTO payments_paymentevent
    (attempt_id, number, kind, source, from_state, to_state, at, facts, previous_hash, hash, key_id)
  SELECT id, n, CASE n WHEN 1 THEN 'created' ELSE 'confirmed' END, 'push', '', state, created_at, '{}', '', '', ''
  FROM payments_mpesatransaction, generate_series(1, 2) n WHERE public_id LIKE 'pay_PAST%%' AND order_id > %s"""


def history(url: str, first: int, last: int, *, of: int) -> None:
    """Payments of the past year, numbered first to last out of `of`: three of four paid, a thousandth unlooked at."""
    before = rows(url, "SELECT coalesce(max(id), 0) FROM orders_order")[0][0]
    rows(url, HISTORY_OF_ORDERS, of, of, first, last)
    rows(url, HISTORY, before)
    rows(url, HISTORY_OF_EVENTS, before)
    rows(url, "VACUUM ANALYZE")


def open_payments(url: str, first: int, last: int) -> None:
    """Pending payments numbered first to last: token `token-N`, CheckoutRequestID `ws_CO_N`, KES 1,500."""
    for statement in (ORDERS, ATTEMPTS, EVENTS):
        rows(url, statement, first, last)
    rows(url, "VACUUM ANALYZE")


def success(number: int) -> dict[str, Any]:
    """The callback that pays payment N."""
    items = [
        {"Name": "Amount", "Value": 1500},
        {"Name": "MpesaReceiptNumber", "Value": f"UKN{number:07}"},
        {"Name": "Balance"},
        {"Name": "TransactionDate", "Value": 20261123180012},
        {"Name": "PhoneNumber", "Value": 254708374149},
    ]
    told = {
        "MerchantRequestID": "m",
        "CheckoutRequestID": f"ws_CO_{number}",
        "ResultCode": 0,
        "ResultDesc": "ok",
    }
    return {"Body": {"stkCallback": {**told, "CallbackMetadata": {"Item": items}}}}
