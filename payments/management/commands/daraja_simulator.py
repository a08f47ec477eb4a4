"""`manage.py daraja_simulator`: the simulator by way of Django. What it does is in payments.simulator."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from payments.simulator.options import add_arguments, config_from
from payments.simulator.server import serve


class Command(BaseCommand):
    help = "A stand-in for Safaricom's Daraja on this machine: API, phone page, faults. Refuses production."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        if getattr(settings, "MPESA_ENVIRONMENT", "simulator") == "production":
            raise CommandError("The simulator does not run where MPESA_ENVIRONMENT is production.")
        config = config_from(options)
        try:
            serve(config)
        except OSError as trouble:
            raise CommandError(
                f"Port {config.port} on {config.host} can't be used ({trouble.strerror}). Choose another with --port."
            ) from trouble
