"""Looks whether people must be told, and tells them: by mail (ALERT_EMAILS) and webhook (ALERT_WEBHOOK_URL).

    python manage.py tell_people

The worker does so each minute. This is for cron, every five minutes: it needs no worker, so it tells of one that has
stopped. Both may run: nothing is told twice. Exit code 1: a message could not be sent yet, or nobody is to be told.
"""

from typing import Any

from django.core.management.base import CommandError
from django.db import Error

from djkraph.explained import ExplainedCommand
from payments import alerts
from payments.desk import counted


class Command(ExplainedCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        if not alerts.is_wanted():
            raise CommandError("Nobody is to be told: set ALERT_EMAILS or ALERT_WEBHOOK_URL.")
        try:
            done = alerts.tell_now()
        except Error as away:
            raise CommandError("The database can't be reached. Check DATABASE_URL and try again.") from away
        if done.waiting:
            raise CommandError(
                f"{counted(done.waiting, 'message')} could not be sent yet: the desk says why."
            )
        self.stdout.write(f"{counted(done.sent, 'message')} sent." if done.sent else "Nothing new to tell.")
