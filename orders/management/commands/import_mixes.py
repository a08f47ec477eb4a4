"""Puts the mixes of a catalogue on the shelf that the merchant's page keeps in its browser, as JSON.

    python manage.py import_mixes mixes.json

Each mix once, however often the file comes: one that is there already stays as staff have it. It says which mixes still
lack their music: upload it in the desk, under Mixes. A file with a mistake in it changes nothing, and each is named.
"""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import Error

from djkraph.explained import ExplainedCommand
from orders.catalogue import Unreadable, in_words, read_catalogue, some
from orders.models import MAX_TOTAL_KES
from orders.services import import_mixes


class Command(ExplainedCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *_args: Any, file: Path, **_options: Any) -> None:
        try:
            content = file.read_bytes()
        except OSError as bad:
            raise CommandError(f"{file} can't be read: {(bad.strerror or 'no such file').lower()}.") from bad
        try:
            done = import_mixes(read_catalogue(content, most_kes=MAX_TOTAL_KES))
        except Unreadable as bad:
            raise CommandError("Nothing was changed.\n" + "\n".join(some(bad.wrong))) from bad
        except Error as away:
            raise CommandError("The database can't be written. Is it there, and migrated?") from away
        for line in in_words(done):
            self.stdout.write(line)
