"""The desk's home: what is wrong and goes away by itself, what needs a person, and every figure from a small ledger."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache, caches
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from payments import callbacks, daraja, enquiries, ledger, manual
from payments.callbacks import spool
from payments.callbacks.spool import Spooled
from payments.checkout import PushProblem
from payments.desk import outcomes
from payments.desk.home import figures, kept, trouble
from payments.desk.home import page as page
from payments.desk.home.figures import Home
from payments.enquiries import heartbeat
from payments.ledger import seals
from payments.management.commands import reconcile_payments
from payments.manual import Settlement, actions
from payments.models import CallbackDelivery, Heartbeat, MpesaTransaction, Seal
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja, paid_answer
from tests.support.payments.paying import Deliver, Shopper

Click = Callable[..., MpesaTransaction]


@pytest.fixture
def seen(clock: Clock) -> Callable[[], Home]:
    return lambda: figures.home(now=clock())


@pytest.fixture
def wrong(clock: Clock, tmp_path: Path, db: None) -> Callable[[], list[str]]:
    """What is wrong now, the worker being at work."""

    def keys() -> list[str]:
        heartbeat.beat("worker", now=clock())
        list(ledger.seal_all(clock=clock))
        return [each.key for each in trouble.troubles(now=clock(), spool_folder=tmp_path)]

    return keys


def need(seen: Home, key: str) -> int:
    return next(each.count for each in seen.needs if each.key == key)


# --- what is wrong, and that it goes away -------------------------------------------------------------------


def test_a_quiet_shop_has_no_trouble(wrong: Callable[[], list[str]]) -> None:
    assert wrong() == []


def test_five_requests_without_any_callback_are_told_until_one_comes(
    click: Click, deliver: Deliver, clock: Clock, wrong: Callable[[], list[str]]
) -> None:
    for number in range(4):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(minutes=3)
    assert wrong() == []  # four are no proof
    click("254700000009", reference="CART9")
    assert wrong() == []  # the fifth may still be on the phone
    clock.advance(minutes=2, seconds=1)
    assert wrong() == ["no_callbacks"]
    deliver(failure(1037, "ws_CO_5"))
    assert wrong() == []


@pytest.mark.parametrize("came", ["not believed", "not read", "on disk"])
def test_any_callback_shows_that_the_address_can_be_reached(
    came: str, click: Click, deliver: Deliver, clock: Clock, wrong: Callable[[], list[str]], tmp_path: Path
) -> None:
    for number in range(5):
        attempt = click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(minutes=3)
    assert wrong() == ["no_callbacks"]
    if came == "not believed":
        deliver(success("ws_CO_5", amount=10))
    elif came == "not read":
        CallbackDelivery.objects.create(received_at=clock(), token_hash=attempt.callback_token_hash, body="")
    else:
        spool.put(tmp_path, waiting(clock))
    assert "no_callbacks" not in wrong()


def test_silence_of_yesterday_is_no_news(click: Click, clock: Clock, wrong: Callable[[], list[str]]) -> None:
    for number in range(5):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(hours=23)
    assert wrong() == ["no_callbacks"]
    clock.advance(hours=2)
    assert wrong() == []


def test_requests_that_were_never_taken_expect_no_callback(
    click: Click, safaricom: FakeDaraja, clock: Clock, wrong: Callable[[], list[str]]
) -> None:
    safaricom.push_answer = daraja.OutcomeUnknown("read timeout")
    for number in range(5):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    clock.advance(minutes=3)
    assert wrong() == []


def test_a_worker_that_was_never_seen_is_told_with_how_to_start_it(
    clock: Clock, tmp_path: Path, db: None
) -> None:
    (told,) = trouble.troubles(now=clock(), spool_folder=tmp_path)
    assert (told.key, told.tone, told.what) == ("worker", "warn", "The worker has never been seen.")
    assert told.command == "python manage.py reconcile_payments --watch"


def test_a_worker_that_was_not_seen_for_two_minutes_is_told_until_it_is_back(
    clock: Clock, tmp_path: Path, db: None
) -> None:
    heartbeat.beat("worker", now=clock())
    clock.advance(minutes=2)
    assert trouble.troubles(now=clock(), spool_folder=tmp_path) == []
    clock.advance(minutes=3)
    (told,) = trouble.troubles(now=clock(), spool_folder=tmp_path)
    assert (told.key, told.what) == ("worker", "The worker was last seen 5 minutes ago.")
    heartbeat.beat("worker", now=clock())
    assert trouble.troubles(now=clock(), spool_folder=tmp_path) == []


SET_UP = [
    daraja.Misconfigured("Merchant does not exist", code="500.001.1001"),
    daraja.Misconfigured("Daraja refused the consumer key and secret."),
    daraja.InvalidToken("Invalid Access Token", code="404.001.03"),
]
NOT_SET_UP = [
    daraja.SubscriberLocked("Unable to lock subscriber", code="500.001.1001"),
    daraja.Refused("Bad Request - Invalid PhoneNumber", code="400.002.02"),
    daraja.Busy("Spike arrest", code="500.003.03"),
    daraja.Unreachable("no line"),
]


def refused(click: Click, safaricom: FakeDaraja, answer: Exception, number: int = 1) -> None:
    safaricom.push_answer = answer
    with pytest.raises(PushProblem):
        click(f"2547220000{number:02}", reference=f"REFUSED{number}")
    safaricom.push_answer = None


@pytest.mark.parametrize("answer", SET_UP, ids=str)
def test_a_shop_that_safaricom_refuses_is_told_until_it_takes_a_request(
    answer: Exception, click: Click, safaricom: FakeDaraja, wrong: Callable[[], list[str]], tmp_path: Path,
    clock: Clock,
) -> None:  # fmt: skip
    click()
    assert wrong() == []
    refused(click, safaricom, answer)
    assert wrong() == ["set_up_refused"]
    assert trouble.troubles(now=clock(), spool_folder=tmp_path)[0].words == str(answer)
    refused(click, safaricom, NOT_SET_UP[0], 2)  # says nothing of the set-up
    assert wrong() == ["set_up_refused"]
    click("254733000001", reference="TAKEN")
    assert wrong() == []


@pytest.mark.parametrize("answer", NOT_SET_UP, ids=str)
def test_other_refusals_are_not_the_shops_fault(
    answer: Exception, click: Click, safaricom: FakeDaraja, wrong: Callable[[], list[str]]
) -> None:
    refused(click, safaricom, answer)
    assert wrong() == []


def waiting(clock: Clock) -> Spooled:
    return Spooled(
        id=uuid.uuid4(), received_at=clock(), token_hash="", checkout_request_id="", body="{}",
        source_address=None, from_safaricom=False,
    )  # fmt: skip


def test_callbacks_on_disk_are_told_until_they_are_stored(
    clock: Clock, wrong: Callable[[], list[str]], settings: Any, tmp_path: Path
) -> None:
    settings.SPOOL_DIR = str(tmp_path)
    spool.put(tmp_path, waiting(clock))
    assert wrong() == ["spool"]
    callbacks.replay_spool(now=clock())
    assert wrong() == []


def test_a_callback_on_disk_that_nobody_can_read_is_told_until_it_is_moved(
    clock: Clock, wrong: Callable[[], list[str]], tmp_path: Path
) -> None:
    (tmp_path / f"broken{spool.SUFFIX}").write_text("{")
    assert wrong() == ["spool"]
    assert list(spool.waiting(tmp_path)) == []
    assert wrong() == ["spool_bad"]
    next(tmp_path.glob("*.bad")).unlink()
    assert wrong() == []


# --- what needs a person ------------------------------------------------------------------------------------


def test_nothing_needs_a_person_in_a_new_shop(seen: Callable[[], Home], db: None) -> None:
    assert {each.key: each.count for each in seen().needs} == {
        "refund_due": 0, "wrong_amount": 0, "receipt_awaited": 0, "unknown": 0, "unpriced": 0, "given_up": 0,
        "late_success": 0, "receipt_unclaimed": 0, "receipt_refund_due": 0, "receipt_reversed": 0,
        "receipt_refund_undecided": 0, "part_paid": 0, "refund_unseen": 0, "proposal": 0, "inbox": 0,
        "statement_differs": 0, "belief": 0, "part_taken_back": 0,
        "reversal_stuck": 0, "reversal_failed": 0,
    }  # fmt: skip


def test_money_for_a_paid_order_is_refund_due_until_the_refund_is_recorded(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock, seen: Callable[[], Home]
) -> None:
    click()
    first_token = safaricom.last_token
    clock.advance(minutes=2)
    second = click()
    deliver(success("ws_CO_1"), token=first_token)
    deliver(success("ws_CO_2", receipt="UKN4AB12CE"))
    assert need(seen(), "refund_due") == 1
    manual.record_refund(
        second.id, reference="UKR4AB12CD", amount_kes=1500, reason="paid twice", by="kraph", now=clock()
    )
    assert need(seen(), "refund_due") == 0


def test_a_wrong_amount_is_counted_as_payment_and_as_callback_until_each_is_settled(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock, seen: Callable[[], Home]
) -> None:
    attempt = click()
    deliver(success(amount=10))
    assert (need(seen(), "wrong_amount"), need(seen(), "inbox")) == (
        0,
        1,
    )  # not believed, so nothing came yet
    safaricom.query_answer = paid_answer()
    clock.advance(minutes=1)
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    assert (need(seen(), "wrong_amount"), need(seen(), "receipt_awaited")) == (1, 1)
    actions.mark_delivery_reviewed(CallbackDelivery.objects.get().id, by="kraph", now=clock())
    assert (need(seen(), "wrong_amount"), need(seen(), "inbox")) == (1, 0)
    manual.record_refund(
        attempt.id, reference="UKR4AB12CD", amount_kes=10, reason="not ours", by="kraph", now=clock()
    )
    assert need(seen(), "wrong_amount") == 0


def test_a_lost_answer_is_unknown_until_its_callback_comes(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, seen: Callable[[], Home]
) -> None:
    safaricom.push_answer = daraja.OutcomeUnknown("read timeout")
    click()
    assert need(seen(), "unknown") == 1
    deliver(failure())
    assert need(seen(), "unknown") == 0


def test_an_unpriced_payment_is_counted_until_it_is_looked_at(
    buys: Shopper, clock: Clock, seen: Callable[[], Home]
) -> None:
    attempt = buys()
    assert need(seen(), "unpriced") == 1
    actions.mark_reviewed(attempt.id, by="kraph", now=clock())
    assert need(seen(), "unpriced") == 0


def test_a_settlement_waits_for_a_second_person_until_one_decides(
    click: Click, clock: Clock, seen: Callable[[], Home]
) -> None:
    attempt = click(amount=9000)
    clock.advance(minutes=5)
    claim = Settlement(receipt="UKN4AB12CD", amount_kes=9000, evidence="sms", reason="seen on her phone")
    proposed = manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    assert need(seen(), "proposal") == 1
    manual.confirm_settlement(proposed.pk, by="wambui", now=clock())
    assert need(seen(), "proposal") == 0


def test_counting_ends_at_a_thousand(buys: Shopper, seen: Callable[[], Home], monkeypatch: Any) -> None:
    monkeypatch.setattr(figures, "COUNTED_UP_TO", 2)
    buys()
    buys()
    assert [(each.count, each.capped) for each in seen().needs if each.key == "unpriced"] == [(2, False)]
    buys()
    assert [(each.count, each.capped) for each in seen().needs if each.key == "unpriced"] == [(2, True)]


# --- what was taken, and how payments went ------------------------------------------------------------------


def test_money_counts_on_the_nairobi_day_on_which_it_came(
    buys: Shopper, clock: Clock, seen: Callable[[], Home]
) -> None:
    clock.now = clock.now.replace(hour=20, minute=59)  # 23:59 in Nairobi
    buys(1000)
    clock.advance(minutes=1)  # the next day
    buys(300)
    buys(200)
    told = seen()
    assert [(period.count, period.kes) for period in told.periods] == [(2, 500), (3, 1500), (3, 1500)]
    assert [(str(day.day), day.count, day.kes) for day in told.days[-3:]] == [
        ("2026-11-22", 0, 0), ("2026-11-23", 1, 1000), ("2026-11-24", 2, 500)
    ]  # fmt: skip
    assert len(told.days) == 30


def test_old_money_leaves_the_week_and_then_the_month(
    buys: Shopper, clock: Clock, seen: Callable[[], Home]
) -> None:
    buys(1000)
    clock.advance(days=6)
    assert [period.kes for period in seen().periods] == [0, 1000, 1000]
    clock.advance(days=1)
    assert [period.kes for period in seen().periods] == [0, 0, 1000]
    clock.advance(days=22)
    assert [period.kes for period in seen().periods] == [0, 0, 1000]
    clock.advance(days=1)
    assert [period.kes for period in seen().periods] == [0, 0, 0]


def test_an_amount_in_doubt_is_not_counted_until_it_is_known_and_then_as_received(
    click: Click, deliver: Deliver, safaricom: FakeDaraja, clock: Clock, seen: Callable[[], Home]
) -> None:
    attempt = click()
    deliver(success(amount=10))
    safaricom.query_answer = paid_answer()
    clock.advance(minutes=1)
    enquiries.ask_about(enquiries.read_due(attempt.id), clock=clock)
    assert (seen().periods[0].count, seen().periods[0].kes) == (0, 0)
    claim = Settlement(
        receipt="UKN4AB12CD", amount_kes=10, evidence="portal", reason="as agreed", accepts_amount=True
    )
    manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    assert (seen().periods[0].count, seen().periods[0].kes) == (1, 10)


def test_days_that_are_over_are_counted_anew_only_after_minutes(
    buys: Shopper, seen: Callable[[], Home], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    buys(1000)
    clock.advance(days=1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert [period.kes for period in seen().periods] == [200, 1200, 1200]
        return len(captured)

    buys(200)
    first, second = queries(), queries()
    assert first - second == 2
    caches["memory"].clear()
    monkeypatch.setattr(kept, "A_FEW_MINUTES", 0)  # they are over at once
    assert [queries(), queries()] == [first, first]


def test_success_is_of_those_that_ended_and_the_open_ones_are_told_apart(
    buys: Shopper, click: Click, seen: Callable[[], Home]
) -> None:
    assert seen().periods[0].success is None
    click()
    assert (seen().periods[0].success, seen().periods[0].still_open) == (None, 1)
    buys()
    buys()
    buys(code=1032)
    today = seen().periods[0]
    assert (today.success, today.paid, today.ended, today.still_open) == (67, 2, 3, 1)


@pytest.mark.parametrize(
    ("part", "whole", "told"), [(0, 9, 0), (9, 9, 100), (1, 1000, 1), (999, 1000, 99), (2, 3, 67)]
)
def test_only_none_is_0_percent_and_only_all_is_100(part: int, whole: int, told: int) -> None:
    assert outcomes.percent(part, whole) == told


def test_the_time_to_pay_is_median_and_p95_by_safaricoms_clock(
    buys: Shopper, seen: Callable[[], Home]
) -> None:
    assert seen().speed == figures.Speed(measured=0, median=None, p95=None)
    ids = [buys().id for _ in range(20)]
    for seconds, attempt_id in enumerate(ids, start=1):
        attempt = MpesaTransaction.objects.get(id=attempt_id)
        MpesaTransaction.objects.filter(id=attempt_id).update(
            paid_at=attempt.created_at + timedelta(seconds=seconds)
        )
    assert seen().speed == figures.Speed(measured=20, median=10.5, p95=19)
    # without a time of Safaricom's, the time at which it became known here (9 s after the request)
    MpesaTransaction.objects.update(paid_at=None)
    assert seen().speed == figures.Speed(measured=20, median=9, p95=9)
    # a clock of Safaricom's that is behind ours makes nobody pay before he was asked
    MpesaTransaction.objects.update(
        paid_at=MpesaTransaction.objects.earliest("id").created_at - timedelta(days=1)
    )
    assert seen().speed == figures.Speed(measured=20, median=0, p95=0)


def test_the_time_to_pay_leaves_out_what_staff_settled_and_what_is_old(
    buys: Shopper, click: Click, clock: Clock, seen: Callable[[], Home]
) -> None:
    attempt = click()
    clock.advance(minutes=30)
    claim = Settlement(receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="seen on her phone")
    manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    assert seen().speed.measured == 0
    buys()
    assert seen().speed.measured == 1
    clock.advance(days=7)
    assert seen().speed.measured == 0


def test_the_newest_payments_are_measured(buys: Shopper, seen: Callable[[], Home], monkeypatch: Any) -> None:
    monkeypatch.setattr(figures, "MEASURED", 2)
    for seconds in (50, 3, 3):
        attempt = buys(after=seconds)
        MpesaTransaction.objects.filter(id=attempt.id).update(paid_at=None)
    assert seen().speed == figures.Speed(measured=2, median=3, p95=3)


def test_reasons_are_told_in_words_and_those_that_mean_the_same_as_one(
    buys: Shopper, click: Click, safaricom: FakeDaraja, clock: Clock, seen: Callable[[], Home]
) -> None:
    buys()
    buys(code=1032)
    buys(code=1031)
    buys(code=1)
    refused(click, safaricom, daraja.Misconfigured("Wrong credentials", code="500.001.1001"), 1)
    refused(click, safaricom, daraja.Unreachable("no line"), 2)
    lost = click()
    enquiries.expire(lost.id, now=clock(), why="No payment was seen within 24 hours.")
    told = seen()
    assert [(each.meaning, each.count, each.share) for each in told.failures] == [
        ("Cancelled by the user", 2, 33),
        ("Insufficient funds", 1, 17),
        ("No payment was seen", 1, 17),
        ("Safaricom could not be reached", 1, 17),
        ("Safaricom refused the request", 1, 17),
    ]
    assert (told.failed, told.expired) == (5, 1)


def test_six_reasons_are_told_and_the_share_is_of_all(buys: Shopper, seen: Callable[[], Home]) -> None:
    for code in (1, 4, 17, 1019, 1032, 1037, 2001, 2001):
        buys(code=code)
    told = seen()
    assert (len(told.failures), told.failures[0].meaning, told.failures[0].share) == (6, "Wrong PIN", 25)
    assert told.failed == 8


# --- the page -----------------------------------------------------------------------------------------------


@pytest.fixture
def real_time(clock: Clock, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    """The page's clock is the test's, and its spool is empty."""
    monkeypatch.setattr(timezone, "now", clock)
    settings.SPOOL_DIR = str(tmp_path)


@pytest.fixture
def viewer(db: None) -> Client:
    return log_in("wambui", "viewer")


def log_in(name: str, *roles: str) -> Client:
    user = User.objects.create_user(name, password="tests-only", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    client = Client()
    client.force_login(user)
    return client


def html(client: Client) -> str:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.usefixtures("real_time")
def test_a_viewer_reads_trouble_work_and_figures_in_words(
    viewer: Client, buys: Shopper, click: Click, clock: Clock
) -> None:
    buys(1500)
    buys(code=1032)
    click()
    told = html(viewer)
    for words in (
        "The worker has never been seen.", "reconcile_payments --watch", "Unpriced", "Nothing under: Refund due",
        "KES 1,500", "1 paid", "2 that ended", "1 open", "12 seconds", "Cancelled by the user", "Mon 23 Nov",
    ):  # fmt: skip
        assert words in told, words
    assert "1032" not in told


@pytest.mark.usefixtures("real_time")
def test_a_shop_that_is_well_says_so(viewer: Client, clock: Clock) -> None:
    heartbeat.beat("worker", now=clock())
    told = html(viewer)
    assert "Nothing needs a person." in told
    assert "data-trouble" not in told
    assert "Nothing was taken in these days." in told


@pytest.mark.usefixtures("real_time")
def test_a_stranger_to_payments_gets_a_welcome_and_no_figure(buys: Shopper) -> None:
    buys()
    told = html(log_in("otieno"))
    assert "Welcome, otieno." in told
    for word in ("KES", "worker", "Needs a person", "data-trouble", 'id="taken"'):
        assert word not in told, word


@pytest.mark.usefixtures("real_time")
def test_what_a_person_may_not_see_is_not_offered(viewer: Client, deliver: Deliver, click: Click) -> None:
    click()
    deliver(success(), token="forged")
    assert "?problem=1" in html(viewer)
    user = User.objects.create_user("njeri", password="tests-only", is_staff=True)
    user.user_permissions.set(
        Group.objects.get(name="viewer").permissions.filter(codename="view_mpesatransaction")
    )
    client = Client()
    client.force_login(user)
    told = html(client)
    assert 'id="taken"' in told
    assert "Callback problems" not in told
    assert "second person" not in told


@pytest.mark.usefixtures("real_time")
def test_each_figure_leads_to_the_payments_behind_it(
    admin_client: Client, buys: Shopper, click: Click, clock: Clock
) -> None:
    for code in (0, 0, 0, 1032, 1):
        buys(code=code)
    click()
    buys()
    enquiries.expire(buys(code=1037).id, now=clock(), why="stays failed")
    told = html(admin_client)
    for words, count in (("4 paid", 4), ("1 open", 1), ("all", 8), ("3 not paid", 3)):
        link = re.search(rf'<a href="([^"]+)">{words}</a>', told)
        assert link, words
        assert listed(admin_client, link[1]) == count, words
    unpriced = re.search(r'<a href="([^"]+)"><span [^>]+>4</span>\s+Unpriced</a>', told)
    assert unpriced
    assert unpriced[1].endswith("?needs=unpriced")
    assert listed(admin_client, unpriced[1]) == 4


def listed(client: Client, link: str) -> int:
    answer = client.get(link.replace("&amp;", "&"))
    assert answer.status_code == 200
    return len(answer.context["cl"].result_list)


@pytest.mark.usefixtures("real_time")
def test_the_work_of_others_lists_is_linked_as_they_filter_it(
    viewer: Client, click: Click, deliver: Deliver, clock: Clock
) -> None:
    attempt = click(amount=9000)
    deliver(success(), token="forged")
    clock.advance(minutes=5)
    claim = Settlement(receipt="UKN4AB12CD", amount_kes=9000, evidence="sms", reason="seen on her phone")
    manual.propose_settlement(attempt.id, claim, by="kraph", now=clock())
    told = html(viewer)
    assert "/admin/payments/callbackdelivery/?problem=1" in told
    waiting_list = "/admin/payments/handsettlement/?decision__exact=waiting"
    assert waiting_list in told
    assert listed(viewer, waiting_list) == 1


@pytest.mark.usefixtures("real_time")
def test_the_number_of_queries_is_the_same_with_3_and_with_60_payments(viewer: Client, buys: Shopper) -> None:
    def queries() -> int:
        cache.clear()
        caches["memory"].clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            html(viewer)
        return len(captured)

    for _ in range(3):
        buys()
    few = queries()
    for number in range(57):
        buys(code=(0, 1032, 1, 2001)[number % 4])
    assert (queries(), few) == (few, 39)


def test_a_sale_is_never_invisible_in_the_chart(
    buys: Shopper, clock: Clock, seen: Callable[[], Home]
) -> None:
    buys(1)
    clock.advance(days=1)
    buys(250_000)
    heights = [bar["height"] for bar in page._bars(seen())]
    assert heights == [0] * 28 + [2, 100]


# --- the worker's pulse -------------------------------------------------------------------------------------


class Rounds:
    """Runs the worker for so many rounds of so many seconds; `away` names the rounds in which the database is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
        self.patch, self.clock = monkeypatch, clock
        self.beats: list[Any] = []
        monkeypatch.setattr(timezone, "now", clock)
        monkeypatch.setattr(reconcile_payments.time, "monotonic", lambda: clock().timestamp())

    def run(self, rounds: int, *, each: float = 1, away: range = range(0)) -> None:
        left = iter(range(rounds))

        def one_round() -> bool:
            number = next(left, None)
            if number is None:
                raise KeyboardInterrupt
            if number in away:
                raise OperationalError("the database is away")
            return False

        self.patch.setattr(reconcile_payments, "run_due", one_round)
        self.patch.setattr(
            reconcile_payments.time, "sleep", lambda _seconds: self.clock.advance(seconds=each)
        )
        reconcile_payments.Command().handle(watch=True, dry_run=False, json=False, limit=None, older_than=20)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, clock: Clock, db: None) -> Rounds:
    return Rounds(monkeypatch, clock)


