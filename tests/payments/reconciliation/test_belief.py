"""What only a file says pays nothing above the limit of its uploader's day, until a second person has believed the
file. What Safaricom has said itself is filled in at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from payments import attention, ledger, limits, manual, reconciliation
from payments.desk.day.agreement import agreement
from payments.desk.statements import comparison
from payments.facts import LINE_WAITS, line_waits
from payments.manual import ActionRefused, Claim, Settlement
from payments.models import MpesaTransaction, PaymentEvent, Receipt, Statement, StatementLine
from payments.reconciliation import importing, matching
from payments.reconciliation.allowance import Allowance
from tests.support.payments.book import balances
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.ordering import place
from tests.support.payments.paying import asked_and_paid, called_back, doubted, pay
from tests.support.payments.stating import line, matched, paid_now, row, row_of, state, taken_in
from tests.support.statements import sample

Click = Callable[..., MpesaTransaction]
MPESA = "mpesa:174379"
LARGE = 12_000


@pytest.fixture(autouse=True)
def _the_ledger_stays_whole(db: None) -> Any:
    yield
    assert [str(fault) for fault in ledger.faults()] == []


def waiting() -> list[str]:
    return list(StatementLine.objects.filter(LINE_WAITS).order_by("id").values_list("receipt", flat=True))


def believe(stated: Statement, clock: Clock, *, by: str = "otieno") -> reconciliation.Matched:
    seen = manual.what_waits(stated).seen
    return manual.believe(stated.pk, seen=seen, by=by, now=clock.advance(minutes=5))


def void(stated: Statement, clock: Clock) -> None:
    """Two people do."""
    decision = manual.void_statement(
        stated.pk, reason="It was a wrong file.", by="akinyi", now=clock()
    ).decision
    manual.confirm_settlement(decision.pk, by="otieno", now=clock())


def told(reason: str) -> list[tuple[str | None, str | None, int | None]]:
    found = [each for each in attention.rows(now=timezone.now()) if each.reason == reason]
    return [(each.order, each.receipt, each.cents and each.cents // 100) for each in found]


def failed(click: Click, safaricom: FakeDaraja, clock: Clock, **ask: Any) -> MpesaTransaction:
    attempt = click(**ask)
    called_back(safaricom, clock, code=1032)
    attempt.refresh_from_db()
    return attempt


# --- the case of an invented file -----------------------------------------------------------------------


def test_a_file_that_one_person_typed_pays_nothing_and_agrees_with_nothing(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    clock.now = clock.now.replace(day=25, hour=8, minute=50)
    wanted = failed(click, safaricom, clock, amount=200_000, reference="CART9")
    clock.advance(minutes=9, seconds=48)
    paid = click(reference="CART1")
    clock.advance(seconds=12)
    called_back(safaricom, clock, receipt="UKP1AB12CD")
    codes = {"CODE": wanted.account_reference, "CODE2": paid.account_reference}

    def brought(name: str, by: str) -> Statement:
        data = sample(name, **codes)
        stated = importing.import_file(data, file_name=name, by=by, now=clock.advance(hours=4)).statement
        matched(stated, clock)
        stated.refresh_from_db()
        return stated

    invented = brought("invented.csv", "akinyi")
    wanted.refresh_from_db()
    assert (wanted.state, wanted.order.state, wanted.order.received_cents) == ("failed", "open", 0)
    assert (balances()[MPESA], balances()["unclaimed"]) == (201_500, 200_000)
    assert told("belief") == [(wanted.account_reference, "UKP7AB12CD", 200_000)]
    assert told("unclaimed") == []
    kept = reconciliation.kept_file(invented)
    assert kept is not None
    assert kept.read_bytes() == sample("invented.csv", **codes)
    with pytest.raises(ActionRefused, match="A second person must believe this file: you uploaded it"):
        believe(invented, clock, by="akinyi")

    genuine = brought("genuine-same-day.csv", "otieno")
    absent = StatementLine.objects.filter(absent_from=genuine)
    assert [each.receipt for each in absent] == ["UKP7AB12CD"]
    assert "names receipt UKP7AB12CD, and this file does not" in genuine.warnings[0]
    for each in (invented, genuine):
        assert comparison.compare(each).agrees is False
    middle = line("UKP7AB12CD").completed_at
    day = agreement(middle - timedelta(hours=12), middle + timedelta(hours=11))
    assert (day.disputed_receipts, day.differs) == (["UKP7AB12CD"], True)
    assert "does not agree" in day.verdict
    with pytest.raises(ActionRefused, match="Meanwhile other lines wait"):
        believe(invented, clock)  # nobody believes what the genuine file lacks
    void(invented, clock)
    assert (balances(), waiting()) == ({MPESA: 1500, f"order:{paid.account_reference}": 1500}, [])


def test_a_second_person_believes_it_and_the_history_names_both_the_file_and_its_line(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click(amount=LARGE)
    stated = taken_in([row("UKN4AB12CC", clock(), 5, "X"), row_of(attempt)], clock)
    matched(stated, clock)
    assert waiting() == ["UKN4AB12CD"]
    waits = manual.what_waits(stated)
    assert (waits.lines, waits.cents, waits.disputed) == (1, 100 * LARGE, 0)
    assert believe(stated, clock).found_paid == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.receipt, attempt.pays_order) == ("completed", "UKN4AB12CD", True)
    assert balances() == {MPESA: LARGE + 5, f"order:{attempt.account_reference}": LARGE, "unclaimed": 5}
    facts = PaymentEvent.objects.filter(attempt=attempt).latest("number").facts
    assert (facts["by"], facts["confirmed_by"]) == ("akinyi", "otieno")
    assert facts["evidence"] == f"november.csv, row {line('UKN4AB12CD').row}"
    assert (told("belief"), waiting()) == ([], [])
    assert StatementLine.objects.exclude(alone_at=None).count() == 0


# --- every road on which a file alone would pay ---------------------------------------------------------


def _of_no_request(_click: Click, _safaricom: FakeDaraja, clock: Clock, settings: Any) -> Any:
    order = place(clock)
    settings.SETTLED_ALONE_UP_TO_KES = 900
    return row("UKN4AB12CD", clock(), 1000, order.code), order


def _of_an_open_request(click: Click, _safaricom: FakeDaraja, _clock: Clock, _settings: Any) -> Any:
    attempt = click(amount=LARGE)
    return row_of(attempt), attempt.order


def _of_a_failed_request(click: Click, safaricom: FakeDaraja, clock: Clock, _settings: Any) -> Any:
    attempt = failed(click, safaricom, clock, amount=LARGE)
    return row_of(attempt), attempt.order


def _more_than_the_callback_said(click: Click, safaricom: FakeDaraja, clock: Clock, _settings: Any) -> Any:
    attempt = paid_now(click, safaricom, clock, amount=10)
    return row_of(attempt, paid_in=LARGE), attempt.order


def _a_doubt_that_it_ends(click: Click, safaricom: FakeDaraja, clock: Clock, _settings: Any) -> Any:
    attempt = doubted(click, safaricom, clock, asked=LARGE, named=900)
    return row_of(attempt, receipt="UKN4AB12CD"), attempt.order


ROADS = (
    _of_no_request,
    _of_an_open_request,
    _of_a_failed_request,
    _more_than_the_callback_said,
    _a_doubt_that_it_ends,
)


@pytest.mark.parametrize("road", ROADS)
def test_on_no_road_a_file_alone_pays_above_the_limit(
    road: Any, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    it, order = road(click, safaricom, clock, settings)
    order.refresh_from_db()
    before = order.received_cents
    stated = taken_in([it], clock)
    for _ in range(2):
        assert matched(stated, clock).waiting == 1
        order.refresh_from_db()
        assert (order.received_cents, waiting()) == (before, ["UKN4AB12CD"])
        matching.begin_again(stated.pk)
    assert line_waits(StatementLine.objects.select_related("booked_as").get())
    believe(stated, clock)
    order.refresh_from_db()
    assert order.received_cents == 100 * it.paid_in
    assert (waiting(), Receipt.objects.filter(unclaimed_cents__gt=0).count()) == ([], 0)


@pytest.mark.parametrize("road", ROADS)
def test_below_the_limit_it_pays_at_once_and_counts_in_its_uploaders_day(
    road: Any, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    it, order = road(click, safaricom, clock, settings)
    order.refresh_from_db()
    before = order.received_cents
    settings.SETTLED_ALONE_UP_TO_KES = LARGE
    state([it], clock)
    order.refresh_from_db()
    assert (order.received_cents, waiting()) == (100 * it.paid_in, [])
    paid = limits.decided_alone_kes("akinyi", now=clock())
    assert paid == (order.received_cents - before) // 100


# --- what Safaricom has said itself ---------------------------------------------------------------------


def test_an_awaited_receipt_is_filled_in_at_once_whatever_its_amount(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click(amount=LARGE)
    asked_and_paid(attempt, safaricom, clock)
    assert state([row_of(attempt)], clock).receipts_learned == 1
    attempt.refresh_from_db()
    assert (attempt.receipt, waiting()) == ("UKN4AB12CD", [])
    assert limits.decided_alone_kes("akinyi", now=clock()) == 0


def test_an_amount_that_the_callback_named_too_is_believed_at_once(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = doubted(click, safaricom, clock, asked=20_000, named=LARGE)
    state([row_of(attempt, paid_in=LARGE)], clock)
    attempt.refresh_from_db()
    assert (attempt.receipt, attempt.order.received_cents, waiting()) == ("UKN4AB12CD", 100 * LARGE, [])


def test_a_callback_that_comes_while_it_waits_ends_the_waiting(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click(amount=LARGE)
    stated = taken_in([row_of(attempt)], clock)
    matched(stated, clock)
    called_back(safaricom, clock, amount=LARGE)
    assert (waiting(), told("belief")) == ([], [])
    assert balances() == {MPESA: LARGE, f"order:{attempt.account_reference}": LARGE}
    matching.begin_again(stated.pk)
    assert matched(stated, clock).by_receipt == 1


def test_what_a_query_confirms_while_it_waits_is_filled_in_without_anybody(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = click(amount=LARGE)
    stated = taken_in([row_of(attempt)], clock)
    matched(stated, clock)
    asked_and_paid(attempt, safaricom, clock)
    matching.begin_again(stated.pk)
    assert matched(stated, clock).receipts_learned == 1
    assert balances() == {MPESA: LARGE, f"order:{attempt.account_reference}": LARGE}
    assert waiting() == []


# --- one person's day -----------------------------------------------------------------------------------


def parts(clock: Clock, *kes: int) -> tuple[Any, list[Any]]:
    order = place(clock)
    stamp = f"{order.pk % 1000:03}"
    return order, [row(f"UKN8A{stamp}C{n}", clock(), each, order.code) for n, each in enumerate(kes)]


def received(order: Any) -> int:
    order.refresh_from_db()
    return int(order.received_cents // 100)


def bring(rows: list[Any], clock: Clock, *, by: str, name: str = "november.csv") -> Statement:
    stated = taken_in(rows, clock, name=name, holder=name)
    Statement.objects.filter(pk=stated.pk).update(uploaded_by=by)
    matched(stated, clock)
    return stated


def test_the_limit_is_summed_over_lines_and_files_of_a_day_in_nairobi(clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 500
    order, rows = parts(clock, 200, 200, 200)
    bring(rows, clock, by="akinyi")
    assert (received(order), len(waiting())) == (400, 1)
    other, rows = parts(clock, 101, 100)
    bring(rows, clock, by="akinyi", name="b.csv")
    assert (received(other), len(waiting())) == (100, 2)
    clock.now = clock.now.replace(hour=20, minute=59)  # one minute before Nairobi's midnight
    third, rows = parts(clock, 1)
    bring(rows, clock, by="akinyi", name="c.csv")
    assert received(third) == 0
    clock.advance(minutes=1)
    fourth, rows = parts(clock, 500)
    bring(rows, clock, by="akinyi", name="d.csv")
    assert received(fourth) == 500


@pytest.mark.parametrize(
    ("by", "has_room"), [("otieno", True), ("akinyi2", False), ("akinyi", False), ("the command line", True)]
)
def test_whose_day_it_is_the_e_mail_address_says(
    by: str, has_room: bool, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 500
    for name, email in (("akinyi", "akinyi@shop.ke"), ("akinyi2", " Akinyi@Shop.ke"), ("otieno", "")):
        User.objects.create(username=name, email=email, is_superuser=name == "akinyi")
    _, rows = parts(clock, 500)
    bring(rows, clock, by="akinyi")
    order, rows = parts(clock, 500)
    bring(rows, clock, by=by, name="b.csv")
    assert received(order) == (500 if has_room else 0)


def test_what_was_settled_by_hand_counts_in_the_same_day(click: Click, clock: Clock) -> None:
    attempt = click(amount=4500)
    clock.advance(minutes=10)
    manual.propose_settlement(
        attempt.pk, Settlement(receipt="UKN4AB12ZZ", amount_kes=4500, evidence="sms", reason="Read to me."),
        by="akinyi", now=clock(),
    )  # fmt: skip
    order, rows = parts(clock, 500, 1)
    bring(rows, clock, by="akinyi")
    assert (received(order), len(waiting())) == (500, 1)


def test_voiding_what_paid_gives_no_new_limit(clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 500
    _, rows = parts(clock, 500)
    stated = bring(rows, clock, by="akinyi")
    void(stated, clock)
    order, rows = parts(clock, 500)
    bring(rows, clock, by="akinyi", name="b.csv")
    assert received(order) == 0


@pytest.mark.parametrize("road", ROADS)
def test_where_another_file_was_quicker_the_limit_holds_in_the_transaction(
    road: Any, click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any, monkeypatch: Any
) -> None:
    it, order = road(click, safaricom, clock, settings)
    order.refresh_from_db()
    before = order.received_cents
    monkeypatch.setattr(Allowance, "covers", lambda *_given: True)
    state([it], clock)
    order.refresh_from_db()
    assert (order.received_cents, waiting()) == (before, ["UKN4AB12CD"])


# --- the second person ----------------------------------------------------------------------------------


@pytest.fixture
def waits(click: Click, clock: Clock) -> Statement:
    """A file of akinyi's with one line that waits."""
    attempt = click(amount=LARGE)
    stated = taken_in([row_of(attempt)], clock)
    matched(stated, clock)
    return stated


