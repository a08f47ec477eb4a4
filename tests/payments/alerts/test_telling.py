"""What needs a person, and what is wrong with the shop, is told once, in words, and again after a day."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from payments import alerts, attention, enquiries
from payments.alerts import Round, telling, things
from payments.manual import actions
from payments.models import Alert, AlertMessage
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import WANJIRU, FakeDaraja
from tests.support.payments.paying import Click, called_back, pay
from tests.support.payments.receiver import Receiver

Tell = Callable[[], Round]


def late(click: Click, safaricom: FakeDaraja, clock: Clock, **ask: Any) -> Any:
    """One that was taken for not paid, and was."""
    attempt = click(**ask)
    called_back(safaricom, clock, code=1037)
    called_back(safaricom, clock, receipt=f"UKN4AB12C{len(safaricom.pushes)}", amount=attempt.amount_kes)
    return attempt


def told(number: int = -1) -> str:
    return str(mail.outbox[number].body)


# --- once ---------------------------------------------------------------------------------------------------


def test_a_thing_is_told_once(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    assert tell() == Round(made=0, sent=0, waiting=0)
    late(click, safaricom, clock)
    assert tell() == Round(made=1, sent=1, waiting=0)
    for _ in range(3):
        assert tell() == Round(made=0, sent=0, waiting=0)
    assert [message.to for message in mail.outbox] == [["kraph@djkraph.co.ke", "akinyi@djkraph.co.ke"]]


def test_what_is_new_is_told_and_what_was_told_is_not(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    first = late(click, safaricom, clock)
    tell()
    second = late(click, safaricom, clock, reference="CART2", msisdn="254722000111")
    tell()
    assert first.account_reference in told(0)
    assert second.account_reference in told(1)
    assert first.account_reference not in told(1)


def test_what_still_stands_a_day_later_is_told_again(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    late(click, safaricom, clock)
    tell()
    clock.advance(hours=23, minutes=50)
    assert tell().made == 0
    assert tell().made == 1
    assert "told before" in told()
    assert tell().made == 0


def test_what_is_done_is_told_no_more(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = late(click, safaricom, clock)
    tell()
    actions.mark_reviewed(attempt.pk, by="akinyi", now=clock())
    tell()
    assert not Alert.objects.filter(closed_at=None).exists()
    clock.advance(days=2)
    assert tell().made == 0


def test_trouble_that_comes_and_goes_is_told_once_an_hour(by_mail: None, clock: Clock, db: None) -> None:
    def told_in_an_hour() -> int:
        """A look every five minutes, and at every other one the worker is silent."""
        made = 0
        for number in range(12):
            clock.advance(minutes=5)
            if number % 2:
                enquiries.beat(enquiries.WORKER, now=clock())
            made += alerts.tell_now().made
        return made

    enquiries.beat(enquiries.WORKER, now=clock())
    assert [told_in_an_hour() for _ in range(3)] == [1, 1, 1]


def test_what_the_next_callback_mends_is_not_told(
    by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(things, "_troubles", lambda now: iter(()))
    late(click, safaricom, clock)
    clock.advance(minutes=4, seconds=59)
    assert alerts.tell_now().made == 0
    clock.advance(seconds=1)
    assert alerts.tell_now().made == 1


def test_a_bad_minute_is_one_mail(
    by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock, db: None
) -> None:
    made = 0
    for number in range(20):
        late(click, safaricom, clock, reference=f"CART{number}", msisdn=f"2547220001{number:02d}")
        clock.advance(minutes=1)
        made += alerts.tell_now().made
    assert made == 4


def test_nobody_is_told_where_nobody_is_named(
    tell: Tell, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    late(click, safaricom, clock)
    assert tell() == Round(made=0, sent=0, waiting=0)
    assert not alerts.is_wanted()
    assert not Alert.objects.exists()
    settings.ALERT_EMAILS = ["kraph@djkraph.co.ke"]
    assert tell().sent == 1


# --- of more than one looks at ------------------------------------------------------------------------------


def test_of_a_storm_the_number_is_told_and_nothing_is_taken_for_over(
    tell: Tell,
    by_mail: None,
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(things, "AT_MOST", 12)
    monkeypatch.setattr("payments.alerts.words.AT_MOST", 12)
    attempts = [
        late(click, safaricom, clock, reference=f"CART{number}", msisdn=f"2547220001{number:02d}")
        for number in range(14)
    ]
    tell()
    assert "PAID LATE, 12 or more" in told()
    assert (
        "and 2 more: https://pay.djkraph.co.ke/admin/payments/mpesatransaction/?needs=late_success" in told()
    )
    for attempt in attempts[:4]:
        actions.mark_reviewed(attempt.pk, by="akinyi", now=clock())
    tell()
    assert "PAID LATE, 2\n" in told()  # those that were behind the twelve
    assert sorted(Alert.objects.exclude(closed_at=None).values_list("key", flat=True)) == [
        f"late_success:{attempt.pk}" for attempt in attempts[:4]
    ]
    clock.advance(hours=2)
    assert tell().made == 0


def test_sales_at_another_sites_prices_are_one_thing(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock, admin_client: Client
) -> None:
    for number in range(3):
        pay(
            click,
            safaricom,
            clock,
            reference=f"CART{number}",
            msisdn=f"25472200010{number}",
            receipt=f"UKN4AB12C{number}",
        )
    tell()
    assert mail.outbox[0].subject == "DJ Kraph: 3 things need a person"
    assert "UNPRICED, 3\n" in told()
    assert "- the oldest since 23 Nov 2026, 18:00:00\n" in told()
    (link,) = re.findall(r"(/admin/payments\S+)", told())
    assert admin_client.get(link).status_code == 200
    pay(click, safaricom, clock, reference="CART9", msisdn="254722000109", receipt="UKN4AB12C9")
    assert tell().made == 0
    clock.advance(days=1)
    tell()
    assert "UNPRICED, 4\n" in told()


def test_one_that_is_behind_many_older_ones_is_not_taken_for_over() -> None:
    standing = things.Standing(things=(), cut=frozenset({"unpriced"}))
    assert not standing.is_over("unpriced:17")
    assert standing.is_over("late_success:17")


# --- the words ----------------------------------------------------------------------------------------------


def test_a_mail_says_what_how_much_since_when_what_next_and_where(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock, admin_client: Client
) -> None:
    attempt = late(click, safaricom, clock)
    tell()
    message = mail.outbox[0]
    assert message.subject == "DJ Kraph: 2 things need a person"
    for words in (
        "PAID LATE, 1",
        "It was taken for not paid, and its buyer was told so; then the money came.",
        "Next: See that the buyer has what was bought",
        f"KES 1,500 · order {attempt.account_reference} · receipt UKN4AB12C1 · since 23 Nov 2026, 18:00:00",
        "The desk: https://pay.djkraph.co.ke/admin/",
    ):
        assert words in told(), words
    links = re.findall(r"https://pay\.djkraph\.co\.ke(\S+)", told())
    assert [admin_client.get(link).status_code for link in links] == [200, 200, 200]


def row_of(work: attention.Work, **fields: Any) -> attention.Row:
    nothing: dict[str, Any] = dict.fromkeys(("payment", "order", "receipt", "cents"))
    said = {"work": work.key, "reason": work.reason, "label": work.label, "to_do": work.to_do}
    return attention.Row(pk=17, since=Clock().now, **nothing | said | fields)


def test_a_number_that_a_person_typed_as_a_reference_is_blanked() -> None:
    thing = things._of(row_of(attention.ALL[0], order=WANJIRU, receipt=WANJIRU))
    assert (thing.order, thing.receipt) == ("200000000000", "200000000000")


def test_every_kind_of_work_has_a_page_to_link_to() -> None:
    for work in attention.ALL:
        thing = things._of(row_of(work))
        assert thing.path.endswith("/17/change/")
        assert len(thing.key) <= Alert._meta.get_field("key").max_length - 17  # type: ignore[operator]


def test_trouble_is_told_first_and_with_what_to_type(by_mail: None, db: None, clock: Clock) -> None:
    enquiries.beat(enquiries.WORKER, now=clock())
    clock.advance(minutes=3)
    alerts.tell_now()
    assert mail.outbox[0].subject == "DJ Kraph: 1 trouble"
    assert told().startswith("TROUBLE: The worker was last seen 3 minutes ago.\nNext: ")
    assert "python manage.py reconcile_payments --watch" in told()


def test_what_is_not_sealed_is_one_trouble_and_stops_no_other(
    by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Both lists name it: the home as trouble, `needs_person` as a row that is in no table."""
    attempt = late(click, safaricom, clock)
    clock.advance(minutes=11)
    enquiries.beat(enquiries.WORKER, now=clock())
    alerts.tell_now()
    assert mail.outbox[0].subject.startswith("DJ Kraph: 1 trouble, ")
    assert told().count("seal_ledger") == 1
    assert attempt.account_reference in told()


