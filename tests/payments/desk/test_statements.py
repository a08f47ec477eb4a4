"""Statements in the desk: who may upload, match and attach; what the comparison says; and that it stays quick."""

import json
import resource
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Order
from payments import callbacks, ledger, manual, reconciliation
from payments.desk.day.report import report
from payments.desk.statements import comparison as desk
from payments.desk.statements import explained
from payments.desk.words import nairobi_day
from payments.models import HandSettlement, MpesaTransaction, Receipt, Statement, StatementLine
from payments.reconciliation import importing, matching
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.desk import ROLES, at_desk, words_of
from tests.support.payments.fake_daraja import OTIENO, FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import asked_and_paid, called_back
from tests.support.payments.stating import (
    charge,
    head,
    line,
    matched,
    paid_now,
    row,
    row_of,
    state,
    sweep,
    taken_in,
    wall,
)
from tests.support.statements import many, write_csv

Click = Callable[..., MpesaTransaction]

STATEMENTS = "/admin/payments/statement/"
LINES = "/admin/payments/statementline/"
WHY = "She typed the code of another order."


def file_of(*rows: Any, clock: Clock, name: str = "november.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, write_csv(rows, head=head(clock)))


@pytest.fixture
def clock() -> Clock:
    """Five hours ago by the wall clock, which the desk goes by, on one day of Nairobi."""
    clock = Clock()
    clock.now = timezone.now().replace(microsecond=0) - timedelta(hours=30)
    clock.now = clock.now.replace(hour=9)  # noon in Nairobi
    return clock


@pytest.fixture
def unknown_money(db: None, clock: Clock) -> StatementLine:
    state([row("UKN4AB12CD", clock(), 1000, "WANJIRU")], clock)
    return line("UKN4AB12CD")


# --- role × action × (allowed, hidden, refused by direct POST) -------------------------------------------

MAY_WORK = {"supervisor"}
MAY_SEE = set(ROLES)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_upload(role: str, db: None, clock: Clock) -> None:
    client = at_desk(role)
    listed = client.get(STATEMENTS)
    assert listed.status_code == (200 if role in MAY_SEE else 403)
    assert ('data-action="upload"' in words_of(listed)) == (role in MAY_WORK)
    assert client.get(f"{STATEMENTS}upload/").status_code == (200 if role in MAY_WORK else 403)
    answer = client.post(f"{STATEMENTS}upload/", {"file": file_of(row("UKN4AB12CD", clock()), clock=clock)})
    assert answer.status_code == (302 if role in MAY_WORK else 403)
    assert Statement.objects.count() == (1 if role in MAY_WORK else 0)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_open_the_file_as_it_came(role: str, db: None, clock: Clock) -> None:
    data = write_csv([row("UKN4AB12CD", clock(), other_party="0712345678 - WANJIRU")], head=head(clock))
    stated = importing.import_file(data, file_name="nov ember.csv", by="akinyi", now=timezone.now()).statement
    client, address = at_desk(role), f"{STATEMENTS}{stated.pk}/"
    answer = client.get(f"{address}file/")
    assert answer.status_code == (200 if role in MAY_SEE else 403)
    if role in MAY_SEE:
        assert b"".join(answer.streaming_content) == data  # type: ignore[attr-defined]
        assert answer["Content-Disposition"] == 'attachment; filename="nov ember.csv"'
        assert 'data-action="file"' in words_of(client.get(f"{address}change/"))


def test_a_file_that_was_erased_is_said_to_be(db: None, clock: Clock) -> None:
    stated = taken_in([row("UKN4AB12CD", clock())], clock)
    importing.erase_old_files(now=timezone.now() + timedelta(days=401))
    client, address = at_desk("viewer"), f"{STATEMENTS}{stated.pk}/"
    assert client.get(f"{address}file/").status_code == 404
    assert "The file itself is not kept any more" in words_of(client.get(f"{address}change/"))


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_match(role: str, db: None, clock: Clock) -> None:
    stated = taken_in([row("UKN4AB12CD", clock())], clock)
    client, address = at_desk(role), f"{STATEMENTS}{stated.pk}/"
    shown = client.get(f"{address}change/")
    assert shown.status_code == (200 if role in MAY_SEE else 403)
    assert ('data-action="match"' in words_of(shown)) == (role in MAY_WORK)
    assert client.get(f"{address}matching/").status_code == (200 if role in MAY_WORK else 403)
    assert client.post(f"{address}matching/step/", {"cursor": "0-0"}).status_code == (
        200 if role in MAY_WORK else 403
    )
    stated.refresh_from_db()
    assert (stated.matched_at is not None) == (role in MAY_WORK)
    assert client.post(f"{address}again/").status_code == (302 if role in MAY_WORK else 403)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_attach(role: str, unknown_money: StatementLine, clock: Clock) -> None:
    order = place(clock)
    client, address = at_desk(role), f"{LINES}{unknown_money.pk}/"
    shown = client.get(f"{address}change/")
    assert shown.status_code == (200 if role in MAY_SEE else 403)
    assert ("attach-form" in words_of(shown)) == (role in MAY_WORK)
    listed = client.get(f"{STATEMENTS}{unknown_money.statement_id}/change/?group=theirs")
    assert ('data-action="attach"' in words_of(listed)) == (role in MAY_WORK)
    answer = client.post(f"{address}attach/", {"target": order.code, "reason": WHY})
    assert answer.status_code == (302 if role in MAY_WORK else 403)
    assert MpesaTransaction.objects.filter(receipt="UKN4AB12CD", pays_order=True).exists() == (
        role in MAY_WORK
    )


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
@pytest.mark.parametrize("verdict", ["confirm", "decline"])
def test_who_may_be_the_second_person(
    role: str, verdict: str, unknown_money: StatementLine, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    at_desk("supervisor", "achieng").post(
        f"{LINES}{unknown_money.pk}/attach/", {"target": order.code, "reason": WHY}
    )
    waiting = HandSettlement.objects.get()
    client = at_desk(role)
    shown = client.get(f"{LINES}{unknown_money.pk}/change/")
    assert (f'data-action="{verdict}"' in words_of(shown)) == (role in MAY_WORK)
    address = f"{LINES}{unknown_money.pk}/settlement/{waiting.pk}/{verdict}/"
    answer = client.post(address, {"why": "It is otieno's."})
    assert answer.status_code == (302 if role in MAY_WORK else 403)
    waiting.refresh_from_db()
    assert (waiting.decision != "waiting") == (role in MAY_WORK)


def test_whoever_proposed_it_cannot_confirm_it(
    unknown_money: StatementLine, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order, client = place(clock), at_desk("supervisor")
    address = f"{LINES}{unknown_money.pk}/"
    told = client.post(f"{address}attach/", {"target": order.code, "reason": WHY}, follow=True)
    assert "a second one must confirm it" in words_of(told)
    assert 'data-action="confirm"' not in words_of(told)
    waiting = HandSettlement.objects.get()
    told = client.post(f"{address}settlement/{waiting.pk}/confirm/", follow=True)
    assert "you proposed it yourself" in words_of(told)
    listed = client.get(f"{STATEMENTS}{unknown_money.statement_id}/change/?group=theirs")
    assert "Waits for a second person" in words_of(listed)
    settlements_list = words_of(client.get("/admin/payments/handsettlement/?decision__exact=waiting"))
    assert f"{LINES}{unknown_money.pk}/change/" in settlements_list


@pytest.mark.parametrize("path", ["upload/", "1/matching/", "1/change/", "1/matching/step/", "1/again/"])
def test_a_stranger_is_asked_to_log_in(path: str, db: None) -> None:
    assert Client().post(f"{STATEMENTS}{path}").status_code == 302


def test_steps_and_decisions_are_posted_only(unknown_money: StatementLine) -> None:
    client = at_desk("supervisor")
    for path in ("matching/step/", "again/"):
        assert client.get(f"{STATEMENTS}{unknown_money.statement_id}/{path}").status_code == 405
    assert client.get(f"{LINES}{unknown_money.pk}/settlement/1/confirm/").status_code == 405


@pytest.mark.parametrize("path", ["999/change/", "x/change/", "999/matching/", "9999999999999999999/change/"])
def test_what_is_not_there_is_not_found(path: str, db: None) -> None:
    client = at_desk("supervisor")
    assert client.get(STATEMENTS + path).status_code == 404
    if "change" in path:
        assert client.get(LINES + path).status_code == 404


# --- uploading ------------------------------------------------------------------------------------------


def test_an_uploaded_file_leads_to_matching_and_then_to_the_comparison(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid, client = paid_now(click, safaricom, clock), at_desk("supervisor")
    answer = client.post(f"{STATEMENTS}upload/", {"file": file_of(row_of(paid), sweep(clock()), clock=clock)})
    stated = Statement.objects.get()
    assert answer["Location"] == f"{STATEMENTS}{stated.pk}/matching/"
    assert "data-steps" in words_of(client.get(answer["Location"]))
    step = client.post(f"{answer['Location']}step/", {"cursor": "0-0"}).json()
    assert (step["finished"], step["done"], step["total"]) == (True, 1, 1)
    assert step["next"] == f"{STATEMENTS}{stated.pk}/change/"
    assert "The till agrees to the shilling: KES 1,500" in words_of(client.get(step["next"]))


def test_matching_tells_how_far_it_is(
    click: Click, clock: Clock, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = taken_in([row(f"UKN4AB12C{n}", clock()) for n in range(5)], clock)
    some = matching.match_some
    monkeypatch.setattr(reconciliation, "match_some", lambda pk, *, now: some(pk, now=now, limit=2))
    client, cursor, seen = at_desk("supervisor"), "0-0", []
    for _ in range(3):
        step = client.post(f"{STATEMENTS}{stated.pk}/matching/step/", {"cursor": cursor}).json()
        cursor = step["cursor"]
        seen.append((step["done"], step["total"], step["finished"], step["says"]))
    assert seen == [
        (2, 5, False, "2 of 5 lines …"),
        (4, 5, False, "4 of 5 lines …"),
        (5, 5, True, "All lines are matched."),
    ]


@pytest.mark.parametrize("cursor", ["", "0", "-1", "x-1", "1-2-3", "9" * 30])
def test_a_strange_cursor_is_refused(cursor: str, unknown_money: StatementLine) -> None:
    address = f"{STATEMENTS}{unknown_money.statement_id}/matching/step/"
    assert at_desk("supervisor").post(address, {"cursor": cursor}).status_code == 400


def test_the_same_file_again_says_who_uploaded_it_and_when(db: None, clock: Clock) -> None:
    for client in (at_desk("supervisor"), at_desk("supervisor", "barasa")):
        answer = client.post(
            f"{STATEMENTS}upload/", {"file": file_of(row("UKN4AB12CD", clock()), clock=clock)}, follow=True
        )
    assert "supervisor uploaded this very file on" in words_of(answer)
    assert "nothing was changed" in words_of(answer)
    assert Statement.objects.count() == 1


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [
        (lambda data: data.replace(b"UKN4AB12CD", b"0712345678"), "Row 8: &#x27;0000000000&#x27; is no M-PESA receipt"),
        (lambda data: data.replace(b"174379", b"600000"), "short code 600000; the shop&#x27;s is 174379"),
        (lambda data: b"%PDF-1.7 " + data, "This is a PDF. It holds no statement."),
        (lambda _data: b"", "The file is empty."),
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_in_words_and_nothing_is_stored(
    spoilt: Callable[[bytes], bytes], why: str, db: None, clock: Clock
) -> None:
    data = spoilt(write_csv([row("UKN4AB12CD", clock())], head=head(clock)))
    answer = at_desk("supervisor").post(f"{STATEMENTS}upload/", {"file": SimpleUploadedFile("a.csv", data)})
    assert answer.status_code == 400
    assert why in words_of(answer)
    assert "Nothing was stored" in words_of(answer)
    assert (Statement.objects.count(), StatementLine.objects.count()) == (0, 0)


def test_no_file_is_said_too(db: None) -> None:
    answer = at_desk("supervisor").post(f"{STATEMENTS}upload/", {})
    assert (answer.status_code, "Choose the file first." in words_of(answer)) == (400, True)


# --- the comparison -------------------------------------------------------------------------------------


def all_five(click: Click, safaricom: FakeDaraja, clock: Clock) -> Statement:
    """Matched 1,500 · ours 700 · theirs 1,000 · 1,400 for 1,500 · a sweep and a charge."""
    good = paid_now(click, safaricom, clock, receipt="UKN4AB12CA")
    paid_now(click, safaricom, clock, msisdn="254712345601", reference="C2", amount=700, receipt="UKN4AB12CB")
    short = paid_now(click, safaricom, clock, msisdn="254712345602", reference="C3", receipt="UKN4AB12CC")
    rows = [
        row_of(good, "UKN4AB12CA"), row("UKN4AB12CD", clock() + timedelta(minutes=5), 1000, "WANJIRU"),
        row_of(short, "UKN4AB12CC", paid_in=1400), sweep(clock()), charge(clock(), "UKN4AB12CA"),
    ]  # fmt: skip
    clock.advance(minutes=20)
    stated = taken_in(rows, clock)
    matched(stated, clock)
    return stated


def counted(comparison: desk.Comparison) -> dict[str, tuple[int, float]]:
    return {group.key: (group.count, float(group.total)) for group in comparison.groups}


def test_the_five_groups_add_up_to_the_totals(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    found = desk.compare(all_five(click, safaricom, clock))
    assert counted(found) == {
        "matched": (1, 1500.0),
        "ours": (1, 700.0),
        "theirs": (1, 1000.0),
        "differ": (1, 1400.0),
        "left-out": (2, -1002.25),
    }
    assert (found.ours, found.theirs, found.difference) == (3600, 3900, -300)
    assert found.verdict.startswith("The till does not agree: the statement has KES 300 more.")
    assert (found.agrees, found.needs_person) == (False, 3)


# --- what no request of ours asked for ---------------------------------------------------------------------


def test_a_line_that_is_its_orders_in_the_book_is_matched(db: None, clock: Clock) -> None:
    order = place(clock)
    stated = taken_in([row("UKN8AB12CD", clock(), 400, order.code), sweep(clock())], clock)
    matched(stated, clock)
    found = desk.compare(stated)
    assert counted(found)["matched"] == (1, 400.0)
    assert (counted(found)["theirs"], found.ours, found.theirs, found.agrees) == ((0, 0.0), 400, 400, True)
    assert found.verdict == "The till agrees to the shilling: KES 400 on both sides."
    viewer, receipt = at_desk("viewer"), Receipt.objects.get(code="UKN8AB12CD")
    told = words_of(viewer.get(f"{STATEMENTS}{stated.pk}/change/?group=matched"))
    assert f'/admin/payments/receipt/{receipt.pk}/change/">{order.code}</a>' in told
    swept = Receipt.objects.get(kind="to_bank")
    told = words_of(viewer.get(f"{STATEMENTS}{stated.pk}/change/?group=left-out"))
    assert f"/admin/payments/receipt/{swept.pk}/change/" in told


def test_a_lines_page_says_for_which_order_it_is_and_does_not_offer_to_attach_it(
    db: None, clock: Clock
) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock(), 400, order.code)], clock)
    supervisor, pk = at_desk("supervisor"), line("UKN8AB12CD").pk
    told = words_of(supervisor.get(f"{LINES}{pk}/change/"))
    assert f"order {order.code}" in told
    assert 'id="attach-form"' not in told
    other = place(clock)
    refused = supervisor.post(f"{LINES}{pk}/attach/", {"target": other.code, "reason": WHY})
    assert refused.status_code == 400
    other.refresh_from_db()
    assert (other.received_cents, MpesaTransaction.objects.count()) == (0, 0)
    assert f"Receipt {line('UKN8AB12CD').receipt}" in words_of(supervisor.get(LINES))


def test_money_that_was_quicker_than_its_callback_is_counted_once(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Two requests without an answer; the statement knows the order; then the first one's callback comes."""
    first = click()
    called_back(safaricom, clock, code=1037)
    token = safaricom.last_token
    clock.advance(minutes=3)
    click()
    called_back(safaricom, clock, code=1037)
    at = clock.advance(minutes=1)
    stated = taken_in([row("UKN4AB12CD", at, 1500, first.account_reference)], clock)
    matched(stated, clock)
    body = json.dumps(success("ws_CO_1", 1500, "UKN4AB12CD")).encode()
    callbacks.receive_callback(token=token, body=body, source_address=None, now=clock())
    MpesaTransaction.objects.filter(receipt="UKN4AB12CD").update(paid_at=at)
    found = desk.compare(stated)
    assert (found.ours, found.theirs, found.agrees) == (1500, 1500, True)
    day = report(nairobi_day(at), now=clock())
    assert "The M-PESA statement agrees." in day.summary


def test_worked_off_the_till_agrees_to_the_shilling(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    stated = all_five(click, safaricom, clock)
    lonely = MpesaTransaction.objects.get(amount_kes=700)
    taken_in([row("UKN4AB12CB", lonely.paid_at or clock(), 700)], clock, name="rest.csv")
    matching.begin_again(stated.pk)
    matched(stated, clock)
    client, order = at_desk("supervisor"), place(clock)
    client.post(f"{LINES}{line('UKN4AB12CD').pk}/attach/", {"target": order.code, "reason": WHY})
    found = desk.compare(stated)
    assert (found.ours, found.theirs, found.agrees, found.verdict) == (4600, 4600, False, desk.OTHER_FILE)
    assert [each.receipt for each in desk.rows_of(stated, "one-file")] == ["UKN4AB12CB"]  # type: ignore[union-attr]
    StatementLine.objects.update(absent_from=None)  # as if the first file had ended earlier
    found = desk.compare(stated)
    assert (found.ours, found.theirs, found.agrees) == (4600, 4600, True)
    assert (
        found.verdict
        == "The totals agree: KES 4,600 on both sides. Some amounts are not what we asked for: look."
    )
    short = MpesaTransaction.objects.get(receipt="UKN4AB12CC")
    client.post(f"/admin/payments/mpesatransaction/{short.pk}/looked-at/")
    found = desk.compare(stated)
    assert found.verdict == "The till agrees to the shilling: KES 4,600 on both sides."
    assert (found.needs_person, list(ledger.faults())) == (0, [])
    assert "dk-banner--ok" in words_of(client.get(f"{STATEMENTS}{stated.pk}/change/"))


def test_a_difference_stays_open_while_we_hold_another_amount_than_the_statement(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    stated = all_five(click, safaricom, clock)
    short = MpesaTransaction.objects.filter(receipt="UKN4AB12CC")
    for held, needs in ((1400, 2), (1500, 3)):  # the other two groups need a person too
        short.update(received_kes=held, reviewed_at=clock(), pays_order=True)
        assert desk.compare(stated).needs_person == needs


def test_equal_totals_of_different_money_are_no_agreement(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid_now(click, safaricom, clock)
    clock.advance(minutes=5)
    stated = taken_in([row("UKN4AB12ZZ", clock(), 1500)], clock)
    matched(stated, clock)
    found = desk.compare(stated)
    assert (found.ours == found.theirs, found.agrees) == (True, False)
    assert "not all of the money is the same" in found.verdict


def test_cents_are_part_of_the_totals(db: None, clock: Clock) -> None:
    stated = taken_in([row("UKN4AB12CD", clock(), "10.50")], clock)
    assert desk.compare(stated).theirs == Decimal("10.50")
    assert "KES 10.50" in words_of(at_desk("auditor").get(f"{STATEMENTS}{stated.pk}/change/"))


def test_payments_before_and_after_the_period_are_left_out(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    paid_now(click, safaricom, clock)
    MpesaTransaction.objects.update(paid_at=None)  # the request's time counts then
    stated = taken_in(
        [sweep(clock() + timedelta(days=2))], clock, period_from=wall(clock() + timedelta(days=1))
    )
    assert counted(desk.compare(stated))["ours"] == (0, 0.0)
    earlier = taken_in([sweep(clock(), receipt="UKNSWEEP02")], clock, name="b.csv")
    earlier.uploaded_at = clock() - timedelta(minutes=1)  # exported before the payment came
    assert counted(desk.compare(earlier))["ours"] == (0, 0.0)
    earlier.uploaded_at = clock()
    assert counted(desk.compare(earlier))["ours"] == (1, 1500.0)


def test_a_payment_named_by_another_period_is_not_missing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Asked for before midnight, paid after: it stands on tomorrow's statement, and counts there."""
    attempt = click()
    tomorrow = taken_in([row_of(attempt, hours=23)], clock)
    matched(tomorrow, clock)
    today = taken_in([sweep(clock())], clock, name="b.csv")
    Statement.objects.filter(pk=today.pk).update(period_to=clock() + timedelta(hours=1))
    MpesaTransaction.objects.update(paid_at=None)
    assert counted(desk.compare(Statement.objects.get(pk=today.pk)))["ours"] == (0, 0.0)


def test_why_ours_may_be_missing_is_said_with_what_to_do(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click()
    asked_and_paid(attempt, safaricom, clock)
    stated = taken_in([row("UKN4AB12ZZ", clock() + timedelta(hours=1), 5)], clock)
    attempt.refresh_from_db()
    last = explained.reaches(stated)

    def said(**change: Any) -> str:
        for name, value in change.items():
            setattr(attempt, name, value)
        return explained.why_alone(attempt, stated, last)

    assert "named no receipt" in said()
    assert "Search the receipt in the M-PESA portal" in said(receipt="UKN4AB12CD")
    assert "may have been typed wrong" in said(by_hand=True)
    assert "Later than the statement's last line" in said(paid_at=clock() + timedelta(hours=2))
    last = stated.period_to
    assert "very end of the statement's period" in said(paid_at=stated.period_to - timedelta(minutes=1))


@pytest.mark.parametrize("group", ["matched", "ours", "theirs", "differ", "left-out", "no-such-group"])
def test_every_group_shows_its_rows_in_words(
    click: Click, safaricom: FakeDaraja, clock: Clock, group: str
) -> None:
    stated = all_five(click, safaricom, clock)
    told = words_of(at_desk("viewer").get(f"{STATEMENTS}{stated.pk}/change/?group={group}"))
    wanted = {
        "matched": ("UKN4AB12CA", "By receipt"),
        "ours": ("UKN4AB12CB", "Search the receipt in the M-PESA portal"),
        "theirs": ("UKN4AB12CD", "WANJIRU"),
        "differ": ("UKN4AB12CC", "was not looked at yet"),
        "left-out": ("Moved to the bank", "Charge"),
        "no-such-group": ("Ours but not theirs", "UKN4AB12CB"),
    }[group]
    assert all(words in told for words in wanted)
    assert "None" not in told.split('id="rows"')[1].split("</section>")[0]


def test_each_row_leads_to_its_payment_or_line(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    stated, client = all_five(click, safaricom, clock), at_desk("viewer")
    for group, receipt in (("matched", "UKN4AB12CA"), ("ours", "UKN4AB12CB"), ("differ", "UKN4AB12CC")):
        payment = MpesaTransaction.objects.get(receipt=receipt)
        told = words_of(client.get(f"{STATEMENTS}{stated.pk}/change/?group={group}"))
        assert f"/admin/payments/mpesatransaction/{payment.pk}/change/" in told
    told = words_of(client.get(f"{STATEMENTS}{stated.pk}/change/?group=theirs"))
    assert f"{LINES}{line('UKN4AB12CD').pk}/change/" in told


def test_a_callback_that_came_since_is_told_and_matched_again(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    state([row("UKN4AB12CD", clock(), 1500)], clock)
    stated, client = Statement.objects.get(), at_desk("supervisor")
    assert "Callbacks have come since" not in words_of(client.get(f"{STATEMENTS}{stated.pk}/change/"))
    paid_now(click, safaricom, clock)
    assert "1 line can be matched now" in words_of(client.get(f"{STATEMENTS}{stated.pk}/change/"))
    answer = client.post(f"{STATEMENTS}{stated.pk}/again/")
    assert client.post(f"{answer['Location']}step/", {"cursor": "0-0"}).json()["finished"]
    assert desk.compare(Statement.objects.get()).agrees


def test_groups_are_paged(db: None, clock: Clock) -> None:
    rows = [row(f"UKN4AB1{n:03}", clock() + timedelta(seconds=n), 10) for n in range(120)]
    state(rows, clock)
    client, address = at_desk("viewer"), f"{STATEMENTS}{Statement.objects.get().pk}/change/?group=theirs"
    first, last, beyond = (words_of(client.get(f"{address}&page={page}")) for page in ("1", "3", "99x"))
    assert ("UKN4AB1000" in first, "UKN4AB1050" in first, "Page 1 of 3" in first) == (True, False, True)
    assert ("UKN4AB1119" in last, "Page 3 of 3" in last) == (True, True)
    assert "Page 1 of 3" in beyond
    assert "Page 3 of 3" in words_of(client.get(f"{address}&page=99"))


# --- one line -------------------------------------------------------------------------------------------


def test_a_line_suggests_its_order_and_payments_that_wait_for_this_amount(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    waits, other = click(), click(OTIENO, reference="C2", amount=900)
    clock.advance(minutes=5)
    state([row("UKN4AB12CD", clock(), 1500, "C2")], clock)
    told = words_of(at_desk("supervisor").get(f"{LINES}{line('UKN4AB12CD').pk}/change/"))
    assert 'value="C2"' in told
    assert waits.account_reference in told.split('id="candidates"')[1]
    assert other.account_reference not in told.split('id="candidates"')[1].split("</section>")[0]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"reason": ""}, "Give the reason."),
        ({"reason": "short"}, "in a few words more"),
        ({"target": ""}, "Type the order"),
        ({"target": "DKXXXXXXXX"}, "There is no such order or payment"),
    ],
)
def test_nothing_is_attached_without_order_and_reason(
    unknown_money: StatementLine, clock: Clock, change: dict[str, str], why: str
) -> None:
    told = {"target": place(clock).code, "reason": WHY, **change}
    answer = at_desk("supervisor").post(f"{LINES}{unknown_money.pk}/attach/", told)
    assert (answer.status_code, why in words_of(answer)) == (400, True)
    assert MpesaTransaction.objects.count() == 0


@pytest.mark.parametrize(
    ("paid_in", "paid_before", "says"),
    [
        (1000, False, "is paid with it"),
        (900, False, "asks for another amount"),
        (1000, True, "this money is due back"),
    ],
)
def test_what_became_of_attached_money_is_said(
    db: None, clock: Clock, paid_in: int, paid_before: bool, says: str
) -> None:
    order = place(clock)
    if paid_before:
        Order.objects.filter(pk=order.pk).update(state="paid", paid_at=clock())
    state([row("UKN4AB12CD", clock(), paid_in)], clock)
    answer = at_desk("supervisor").post(
        f"{LINES}{line('UKN4AB12CD').pk}/attach/", {"target": order.code, "reason": WHY}, follow=True
    )
    assert says in words_of(answer)
    assert "without a request of ours" in words_of(answer)
    assert "Entered by hand for money on the M-PESA statement" in words_of(answer)


def test_a_declined_attachment_is_told_on_the_line(
    unknown_money: StatementLine, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order, client = place(clock), at_desk("supervisor")
    client.post(f"{LINES}{unknown_money.pk}/attach/", {"target": order.code, "reason": WHY})
    waiting = HandSettlement.objects.get()
    manual.decline_settlement(waiting.pk, why="It is otieno's.", by="barasa", now=clock())
    told = words_of(client.get(f"{LINES}{unknown_money.pk}/change/"))
    assert "barasa declined" in told
    assert "attach-form" in told


# --- quick at any size ----------------------------------------------------------------------------------


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


@pytest.mark.parametrize("group", ["matched", "ours", "theirs", "differ", "left-out"])
def test_the_number_of_queries_does_not_grow_with_the_lines(
    click: Click, safaricom: FakeDaraja, clock: Clock, group: str
) -> None:
    stated, client = all_five(click, safaricom, clock), at_desk("supervisor")
    address = f"{STATEMENTS}{stated.pk}/change/?group={group}"
    few = queries_of(client, address)
    more = [row(f"UKN5AB1{n:03}", clock(), 10) for n in range(20)]
    for n in range(20):
        paid_now(
            click, safaricom, clock, msisdn=f"2547223456{n:02}", reference=f"M{n}", receipt=f"UKN6AB1{n:03}"
        )
        paid_now(
            click, safaricom, clock, msisdn=f"2547323456{n:02}", reference=f"N{n}", receipt=f"UKN7AB1{n:03}"
        )
        more += [
            row(f"UKN6AB1{n:03}", clock(), 1500), row(f"UKN7AB1{n:03}", clock(), 1400),
            sweep(clock(), receipt=f"UKN8AB1{n:03}"),
        ]  # fmt: skip
        paid_now(
            click, safaricom, clock, msisdn=f"2547423456{n:02}", reference=f"O{n}", receipt=f"UKN9AB1{n:03}"
        )
    clock.advance(minutes=1)
    matched(taken_in(more, clock, name="more.csv"), clock)
    Statement.objects.filter(pk=stated.pk).update(uploaded_at=clock())
    assert counted(desk.compare(Statement.objects.get(pk=stated.pk)))[group][0] >= 20
    assert queries_of(client, address) == few <= 20


def test_the_list_of_statements_asks_as_much_for_sixty_as_for_three(db: None, clock: Clock) -> None:
    client = at_desk("viewer")
    for n in range(3):
        taken_in([row(f"UKN4AB1{n:03}", clock())], clock, name=f"{n}.csv")
    few = queries_of(client, STATEMENTS)
    for n in range(3, 40):
        taken_in([row(f"UKN4AB1{n:03}", clock())], clock, name=f"{n}.csv")
    assert queries_of(client, STATEMENTS) == few


LINES_OF_A_YEAR = 100_000


def test_a_hundred_thousand_lines_are_taken_in_matched_and_compared(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """In bounded memory; how many seconds, docs/performance.md says."""
    paid = paid_now(click, safaricom, clock)
    data = write_csv([*many(LINES_OF_A_YEAR - 1), row_of(paid)], head=head(clock))
    del paid
    before, started = memory(), time.monotonic()
    stated = importing.import_file(data, file_name="year.csv", by="akinyi", now=clock()).statement
    result = matching.match_all(stated.pk, clock=clock, progress=lambda _so_far: None)
    assert (result.by_receipt, result.nobodys) == (1, LINES_OF_A_YEAR - 1)
    found = desk.compare(stated)
    assert desk.page_of(stated, found.group("theirs"), 2000).number == 2000
    assert (found.group("theirs").count, found.group("matched").count) == (LINES_OF_A_YEAR - 1, 1)
    assert memory() - before < 250  # MB at the highest
    assert (
        time.monotonic() - started < 600
    )  # some three minutes beside others; a quadratic step takes half an hour


def memory() -> int:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


# --- what is not to be believed -------------------------------------------------------------------------


def test_a_void_line_counts_in_no_group_but_its_own(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    """Of its own file as of another that covers its time; what it named of ours is ours alone then."""
    paid, order = paid_now(click, safaricom, clock), place(clock)
    rows = [
        row_of(paid),
        row("UKN8AB12CD", clock(), 400, order.code),
        row("UKN8AB12CE", clock(), 70, "X"),
        sweep(clock()),
    ]
    stated, other = taken_in(rows, clock), taken_in([], clock, name="later.csv", short_code="", totals=False)
    matched(stated, clock)
    for receipt in ("UKN8AB12CD", "UKN8AB12CE", "UKNSWEEP01"):
        void = StatementLine.objects.get(receipt=receipt)
        manual.void_line(void.pk, reason="The portal does not show it.", by="otieno", now=clock())
    found, elsewhere = desk.compare(stated), desk.compare(other)
    assert counted(found) == {
        "matched": (1, 1500.0), "ours": (0, 0.0), "theirs": (0, 0.0), "differ": (0, 0.0), "left-out": (0, 0.0),
        "void": (3, -530.0),
    }  # fmt: skip
    assert (found.ours, found.theirs, found.needs_person) == (1500, 1500, 0)
    assert counted(elsewhere) == {key: told for key, told in counted(found).items() if key != "void"}
    viewer = at_desk("viewer")
    page = words_of(viewer.get(f"{STATEMENTS}{stated.pk}/change/?group=void"))
    assert "They count nowhere" in page
    assert "UKN8AB12CD" in page
    assert "UKN8AB12CD" not in words_of(viewer.get(f"{STATEMENTS}{stated.pk}/change/?group=matched"))


def test_a_void_file_agrees_with_nothing(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    attempt = paid_now(click, safaricom, clock)
    clock.advance(minutes=20)
    stated = taken_in([row_of(attempt)], clock)
    matched(stated, clock)
    assert desk.compare(stated).agrees
    manual.void_statement(stated.pk, reason="It was typed by hand.", by="otieno", now=clock())
    found = desk.compare(Statement.objects.get())
    assert (counted(found)["ours"], counted(found)["void"]) == ((1, 1500.0), (1, 1500.0))
    assert (found.agrees, found.is_settled) == (False, False)
    assert "Nothing of this file counts." in words_of(
        at_desk("viewer").get(f"{STATEMENTS}{stated.pk}/change/")
    )


def test_a_void_file_is_not_matched_again(db: None, clock: Clock) -> None:
    stated, supervisor = taken_in([], clock), at_desk("supervisor")
    matched(stated, clock)
    page, again = f"{STATEMENTS}{stated.pk}/change/", f"{STATEMENTS}{stated.pk}/again/"
    assert 'data-action="again"' in supervisor.get(page).content.decode()
    manual.void_statement(stated.pk, reason="It was typed by hand.", by="otieno", now=clock())
    assert 'data-action="again"' not in supervisor.get(page).content.decode()
    matched_at = Statement.objects.get().matched_at
    assert "is not to be believed any more" in words_of(supervisor.post(again, follow=True))
    assert Statement.objects.get().matched_at == matched_at


def test_a_void_file_without_a_line_agrees_with_nothing_either(db: None, clock: Clock) -> None:
    stated = taken_in([], clock)
    matched(stated, clock)
    assert desk.compare(stated).agrees
    manual.void_statement(stated.pk, reason="It was typed by hand.", by="otieno", now=clock())
    assert not desk.compare(Statement.objects.get()).agrees


def test_a_void_line_that_another_file_lacks_is_no_question_any_more(db: None, clock: Clock) -> None:
    taken_in([row("UKN8AB12CE", clock(), 70, "X")], clock)
    clock.advance(minutes=20)
    other = taken_in([], clock, name="later.csv")
    assert desk.compare(other).verdict == desk.OTHER_FILE
    manual.void_line(line("UKN8AB12CE").pk, reason="The portal does not show it.", by="otieno", now=clock())
    assert desk.compare(other).verdict.startswith("The till agrees")


# --- what waits for a second person ---------------------------------------------------------------------


@pytest.fixture
def waiting_file(click: Click, clock: Clock, settings: Any) -> Statement:
    """A file of achieng's with one line above what she may let pay alone."""
    settings.SETTLED_ALONE_UP_TO_KES = 900
    attempt = click()
    stated = taken_in([row_of(attempt), row("UKN4AB12CX", clock(), 7, "X")], clock)
    Statement.objects.filter(pk=stated.pk).update(uploaded_by="achieng")
    matched(stated, clock)
    return Statement.objects.get(pk=stated.pk)


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_believe_a_file(role: str, waiting_file: Statement) -> None:
    client, address = at_desk(role), f"{STATEMENTS}{waiting_file.pk}/"
    shown = client.get(f"{address}change/")
    page = words_of(shown)
    assert shown.status_code == (200 if role in MAY_SEE else 403)
    assert ('id="belief"' in page) == (role in MAY_SEE)
    assert ('data-action="believe"' in page) == (role in MAY_WORK)
    if role in MAY_SEE:
        for told in (
            "Waits to be believed: 1 line, KES 1,500",
            "achieng uploaded it on",
            "UKN4AB12CD",
            "file/",
        ):
            assert told in page
    seen = manual.what_waits(waiting_file).seen
    answer = client.post(f"{address}believe/", {"seen": seen})
    assert answer.status_code == (302 if role in MAY_WORK else 403)
    line = StatementLine.objects.get(receipt="UKN4AB12CD")
    assert (line.attempt is not None, line.believed_by) == ((True, role) if role in MAY_WORK else (False, ""))


def test_whoever_uploaded_it_is_told_that_another_must_believe_it(waiting_file: Statement) -> None:
    client, address = at_desk("supervisor", "achieng"), f"{STATEMENTS}{waiting_file.pk}/"
    page = words_of(client.get(f"{address}change/"))
    assert 'data-action="believe"' not in page
    assert "A second person must believe this file: you uploaded it yourself" in page
    answer = client.post(f"{address}believe/", {"seen": manual.what_waits(waiting_file).seen}, follow=True)
    assert "A second person must believe this file" in words_of(answer)
    assert StatementLine.objects.filter(believed_at=None).count() == 2
    assert client.get(f"{address}believe/").status_code == 405


def test_what_waits_is_a_group_of_its_own_and_a_filter_of_the_lines(waiting_file: Statement) -> None:
    client = at_desk("supervisor")
    found = desk.compare(waiting_file)
    assert [(each.key, each.count) for each in found.groups if each.tone == "warn"] == [
        ("belief", 1),
        ("theirs", 1),
    ]
    assert (found.theirs, found.agrees) == (1507, False)
    page = words_of(client.get(f"{STATEMENTS}{waiting_file.pk}/change/?group=belief"))
    assert "november.csv</a>" in page
    assert "uploaded by achieng" in page
    listed = words_of(client.get(f"{LINES}?waits=1"))
    assert "UKN4AB12CD" in listed
    assert "UKN4AB12CX" not in listed
    line = StatementLine.objects.get(receipt="UKN4AB12CD")
    assert f"{waiting_file.pk}/change/#belief" in words_of(client.get(f"{LINES}{line.pk}/change/"))


def test_the_history_names_uploader_and_believer_file_and_line(waiting_file: Statement) -> None:
    client = at_desk("supervisor", "barasa")
    seen = manual.what_waits(waiting_file).seen
    answer = client.post(f"{STATEMENTS}{waiting_file.pk}/believe/", {"seen": seen}, follow=True)
    assert "Believed: 1 line counts now." in words_of(answer)
    line = StatementLine.objects.get(receipt="UKN4AB12CD")
    story = words_of(client.get(f"/admin/payments/mpesatransaction/{line.attempt_id}/change/"))
    assert "The M-PESA statement, uploaded by achieng, believed by barasa" in story
    assert f"Evidence: november.csv, row {line.row}" in story
    assert "barasa" in words_of(client.get(f"{LINES}{line.pk}/change/"))