@pytest.mark.parametrize(
    ("by", "emails", "is_second"),
    [
        ("akinyi", ("", ""), False),
        ("otieno", ("", ""), True),
        ("otieno", ("akinyi@shop.ke", "otieno@shop.ke"), True),
        ("otieno", ("akinyi@shop.ke", "AKINYI@shop.ke "), False),
        ("otieno", ("akinyi@shop.ke", ""), True),
    ],
)
def test_who_is_a_second_person(
    by: str, emails: tuple[str, str], is_second: bool, waits: Statement, clock: Clock
) -> None:
    for name, email in zip(("akinyi", "otieno"), emails, strict=True):
        User.objects.create(username=name, email=email, is_superuser=True)
    if is_second:
        believe(waits, clock, by=by)
    else:
        with pytest.raises(ActionRefused, match="A second person must believe this file"):
            believe(waits, clock, by=by)
    assert waiting() == ([] if is_second else ["UKN4AB12CD"])


def test_only_what_was_seen_is_believed_and_once(waits: Statement, clock: Clock) -> None:
    with pytest.raises(ActionRefused, match="Meanwhile other lines wait"):
        manual.believe(waits.pk, seen="1-500000-1", by="otieno", now=clock())
    seen = manual.what_waits(waits).seen
    believe(waits, clock)
    with pytest.raises(ActionRefused, match="Meanwhile other lines wait"):
        manual.believe(waits.pk, seen=seen, by="wafula", now=clock())
    assert line("UKN4AB12CD").believed_by == "otieno"


