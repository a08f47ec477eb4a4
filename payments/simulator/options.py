"""The command line: its options and what they add up to. Used by both ways to start the simulator."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payments.simulator.faults import parse_switch
from payments.simulator.manual import manual

DEFAULT_PORT = 8001


@dataclass(frozen=True, kw_only=True)
class Config:
    """`port` 0: any free one. `speed`: `real` waits as Safaricom does, `instant` ends listed numbers at once."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    speed: str = "real"
    faults: tuple[str, ...] = ()
    log_requests: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = manual()
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}; 0: any free one"
    )
    parser.add_argument(
        "--speed",
        choices=("real", "instant"),
        default="real",
        help="real: Safaricom's timings; instant: listed numbers end as soon as the push is answered",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        type=_fault,
        metavar="NAME[=VALUE]",
        help="switch a fault on from the start; may be given several times",
    )
    parser.add_argument("--log-requests", action="store_true", help="print a line for every request")


def config_from(options: Mapping[str, Any]) -> Config:
    return Config(
        host=options["host"],
        port=options["port"],
        speed=options["speed"],
        faults=tuple(options["fault"]),
        log_requests=options["log_requests"],
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _fault(text: str) -> str:
    try:
        parse_switch(text)
    except ValueError as bad:
        raise argparse.ArgumentTypeError(str(bad)) from bad
    return text
