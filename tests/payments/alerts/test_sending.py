"""A message leaves at least once, signed, with nothing of the shop's held up; and what can't leave is seen."""

import json
import smtplib
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import transaction

from payments import gateway
from payments.alerts import Round, channels, posting, sending, telling
from payments.alerts.posting import NotPosted, Post, is_public
from payments.gateway import Webhook
from payments.gateway.connections import CalledInsideTransaction
from payments.models import AlertMessage
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import Click, called_back
from tests.support.payments.receiver import Receiver, is_believed

SECRET = "a-webhook-secret-of-its-own"
State = AlertMessage.State
Tell = Callable[[], Round]


@pytest.fixture
def something_to_tell(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    click()
    called_back(safaricom, clock, code=1037)
    called_back(safaricom, clock)


# --- the webhook --------------------------------------------------------------------------------------------


def test_a_receiver_believes_what_is_signed_and_young(
    tell: Tell, by_webhook: Receiver, something_to_tell: None, clock: Clock
) -> None:
    tell()
    ((headers, body),) = by_webhook.posts
    now = clock().timestamp()
    assert is_believed(headers, body, secret=SECRET, now=now)
    assert not is_believed(headers, body, secret="another", now=now)
    assert not is_believed(headers, body.replace(b"1500", b"9500"), secret=SECRET, now=now)
    assert not is_believed(headers, body, secret=SECRET, now=now + 3600)
    assert not is_believed(
        headers | {"DJKraph-Signature": headers["DJKraph-Signature"].replace("t=1", "t=2", 1)},
        body,
        secret=SECRET,
        now=now,
    )


def test_a_post_names_each_thing_with_its_next_step_and_its_page(
    tell: Tell, by_webhook: Receiver, something_to_tell: None
) -> None:
    tell()
    (told,) = by_webhook.told()
    assert told["subject"] == "DJ Kraph: 2 things need a person"
    assert (told["count"], told["more"]) == (2, {})
    (late,) = [thing for thing in told["things"] if thing["key"].startswith("late_success:")]
    assert late["amount_kes"] == 1500
    assert late["since"] == "2026-11-23T15:00:00+00:00"
    assert late["receipt"] == "UKN4AB12CD"
    assert late["address"].startswith("https://pay.djkraph.co.ke/admin/payments/mpesatransaction/")
    assert not late["again"]
    assert by_webhook.posts[0][0]["DJKraph-Message"] == told["id"]


def test_a_webhook_that_is_down_is_tried_again_with_growing_waits(
    tell: Tell, by_webhook: Receiver, something_to_tell: None, clock: Clock
) -> None:
    by_webhook.answers = [503, 500, 404, 200]
    assert tell() == Round(made=1, sent=0, waiting=1)
    for wait in (1, 2, 5):
        assert sending.deliver_due(clock=clock) == 0
        clock.advance(minutes=wait)
        sending.deliver_due(clock=clock)
    message = AlertMessage.objects.get(channel="webhook")
    assert (message.state, message.attempts, message.last_failure) == (State.SENT, 4, "")
    assert len({body for _, body in by_webhook.posts}) == 1  # the same each time, its id too
    assert len(by_webhook.posts) == 4


def test_a_webhook_that_stays_down_is_told_by_mail(
    tell: Tell, by_webhook: Receiver, by_mail: None, something_to_tell: None, clock: Clock
) -> None:
    by_webhook.answers = [503] * 99
    for _ in range(4):
        tell()
    assert [message.subject for message in mail.outbox] == [
        "DJ Kraph: 2 things need a person",
        "DJ Kraph: 1 trouble",
    ]
    assert "People can't be told by webhook: tried 3 times" in str(mail.outbox[1].body)
    assert "It answered 503." in str(mail.outbox[1].body)
    assert "ALERT_WEBHOOK_URL" in str(mail.outbox[1].body)


def test_a_mail_server_that_stays_down_is_told_by_webhook(
    tell: Tell,
    by_webhook: Receiver,
    by_mail: None,
    something_to_tell: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(*_: Any, **__: Any) -> int:
        raise smtplib.SMTPAuthenticationError(535, b"kraph:the-password is wrong")

    monkeypatch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refused)
    for _ in range(4):
        tell()
    last = by_webhook.told()[-1]["things"][0]["what"]
    assert "People can't be told by mail" in last
    assert "The mail server answered 535." in last
    assert "the-password" not in json.dumps(by_webhook.told())


def test_after_the_last_try_it_is_given_up_and_a_day_later_told_anew(
    tell: Tell, by_webhook: Receiver, something_to_tell: None, clock: Clock
) -> None:
    by_webhook.answers = [503] * 10
    tell()
    for wait in sending.WAITS:
        clock.now += wait
        sending.deliver_due(clock=clock)
    message = AlertMessage.objects.get()
    assert (message.state, message.attempts, message.next_at) == (State.GIVEN_UP, 10, None)
    assert sum(sending.WAITS, timedelta()) < telling.AGAIN_AFTER
    clock.advance(hours=9)
    assert tell().sent == 1


def test_no_redirect_is_followed(tell: Tell, by_webhook: Receiver, something_to_tell: None) -> None:
    by_webhook.answers = [302]
    tell()
    assert len(by_webhook.posts) == 1
    assert AlertMessage.objects.get().last_failure == "It answered 302."


def test_a_channel_that_is_no_longer_named_is_not_used(
    tell: Tell, by_webhook: Receiver, something_to_tell: None, settings: Any, clock: Clock
) -> None:
    by_webhook.answers = [503]
    tell()
    settings.ALERT_WEBHOOK_URL = ""
    clock.advance(minutes=1)
    sending.deliver_due(clock=clock)
    assert AlertMessage.objects.get().last_failure == "ALERT_WEBHOOK_URL is set no more."


# --- where it may go ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::",
    ],
)  # fmt: skip
def test_a_private_address_is_none_to_post_to(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["196.201.214.200", "8.8.8.8", "2a00:1450:4001:80b::200e"])
def test_a_public_one_is(address: str) -> None:
    assert is_public(address)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Whom a post would have called."""
    called: list[Any] = []

    def connect(address: Any, **_: Any) -> Any:
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(posting.socket, "create_connection", connect)
    return called


def post_to(url: str, *, anywhere: bool = False) -> str:
    """Why it was not posted."""
    with pytest.raises(NotPosted) as failed:
        posting.post(Post(url=url, headers={}, body=b"{}", anywhere=anywhere))
    return str(failed.value)


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://10.0.0.7/x"]
)
def test_a_live_shop_posts_to_no_private_address(url: str, called: list[Any]) -> None:
    assert post_to(url) == "Its address is in a private network."
    assert called == []


def test_one_private_address_among_those_of_a_name_is_enough(
    called: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(0, 0, 0, "", (address, 443)) for address in ("196.201.214.200", "10.0.0.7")]
    monkeypatch.setattr(posting.socket, "getaddrinfo", lambda *_, **__: found)
    assert post_to("https://hooks.djkraph.co.ke/x") == "Its address is in a private network."
    assert called == []


def test_what_was_looked_at_is_what_is_called(called: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the name, which could be looked up once more and answer otherwise."""
    found = [(0, 0, 0, "", ("196.201.214.200", 443))]
    monkeypatch.setattr(posting.socket, "getaddrinfo", lambda *_, **__: found)
    assert post_to("https://hooks.djkraph.co.ke/x") == "It refused the connection."
    assert called == [("196.201.214.200", 443)]