def test_a_file_that_nobody_can_open_is_believed_by_nobody(waits: Statement, clock: Clock) -> None:
    kept = reconciliation.kept_file(waits)
    assert kept is not None
    kept.unlink()
    with pytest.raises(ActionRefused, match="The file itself is not kept any more"):
        believe(waits, clock)


def test_what_waits_is_attached_by_nobody_on_another_road(waits: Statement, clock: Clock) -> None:
    it = line("UKN4AB12CD")
    wanted = Claim(line_id=it.pk, target=it.account_no, reason="She told me so.")
    for by in ("akinyi", "otieno"):
        with pytest.raises(ActionRefused, match="This money waits to be believed"):
            manual.claim_receipt(wanted, by=by, now=clock())
    assert waiting() == ["UKN4AB12CD"]


def test_no_part_of_what_waits_is_placed_or_kept(waits: Statement, clock: Clock) -> None:
    it = Receipt.objects.get(code="UKN4AB12CD")
    for by in ("akinyi", "otieno"):
        with pytest.raises(ActionRefused, match="This money waits to be believed"):
            manual.place_part(
                it.pk, target=line(it.code or "").account_no, amount_kes=1, reason="Hers.", by=by, now=clock()
            )
        with pytest.raises(ActionRefused, match="This money waits to be believed"):
            manual.keep_part(it.pk, amount_kes=1, reason="Nobody's.", by=by, now=clock())
    assert balances() == {MPESA: LARGE, "unclaimed": LARGE}
    void(waits, clock)
    assert balances() == {}


