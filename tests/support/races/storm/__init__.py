"""A storm over the whole shop: two hosts whose clocks disagree, each with its web processes and its worker, a
PostgreSQL that loses its power, a Safaricom whose token address hangs, and buyers who press again. `make storm`.

`buyers` press and poll, `weather` does to them what happens, `findings` reads afterwards what came of it and says which
promise was broken. Everything is real but Safaricom, and that is a process of its own.
"""

from tests.support.races.storm.findings import Findings, findings
from tests.support.races.storm.weather import LARGE, SMALL, Size, Storm, standing

__all__ = ["LARGE", "SMALL", "Findings", "Size", "Storm", "findings", "standing"]
