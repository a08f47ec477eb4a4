"""What people were told, as supervisors and auditors read it: how far each message is, and what it says."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse

from payments.desk.home import trouble
from payments.models import AlertMessage
from tests.support.payments.desk import at_desk, words_of

AT = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LIST = "admin:payments_alertmessage_changelist"


def message(**fields: Any) -> AlertMessage:
    usual = {
        "channel": "webhook",
        "subject": "DJ Kraph: 2 things need a person",
        "body": '{"count": 2, "things": []}',
        "made_at": AT,
        "next_at": AT + timedelta(minutes=1),
    }
    return AlertMessage.objects.create(**usual | fields)


def shown(row: AlertMessage) -> str:
    return words_of(at_desk("supervisor").get(reverse("admin:payments_alertmessage_change", args=[row.pk])))


def test_the_list_says_of_each_how_far_it_is_and_why_not_further(db: None) -> None:
    message(channel="mail", body="Hello", state="sent", sent_at=AT, next_at=None, attempts=1)
    message(attempts=2, last_failure="It answered 503.")
    message(state="given_up", next_at=None, attempts=10, last_failure="It answered 503.")
    message()
    page = words_of(at_desk("supervisor").get(reverse(LIST)))
    for words in ("Sent", "Failed, tried again", "Given up", "Waits to be sent", "It answered 503."):
        assert words in page
    assert page.count("DJ Kraph: 2 things need a person") >= 4


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "It is to be sent within a minute, where the worker runs."),
        (
            {"attempts": 2, "last_failure": "It answered 503."},
            "It failed: 2 tries. It is tried again on 23 Nov 2026, 18:01:00.",
        ),
        (
            {"attempts": 1, "state": "sent", "sent_at": AT, "next_at": None},
            "It was sent on 23 Nov 2026, 18:00:00, after 1 try.",
        ),
        (
            {"attempts": 10, "state": "given_up", "next_at": None},
            "It was given up after 10 tries. What still stands is told again after a day.",
        ),
    ],
)
def test_a_message_says_how_far_it_is(fields: dict[str, Any], sentence: str, db: None) -> None:
    assert sentence in shown(message(**fields))


def test_a_post_is_read_on_many_lines_and_a_mail_as_it_is(db: None) -> None:
    assert "{\n  &quot;count&quot;: 2,\n" in shown(message())
    mailed = message(channel="mail", body="PAID LATE, 1\n<b>Next</b>")
    page = words_of(at_desk("auditor").get(reverse("admin:payments_alertmessage_change", args=[mailed.pk])))
    assert "PAID LATE, 1\n&lt;b&gt;Next&lt;/b&gt;" in page


def test_a_channel_that_fails_is_trouble_until_a_message_arrives(db: None, tmp_path: Any) -> None:
    def keys() -> list[str]:
        return [each.key for each in trouble.troubles(now=AT, spool_folder=tmp_path) if "untold" in each.key]

    message(attempts=2, last_failure="It answered 503.")
    assert keys() == []
    message(attempts=3, last_failure="It answered 503.")
    message(state="given_up", next_at=None, attempts=10)
    assert keys() == ["untold_webhook"]
    message(channel="mail", state="sent", sent_at=AT, next_at=None)
    assert keys() == ["untold_webhook"]
    message(state="sent", sent_at=AT, next_at=None)
    assert keys() == []
