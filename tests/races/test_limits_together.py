"""Two processes of the web, one limit: counted in PostgreSQL, and by each for itself where the named Redis is away."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from djkraph.counting import WINDOW
from tests.support.races.machines import Machine, Postgres, Rows, environment, free_port, manage

pytestmark = pytest.mark.postgres

LIMIT = 6
ORDER = {"items": [{"mix": "nairobi-after-dark"}]}


def orders_taken(tmp_path: Path, **told: str) -> Counter[int]:
    """What two processes answered to 40 orders from one address, within one minute."""
    postgres = Postgres()
    env = environment(
        postgres.address, "http://127.0.0.1:9", tmp_path, ORDER_RATE_PER_ADDRESS=str(LIMIT), **told
    )
    manage(env, "migrate", "--noinput")
    rows = Rows(postgres.address)
    rows.sell()
    rows.close()
    machine = Machine(env, tmp_path / "machine.log")
    try:
        machine.start().wait_until_up()
        if (left := WINDOW - time.time() % WINDOW) < 20:
            time.sleep(left)
        with ThreadPoolExecutor(4) as buyers:
            answers = buyers.map(
                lambda _: requests.post(f"{machine.address}/api/orders", json=ORDER, timeout=60).status_code,
                range(40),
            )
            return Counter(answers)
    finally:
        machine.kill()
        postgres.end()


def test_what_one_process_let_through_the_other_does_not(tmp_path: Path) -> None:
    answers = orders_taken(tmp_path)
    assert answers == {201: LIMIT, 429: 40 - LIMIT}


def test_a_redis_that_is_away_stops_no_sale(tmp_path: Path) -> None:
    answers = orders_taken(tmp_path, CACHE_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert set(answers) == {201, 429}
    assert LIMIT <= answers[201] <= 2 * LIMIT
