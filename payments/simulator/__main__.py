"""`python -m payments.simulator`: reads the command line and serves. What it serves is elsewhere."""

import argparse
import sys

from payments.simulator.options import add_arguments, config_from
from payments.simulator.server import serve


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m payments.simulator", description="A stand-in for Daraja."
    )
    add_arguments(parser)
    try:
        serve(config_from(vars(parser.parse_args(arguments))))
    except (OSError, ValueError) as trouble:
        print(f"Daraja simulator: {trouble}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
