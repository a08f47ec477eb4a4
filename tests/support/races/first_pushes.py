"""Many processes that push for the first time in the same instant: `first_pushes PHONE PHONE …`, one process each."""

import json
import multiprocessing
import os
import sys
import time
from multiprocessing.synchronize import Barrier

import django

django.setup()

from django.utils import timezone  # noqa: E402

from payments.checkout import push, wanted  # noqa: E402


def first_push(phone: str, start: Barrier) -> None:
    start.wait(timeout=60)
    ask = wanted.Ask(msisdn=phone, amount_kes=1500, reference=f"CART-{phone}")
    poll_id = push.request_payment(ask, clock=timezone.now).poll_id
    os.write(1, json.dumps(poll_id).encode() + b"\n")  # a line of many writers goes out in one piece


if __name__ == "__main__":
    phones = sys.argv[1:]
    forked = multiprocessing.get_context("fork")  # each with a memory of its own, and nothing in it yet
    barrier = forked.Barrier(len(phones))
    processes = [forked.Process(target=first_push, args=(phone, barrier), daemon=True) for phone in phones]
    for process in processes:
        process.start()
    give_up_at = time.monotonic() + 40
    for process in processes:
        process.join(timeout=max(give_up_at - time.monotonic(), 0))
    # who is not done (None) is ended with this process
    sys.exit(any(process.exitcode != 0 for process in processes))