def test_the_worker_notes_that_it_is_at_work_at_most_every_15_seconds(worker: Rounds, clock: Clock) -> None:
    began = clock()
    with CaptureQueriesContext(connection) as captured:
        worker.run(61)
    assert Heartbeat.objects.get(name="worker").at == began + timedelta(seconds=60)
    assert len([q for q in captured if "heartbeat" in q["sql"] and q["sql"].startswith("UPDATE")]) == 5


def test_the_worker_seals_each_minute(worker: Rounds, click: Click, clock: Clock) -> None:
    for number in range(3):
        click(f"2547000000{number:02}", reference=f"CART{number}")
        worker.run(30)
    assert [(seal.number, seal.rows) for seal in Seal.objects.order_by("number")] == [(1, 2), (2, 2), (3, 2)]
    worker.run(61)
    assert Seal.objects.count() == 3
    began = clock()
    click("254700000009", reference="CART9")
    worker.run(61)
    assert Seal.objects.latest("number").at == began


def test_the_worker_seals_a_history_one_seal_a_round(
    worker: Rounds, click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        click(f"2547000000{number:02}", reference=f"CART{number}")
    monkeypatch.setattr(seals, "ROWS_OF_A_TABLE", 2)
    worker.run(3)
    assert Seal.objects.count() == 3
    worker.run(3)
    assert Seal.objects.count() == 4


def test_a_seal_that_cannot_be_made_stops_nothing(
    worker: Rounds, click: Click, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_now: Any) -> None:
        raise OperationalError("the disk is full")

    click()
    with monkeypatch.context() as patched:
        patched.setattr(ledger, "seal_next", broken)
        worker.run(20)
    assert (Seal.objects.count(), Heartbeat.objects.count()) == (0, 1)
    worker.run(20)
    assert Seal.objects.count() == 1


def test_what_is_unsealed_for_ten_minutes_is_told_with_how_to_seal(
    click: Click, clock: Clock, tmp_path: Path
) -> None:
    click()
    clock.advance(minutes=11)
    heartbeat.beat("worker", now=clock())
    (told,) = trouble.troubles(now=clock(), spool_folder=tmp_path)
    assert (told.key, told.command) == ("unsealed", "python manage.py seal_ledger")
    clock.advance(minutes=3)
    (told,) = trouble.troubles(now=clock(), spool_folder=tmp_path)
    assert told.key == "worker"  # who isn't there can't seal either: that is the one to mend


def test_no_pulse_is_written_while_the_database_is_away(worker: Rounds, clock: Clock) -> None:
    began = clock()
    worker.run(200, away=range(2, 200))
    assert Heartbeat.objects.get(name="worker").at == began


def test_a_pulse_that_cannot_be_written_stops_nothing(
    worker: Rounds, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_name: str, **_now: Any) -> None:
        raise OperationalError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(enquiries, "beat", broken)
        worker.run(20)
    assert Heartbeat.objects.count() == 0
    worker.run(20)
    assert Heartbeat.objects.count() == 1
