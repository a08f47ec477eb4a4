"""Money that may go back two ways in the same instant, and two workers who would send the same order: on two machines,
over real HTTP."""

from typing import Any

import pytest
import requests

from tests.support.races.clerks import Clerk, clerks
from tests.support.races.crowd import at_once, new_phone, wait_until
from tests.support.races.machines import worker
from tests.support.races.town import Town

pytestmark = pytest.mark.postgres

HOW_MANY = 6
SEND = "from payments import gateway, reversals; [reversals.send_next(clock=gateway.now) for _ in range(12)]"


def paid(town: Town, count: int) -> list[dict[str, Any]]:
    """Payments whose money Safaricom has, too."""
    phones = [f"{new_phone()[:-2]}00" for _ in range(count)]
    ids = town.pushed(phones)
    wait_until(
        lambda: all(town.rows.attempt_of(each)["state"] == "completed" for each in ids), "they are paid"
    )
    return [town.rows.attempt_of(each) for each in ids]


def went_back(town: Town, attempt: dict[str, Any]) -> int:
    """KES, by Safaricom's books."""
    moves = town.safaricom.state()["moves"]
    return -sum(move["change"] for move in moves if move["original"] == attempt["receipt"])


def does(clerk: Clerk, action: str, attempt: dict[str, Any], **told: Any) -> None:
    """Also where it is refused with a word at the form."""
    told["csrfmiddlewaretoken"] = clerk._browser.cookies["csrftoken"]
    address = f"{clerk._admin}/payments/mpesatransaction/{attempt['id']}/{action}/"
    answer = clerk._browser.post(address, data=told, timeout=30)
    assert answer.status_code in (200, 400), answer.text


def test_sent_back_and_recorded_as_refunded_at_once_is_one_of_the_two(town: Town) -> None:
    one, other = clerks(town, "njeri", "kamau")
    attempts = paid(town, HOW_MANY)
    for n, attempt in enumerate(attempts):
        by_portal = {"reference": f"UKR1AB12C{n}", "amount_kes": 800, "reason": "Paid twice."}
        at_once(
            [
                lambda attempt=attempt: does(one, "send-back", attempt, amount_kes=800, reason="Paid twice."),
                lambda attempt=attempt, told=by_portal: does(other, "refund", attempt, **told),
            ]
        )
        ordered = town.rows.all(
            "SELECT r.id FROM payments_reversal r JOIN payments_receipt p ON p.id = r.receipt_id"
            " WHERE p.attempt_id = %s",
            attempt["id"],
        )
        recorded = town.rows.all("SELECT id FROM payments_refund WHERE attempt_id = %s", attempt["id"])
        assert len(ordered) + len(recorded) == 1
    town.desks[0].ledger_is_clean()


def test_two_who_order_the_same_money_back_at_once_order_it_once(town: Town) -> None:
    both = clerks(town, "njeri", "kamau")
    attempts = paid(town, HOW_MANY)
    for attempt in attempts:
        at_once(
            [
                lambda clerk=clerk, attempt=attempt: does(
                    clerk, "send-back", attempt, amount_kes=800, reason="Paid twice."
                )
                for clerk in both
            ]
        )
    assert town.rows.one("SELECT count(*) AS n FROM payments_reversal")["n"] == HOW_MANY
    before = town.safaricom.count("reversal")
    at_once([lambda desk=desk: desk.run("shell", "-c", SEND) for desk in town.desks])
    assert town.safaricom.count("reversal") - before == HOW_MANY
    assert [went_back(town, attempt) for attempt in attempts] == [800] * HOW_MANY
    town.desks[0].ledger_is_clean()


def test_with_the_real_worker_it_goes_back_and_is_booked(town: Town) -> None:
    (clerk,) = clerks(town, "njeri")
    attempt = paid(town, 1)[0]
    # results come to the machine's own address
    env = {**town.env, "MPESA_CALLBACK_URL": f"{town.machines[0].address}/api/payments/callback"}
    with worker(env, town.folder / "worker-reversals.log"):
        does(clerk, "send-back", attempt, amount_kes=500, reason="One mix was broken.")
        state = "SELECT state FROM payments_reversal"
        wait_until(lambda: town.rows.one(state)["state"] == "done", "the money went back")
    assert went_back(town, attempt) == 500
    row = town.rows.one("SELECT refunded_kes FROM payments_mpesatransaction WHERE id = %s", attempt["id"])
    assert row["refunded_kes"] == 500
    town.desks[0].ledger_is_clean()


# --- log-ins --------------------------------------------------------------------------------------------


def test_wrong_passwords_at_once_on_two_machines_are_counted_together(town: Town) -> None:
    (clerk,) = clerks(town, "njeri")
    del clerk

    def tries(n: int, password: str) -> int:
        browser, admin = requests.Session(), f"{town.machine(n).address}/admin/login/"
        browser.get(admin, timeout=30)
        told = {"login": "njeri", "password": password, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        return browser.post(admin, data=told, timeout=30, allow_redirects=False).status_code

    at_once([lambda n=n: tries(n, f"wrong-{n}") for n in range(12)])
    assert tries(0, "a-long-passphrase") == 429
    assert tries(1, "a-long-passphrase") == 429