def test_callbacks_on_disk_are_one_trouble_however_many(
    tell: Tell, by_mail: None, spool_folder: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    files = [clock.now, clock.now + timedelta(seconds=1)]
    monkeypatch.setattr("payments.callbacks.spooled_since", lambda _: files)
    tell()
    assert mail.outbox[0].subject == "DJ Kraph: 1 trouble"
    assert "Since 23 Nov 2026, 18:00:00" in told()


def test_no_phone_number_is_told_and_no_secret(
    tell: Tell,
    by_mail: None,
    by_webhook: Receiver,
    click: Click,
    safaricom: FakeDaraja,
    clock: Clock,
    settings: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Another site's reference may be the buyer's number."""
    by_webhook.answers = [500]
    late(click, safaricom, clock, reference=WANJIRU)
    tell()
    (_, body) = by_webhook.posts[0]
    shown = "".join((told(), mail.outbox[0].message().as_string(), body.decode(), caplog.text, *kept()))
    assert WANJIRU not in shown
    assert WANJIRU[3:] not in shown
    assert settings.ALERT_WEBHOOK_SECRET not in shown
    assert "a-token-in-the-path" not in shown


def kept() -> list[str]:
    return [str(row) for row in AlertMessage.objects.values()]


def test_what_is_over_for_long_is_forgotten(
    tell: Tell, by_mail: None, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = late(click, safaricom, clock)
    tell()
    actions.mark_reviewed(attempt.pk, by="akinyi", now=clock())
    tell()
    clock.now += telling.KEPT
    tell()
    assert not Alert.objects.exists()
    assert not AlertMessage.objects.exists()
