"""Everything at once, small: the token's address hangs, buyers press again, PostgreSQL loses its power, two clocks."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.races.storm import SMALL, findings, standing

pytestmark = pytest.mark.postgres


def test_a_storm_leaves_one_prompt_a_buyer_and_a_book_that_balances(tmp_path: Path, tell: Any) -> None:
    said: list[str] = []
    with standing(SMALL, tmp_path, seed=12, say=said.append) as storm:
        storm.blow()
        found = findings(storm)
    assert found.broken == [], "\n".join([*said, *found.lines()])
    tell(
        f"A storm of {SMALL.buyers} buyers and {SMALL.callbacks} callbacks: {storm.took:.0f} s"
        " (`make storm`: a large one)"
    )