def test_a_live_shop_posts_over_https_only(called: list[Any]) -> None:
    assert post_to("http://hooks.djkraph.co.ke/x") == "Its address is not https."
    assert called == []


@pytest.mark.parametrize(("environment", "debug", "anywhere"), [
    ("production", False, False), ("sandbox", False, False), ("simulator", False, True), ("production", True, True),
])  # fmt: skip
def test_only_a_developers_shop_may_post_anywhere(
    environment: str, debug: bool, anywhere: bool, settings: Any
) -> None:
    settings.MPESA_ENVIRONMENT, settings.DEBUG = environment, debug
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = "https://hooks.djkraph.co.ke", SECRET
    hook = gateway.alert_webhook()
    assert hook is not None
    assert hook.anywhere is anywhere
    assert SECRET not in repr(hook)


def test_a_receiver_that_answers_a_byte_at_a_time_ends_in_time() -> None:
    def drip(server: socket.socket) -> None:
        peer, _ = server.accept()
        with peer:
            try:
                while True:
                    peer.sendall(b"H")
                    time.sleep(0.05)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=[server], daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        began = time.monotonic()
        with pytest.raises(NotPosted):
            posting.post(Post(url=url, headers={}, body=b"{}", anywhere=True), within=0.5)
        assert time.monotonic() - began < 10


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    """Something that speaks no TLS at all will do: nothing is sent before the handshake."""
    heard: list[bytes] = []

    def hear(server: socket.socket) -> None:
        peer, _ = server.accept()
        with peer:
            heard.append(peer.recv(10_000))
            peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=hear, args=[server], daemon=True).start()
        why = post_to(f"https://localhost:{server.getsockname()[1]}/", anywhere=True)
    assert "certificate" in why
    assert b"POST" not in heard[0]


