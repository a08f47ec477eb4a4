"""Forgets every wrong password, so that whoever is locked out of the desk may try again."""

from typing import Any

from django.core.management.base import BaseCommand

from djkraph.staff import accounts


class Command(BaseCommand):
    help = "Forgets every wrong password and code: whoever is locked out of the desk may try again at once."

    def handle(self, *_args: Any, **_options: Any) -> None:
        accounts.unlock()
        self.stdout.write("Every wrong password is forgotten. Whoever was locked out may log in.")
