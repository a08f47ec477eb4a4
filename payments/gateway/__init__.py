"""From the shop's settings to what talks to Daraja: a configured client, the token all processes share, the keys and
limits; and the rule that no connection is held while we call. Knows no attempt, no order, no rule about money."""

from payments.gateway.clock import now
from payments.gateway.connections import hurried, refuse_inside_transaction, release_connection
from payments.gateway.settings import (
    BASE_URLS,
    callback_url,
    client,
    is_safaricom,
    keyring,
    merchant,
    only_safaricom_may_call_back,
    order_life,
    phone_hashes,
    priced_orders_only,
    prompts_per_phone,
    pushes_in_flight,
    queries_per_minute,
    settled_alone_up_to,
    short_codes,
    spool_folder,
    statement_files_days,
    statement_folder,
    strangers_kept_days,
)

__all__ = (
    "BASE_URLS",
    "callback_url",
    "client",
    "hurried",
    "is_safaricom",
    "keyring",
    "merchant",
    "now",
    "only_safaricom_may_call_back",
    "order_life",
    "phone_hashes",
    "priced_orders_only",
    "prompts_per_phone",
    "pushes_in_flight",
    "queries_per_minute",
    "refuse_inside_transaction",
    "release_connection",
    "settled_alone_up_to",
    "short_codes",
    "spool_folder",
    "statement_files_days",
    "statement_folder",
    "strangers_kept_days",
)
