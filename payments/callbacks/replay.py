"""Reading once more what was kept and not applied: from disk, from a process that died, or because somebody asks."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet

from payments import gateway
from payments.callbacks import spool
from payments.callbacks.apply import Delivery, Verdict, apply_safely
from payments.callbacks.receive import store
from payments.models import CallbackDelivery

log = logging.getLogger(__name__)

LEFT_BEHIND_AFTER = timedelta(seconds=5)


def replay_spool(*, now: datetime) -> int:
    """Stores and applies what waited on disk while the database was away, each once. How many there were."""
    folder, done = gateway.spool_folder(), 0
    for waited in spool.waiting(folder):
        delivery = None
        try:
            with transaction.atomic(durable=True):
                delivery = store(waited, spool_id=waited.id)
        except IntegrityError:  # stored by a run that died before it could remove the file
            log.info("A spooled callback had been stored already")
        except DataError:  # no database of ours will ever take this one
            spool.set_aside(folder, waited)
            continue
        spool.remove(folder, waited)
        if delivery is not None:
            apply_safely(delivery, now=now)
        done += 1
    return done


def apply_left_behind(*, now: datetime, limit: int = 100) -> int:
    """Applies the deliveries that were stored and never read (the process died between). How many it could."""
    unread = CallbackDelivery.objects.filter(
        verdict=Verdict.RECEIVED, received_at__lte=now - LEFT_BEHIND_AFTER
    ).order_by("id")
    waiting = list(stored_deliveries(unread[:limit]))
    return sum(apply_safely(delivery, now=now) is not Verdict.RECEIVED for delivery in waiting)


def stored_deliveries(deliveries: QuerySet[CallbackDelivery]) -> Iterator[Delivery]:
    """These as applying needs them, read in batches."""
    for row in deliveries.values("id", "token_hash", "checkout_request_id", "body").iterator(chunk_size=200):
        yield Delivery(**row)
