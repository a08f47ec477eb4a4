"""What a whole payment costs in CPU time, application and database together: a push, three polls and the callback that
pays, from a simulated Safaricom. Ours beside a thin Django package on the same server (`thin.py`), in turns."""

import statistics
from itertools import count

from tests.benchmarks import rig
from tests.benchmarks.table import Row

PAYMENTS = 150  # a round
POLLS = 3
ROUNDS = 7
PHONES = count(1)  # a phone pays once: what ends in 00 pays at once
THIN = "tests.benchmarks.thin"

# the ids of a round's payments that are paid, by its mark
OURS = """SELECT checkout_request_id FROM payments_mpesatransaction t JOIN orders_order o ON o.id = t.order_id
  WHERE o.state = 'paid' AND o.client_reference LIKE %s"""
THEIRS = "SELECT checkout_request_id FROM thin_payment WHERE state = 'paid' AND reference LIKE %s"


THIN_TABLE = """CREATE TABLE thin_payment (id bigserial PRIMARY KEY, phone varchar(12), amount int,
  reference varchar(20), checkout_request_id varchar(64) UNIQUE, state varchar(12), receipt varchar(20),
  created_at timestamptz)"""


def compared() -> list[Row]:
    with (
        rig.postgres_and_cpu() as (url, database),
        rig.simulator() as our_safaricom,
        rig.simulator() as their_safaricom,
    ):
        rig.rows(url, THIN_TABLE)
        ours_at, thin_at = rig.free_port(), rig.free_port()
        callback = "http://127.0.0.1:{}/api/payments/callback"
        with (
            rig.granian_and_cpu(
                url, port=ours_at, MPESA_CALLBACK_URL=callback.format(ours_at), MPESA_BASE_URL=our_safaricom
            ) as (_, ours),
            rig.granian_and_cpu(
                url,
                port=thin_at,
                MPESA_CALLBACK_URL=callback.format(thin_at),
                MPESA_BASE_URL=their_safaricom,
                settings=THIN,
            ) as (_, thin),
        ):
            sides = (
                ("ours", ours_at, ours, OURS, our_safaricom),
                ("thin", thin_at, thin, THEIRS, their_safaricom),
            )
            costs: dict[str, list[tuple[float, float]]] = {"ours": [], "thin": []}
            for number in range(-1, ROUNDS):
                for name, port, cpu, ids, safaricom in sides:
                    cost = _round(
                        url, port, f"{name[0].upper()}{number + 1}N", (cpu, database), ids, safaricom
                    )
                    if number >= 0:  # the first one warms
                        costs[name].append(cost)
    ratios = [sum(a) / sum(b) for a, b in zip(costs["ours"], costs["thin"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    said = {name: _said(rounds) for name, rounds in costs.items()}
    return [
        Row(
            "CPU of a whole payment, app + database, ms", said["ours"], f"{said['thin']} (a thin Django package)",
            f"{middle:.2f} ({low:.2f}–{high:.2f})", "at most 0.75",
        )
    ]  # fmt: skip


def _said(rounds: list[tuple[float, float]]) -> str:
    app, database = (statistics.median(each) * 1000 for each in zip(*rounds, strict=True))
    return f"{app + database:.1f} = {app:.1f} + {database:.1f}"


def _round(
    url: str, port: int, mark: str, cpus: tuple[rig.Cpu, rig.Cpu], ids: str, safaricom: str
) -> tuple[float, float]:
    """Seconds of CPU for one payment: the application's, the database's."""
    before = [each.seconds() for each in cpus]
    pushed = [
        ("/stkpush", {"phone": f"2547{next(PHONES):06}00", "amount": 100, "accountReference": f"{mark}{n}"})
        for n in range(PAYMENTS)
    ]  # fmt: skip
    rig.load(port, pushed, connections=8, seconds=0)
    rig.control(safaricom, "wait-idle?timeout=30")
    paid = [str(row[0]) for row in rig.rows(url, ids, f"{mark}%")]
    if len(paid) < PAYMENTS * (
        1 if ids is OURS else 0.9
    ):  # the thin one loses a callback that is faster than its row
        raise RuntimeError(f"{len(paid)} of {PAYMENTS} payments were paid")
    polled = [("/stkpush/status", {"checkoutRequestId": each}) for each in paid for _ in range(POLLS)]
    rig.load(port, polled, connections=8, seconds=0)
    after = [each.seconds() for each in cpus]
    return (after[0] - before[0]) / PAYMENTS, (after[1] - before[1]) / PAYMENTS
