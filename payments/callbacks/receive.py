"""Keeping what came to our callback address, before anybody reads it: in the database, else on disk."""

import base64
import logging
import re
import uuid
from dataclasses import replace
from datetime import datetime

from django.db import Error

from djkraph import sql
from payments import gateway, lookups, reversals
from payments.callbacks import spool, strangers
from payments.callbacks.apply import Delivery, Verdict, apply_safely
from payments.callbacks.bodies import read_body
from payments.callbacks.spool import Spooled
from payments.gateway import refuse_inside_transaction, token_hash
from payments.models import CallbackDelivery, MpesaTransaction
from payments.phones import blank_phones

log = logging.getLogger(__name__)

CHECKOUT_ID = re.compile(r'"CheckoutRequestID"\s*:\s*"([!-~]{1,128}?)"')


class NotFromSafaricom(ValueError):
    """The address is not on the list, and the shop was told to refuse others; or too much came from strangers."""


def receive_callback(
    *, token: str, body: bytes, source_address: str | None, now: datetime, content_encoding: str = ""
) -> Verdict:
    """Commits the delivery, then applies it. Once this returns, nothing is lost: where the database won't have it
    the delivery waits on disk, and whatever goes wrong while applying, the worker applies it again.

    Raises NotFromSafaricom, and OSError where neither database nor disk would take it.
    """
    known = gateway.is_safaricom(source_address)
    if not known and (
        gateway.only_safaricom_may_call_back()
        or (strangers.are_too_many(source_address) and not _is_ours(token))
    ):
        raise NotFromSafaricom
    came = read_body(body, content_encoding=content_encoding)
    checkout_id = CHECKOUT_ID.search(came.text)
    arrived = Spooled(
        id=uuid.uuid4(),
        received_at=now,
        token_hash=token_hash(token) if token else "",
        checkout_request_id=checkout_id.group(1) if checkout_id else "",
        body=blank_phones(came.text),
        as_bytes=base64.b64encode(came.as_bytes).decode() if came.as_bytes is not None else None,
        source_address=source_address,
        from_safaricom=known,
    )
    refuse_inside_transaction()
    try:
        delivery = store(arrived, spool_id=None)  # one statement, and its own commit
    except (
        Exception
    ):  # away, read-only, full, its table missing: whatever it is, it is the database's, and passes
        spool.put(gateway.spool_folder(), arrived)
        log.exception("The database did not take a callback: it waits on disk")
        return Verdict.RECEIVED
    verdict = apply_safely(replace(delivery, as_it_came=came.text), now=now)
    if not known and verdict in strangers.NOT_OURS:
        strangers.count(source_address)
    return verdict


def note_timeout(*, token: str, now: datetime) -> None:
    """An order of ours waited too long at Safaricom. No evidence, so it is not kept: it is looked for sooner."""
    try:
        reversals.look_soon(token_hash(token), now=now)
    except Error:
        log.exception("A time-out could not be noted: it is looked for in its time")


def validate(*, token: str, body: bytes, now: datetime) -> str:
    """C2B's code for a payment by hand that is to be refused before it is made; empty: it may go on."""
    if not gateway.refuses_unknown_accounts() or not lookups.is_ours(token_hash(token)):
        return ""
    return lookups.refusal_of(read_body(body).text, now=now)


def _is_ours(token: str) -> bool:
    """Whether an attempt, or an order of ours, has this address. Where nobody can say, it may be."""
    try:
        if not token:
            return False
        hashed = token_hash(token)
        found = sql.select_id(MpesaTransaction, {"callback_token_hash": hashed})
        return found is not None or _is_an_orders(hashed)
    except Error:
        return True


def _is_an_orders(hashed: str) -> bool:
    """Or the shop's own, at which payments by hand are told of."""
    return lookups.is_ours(hashed) or reversals.is_address(hashed) or lookups.is_address(hashed)


def store(arrived: Spooled, *, spool_id: uuid.UUID | None) -> Delivery:
    values = {
        "received_at": arrived.received_at,
        "token_hash": arrived.token_hash,
        "checkout_request_id": arrived.checkout_request_id,
        "body": arrived.body,
        "source_address": arrived.source_address,
        "from_safaricom": arrived.from_safaricom,
        "spool_id": spool_id,
    }
    if arrived.as_bytes is not None:
        values["as_bytes"] = base64.b64decode(arrived.as_bytes)
    return Delivery(
        id=sql.insert(CallbackDelivery, values),
        token_hash=arrived.token_hash,
        checkout_request_id=arrived.checkout_request_id,
        body=arrived.body,
    )
