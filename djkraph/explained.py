"""What the commands share: their help is their module's docstring, as it stands there. No command here."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand


class ExplainedCommand(BaseCommand):
    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, **kwargs)