def test_a_void_file_is_believed_by_nobody(waits: Statement, clock: Clock) -> None:
    void(waits, clock)
    assert (waiting(), balances()) == ([], {})
    with pytest.raises(ActionRefused, match="This statement is void"):
        believe(waits, clock)


def test_an_order_that_was_paid_meanwhile_gets_it_back(
    click: Click, safaricom: FakeDaraja, clock: Clock, settings: Any
) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    stated = taken_in([row("UKN8AB12CD", clock(), 1000, order.code)], clock)
    matched(stated, clock)
    pay(click, safaricom, clock, amount=1000, reference=order.code)
    believe(stated, clock)
    assert (received(order), order.returned_cents) == (2000, 100_000)
    assert Receipt.objects.get(code="UKN8AB12CD").due_cents == 100_000


def test_what_people_have_placed_meanwhile_stays_where_they_put_it(clock: Clock, settings: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 900
    order = place(clock)
    stated = taken_in([row("UKN8AB12CD", clock(), 1000, order.code)], clock)
    matched(stated, clock)
    ledger.keep(Receipt.objects.get().pk, cents=60_000, now=clock())
    assert believe(stated, clock).nobodys == 1
    assert balances() == {MPESA: 1000, "kept": 600, "unclaimed": 400}
    assert (received(order), waiting()) == (0, [])


def test_very_many_lines_are_believed_in_steps(clock: Clock, settings: Any, monkeypatch: Any) -> None:
    settings.SETTLED_ALONE_UP_TO_KES = 0
    order, rows = parts(clock, *[10] * 7)
    stated = taken_in(rows, clock)
    matched(stated, clock)
    assert len(waiting()) == 7
    monkeypatch.setattr("payments.manual.believing.AT_ONCE", 3)
    assert believe(stated, clock).booked == 3
    assert matched(stated, clock).booked == 4  # the worker, or the page of the matching
    assert (received(order), waiting()) == (70, [])