# --- at least once ------------------------------------------------------------------------------------------


def test_nothing_is_sent_inside_a_transaction(
    tell: Tell, by_mail: None, something_to_tell: None, clock: Clock
) -> None:
    clock.advance(minutes=6)
    (message, *_) = telling.look(now=clock())
    with pytest.raises(CalledInsideTransaction), transaction.atomic():
        sending.deliver(message.pk, clock=clock)
    assert mail.outbox == []


def test_whoever_dies_between_sending_and_noting_leaves_it_to_be_sent_again(
    by_webhook: Receiver, something_to_tell: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(minutes=6)
    (message,) = telling.look(now=clock())
    with monkeypatch.context() as dying:
        dying.setattr(sending, "_note", dies)
        with pytest.raises(KeyboardInterrupt):
            sending.deliver(message.pk, clock=clock)
    assert sending.deliver_due(clock=clock) == 0  # whoever took it may still be at it
    clock.now += sending.LEASE
    assert sending.deliver_due(clock=clock) == 1
    assert {headers["DJKraph-Message"] for headers, _ in by_webhook.posts} == {str(message.public_id)}
    assert len(by_webhook.posts) == 2


def dies(*_: Any, **__: Any) -> bool:
    raise KeyboardInterrupt


def test_a_try_that_took_too_long_takes_nothing_back(
    by_webhook: Receiver, something_to_tell: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process took it meanwhile, and sent it."""
    clock.advance(minutes=6)
    (message,) = telling.look(now=clock())

    def hangs(*_: Any, **__: Any) -> None:
        monkeypatch.undo()
        clock.now += sending.LEASE
        monkeypatch.setattr("django.utils.timezone.now", clock)
        assert sending.deliver(message.pk, clock=clock)
        raise channels.NotDelivered("It did not answer in time.")

    monkeypatch.setattr(sending, "_send", hangs)
    assert not sending.deliver(message.pk, clock=clock)
    message.refresh_from_db()
    assert (message.state, message.last_failure, message.next_at) == (State.SENT, "", None)


def test_a_mail_keeps_its_message_id(tell: Tell, by_mail: None, something_to_tell: None) -> None:
    tell()
    message = AlertMessage.objects.get()
    assert mail.outbox[0].message()["Message-ID"] == f"<{message.public_id}@djkraph.alerts>"


def test_a_webhook_prints_neither_its_address_nor_its_secret() -> None:
    hook = Webhook(url="https://hooks.djkraph.co.ke/a-token", secret=SECRET, anywhere=False)
    assert "a-token" not in repr(hook)
    assert SECRET not in repr(hook)


# --- the command --------------------------------------------------------------------------------------------


def test_the_command_tells_of_a_worker_that_has_stopped(
    tell: Tell, by_mail: None, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    tell()
    clock.advance(minutes=5)
    out = StringIO()
    call_command("tell_people", stdout=out)
    assert out.getvalue() == "1 message sent.\n"
    assert "The worker was last seen 5 minutes ago." in str(mail.outbox[0].body)
    call_command("tell_people", stdout=out)
    assert out.getvalue().endswith("Nothing new to tell.\n")


def test_the_command_says_what_is_wrong_with_it(
    tell: Tell, by_webhook: Receiver, something_to_tell: None, settings: Any, clock: Clock
) -> None:
    by_webhook.answers = [503]
    clock.advance(minutes=6)
    with pytest.raises(CommandError, match="1 message could not be sent yet: the desk says why"):
        call_command("tell_people")
    settings.ALERT_WEBHOOK_URL = ""
    with pytest.raises(CommandError, match="set ALERT_EMAILS or ALERT_WEBHOOK_URL"):
        call_command("tell_people")
