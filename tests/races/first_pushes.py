"""Many processes that push for the first time in the same instant: `first_pushes PHONE PHONE …`, one process each."""

import json
import multiprocessing
import sys
from multiprocessing.synchronize import Barrier

import django

django.setup()

from django.utils import timezone  # noqa: E402

from payments.services import prompts, push  # noqa: E402


def first_push(phone: str, start: Barrier) -> None:
    start.wait(timeout=60)
    ask = prompts.Ask(msisdn=phone, amount_kes=1500, reference=f"CART-{phone}")
    print(json.dumps(push.request_payment(ask, clock=timezone.now).poll_id), flush=True)


if __name__ == "__main__":
    phones = sys.argv[1:]
    forked = multiprocessing.get_context("fork")  # each with a memory of its own, and nothing in it yet
    barrier = forked.Barrier(len(phones))
    processes = [forked.Process(target=first_push, args=(phone, barrier)) for phone in phones]
    for process in processes:
        process.start()
    for process in processes:
        process.join(timeout=60)
    sys.exit(max(process.exitcode or 0 for process in processes))
