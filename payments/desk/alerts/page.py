"""The messages that told people what needs them: the list, and one message as it was sent. Read-only."""

import json
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from payments.desk import words
from payments.desk.lists.filters import DaysFilter
from payments.desk.lists.rows import ManyRows
from payments.desk.pages import DetailPage
from payments.models import AlertMessage

State = AlertMessage.State

BADGES: dict[str, words.Badge] = {
    State.WAITING: words.Badge("Waits to be sent", "info"),
    State.SENT: words.Badge("Sent", "ok"),
    State.GIVEN_UP: words.Badge("Given up", "bad"),
}

# procrastinate's own list of its jobs: what became of one is told here, in words
if apps.is_installed("procrastinate.contrib.django"):
    from procrastinate.contrib.django.models import ProcrastinateJob

    admin.site.unregister(ProcrastinateJob)


@admin.register(AlertMessage)
class AlertMessageAdmin(ManyRows, DetailPage):
    detail_template = "desk/alert_message.html"
    list_display = ("made", "told", "channel_name", "state_badge", "tries", "failure")
    list_display_links = ("made", "told")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("channel", ChoicesDropdownFilter),
        ("made_at", DaysFilter),
    )

    @display(description="Made", ordering="id")
    def made(self, message: AlertMessage) -> str:
        return words.on_one_line(words.moment(message.made_at))

    @display(description="What was told")
    def told(self, message: AlertMessage) -> str:
        return message.subject

    @display(description="By")
    def channel_name(self, message: AlertMessage) -> str:
        return message.get_channel_display()

    @display(description="How far it is")
    def state_badge(self, message: AlertMessage) -> SafeString:
        badge = badge_of(message)
        return format_html('<span class="dk-badge dk-badge--{}">{}</span>', badge.tone, badge.text)

    @display(description="Tries", ordering="attempts")
    def tries(self, message: AlertMessage) -> int:
        return message.attempts

    @display(description="Why not")
    def failure(self, message: AlertMessage) -> str:
        return message.last_failure or words.NONE

    def found(self, rows: QuerySet[AlertMessage], term: str) -> QuerySet[AlertMessage]:  # noqa: ARG002 — no search box
        return rows

    def detail(self, request: HttpRequest, row: AlertMessage) -> dict[str, Any]:  # noqa: ARG002 — all see the same
        return {
            "title": f"Alert {row.pk}",
            "message": row,
            "body": _body(row),
            "badges": [badge_of(row), words.Badge(row.get_channel_display())],
            "sentence": sentence(row),
            "notices": [],
        }


def _body(message: AlertMessage) -> str:
    """JSON is sent on one line, and read on many."""
    if message.channel == AlertMessage.Channel.MAIL:
        return message.body
    return json.dumps(json.loads(message.body), indent=2, ensure_ascii=False)


def badge_of(message: AlertMessage) -> words.Badge:
    if message.state == State.WAITING and message.last_failure:
        return words.Badge("Failed, tried again", "warn")
    return BADGES[message.state]


def sentence(message: AlertMessage) -> str:
    """How far it is."""
    tried = words.counted(message.attempts, "try", "tries")
    match message.state:
        case State.SENT:
            return f"It was sent on {words.moment(message.sent_at)}, after {tried}."
        case State.GIVEN_UP:
            return f"It was given up after {tried}. What still stands is told again after a day."
        case _ if message.last_failure:
            return f"It failed: {tried}. It is tried again on {words.moment(message.next_at)}."
        case _:
            return "It is to be sent within a minute, where the worker runs."
