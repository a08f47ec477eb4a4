"""Each fact stands twice, for a row in hand and for a query: said of any row, on any database, both are the same."""

import inspect
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders.models import Order
from payments.daraja import RESULTS
from payments.facts import asking, attention, line, money, order, receipt, statement
from payments.models import MpesaTransaction, Posting, Receipt, Statement, StatementLine
from payments.states import State

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)

Fact = Callable[[Any], bool]

# the fact, the query, and whether it depends on the clock
TWINS: dict[str, tuple[Fact, Q]] = {
    "is_live": (asking.is_live, asking.IS_LIVE),
    "came_to_nothing": (asking.came_to_nothing, asking.CAME_TO_NOTHING),
    "has_failed": (asking.has_failed, asking.HAS_FAILED),
    "has_expired": (asking.has_expired, asking.HAS_EXPIRED),
    "is_unknown": (asking.is_unknown, asking.IS_UNKNOWN),
    "is_idle": (lambda row: asking.is_idle(row, now=NOW), asking.idle_at(NOW)),
    "is_on_phone": (lambda row: asking.is_on_phone(row, now=NOW), asking.on_phone_at(NOW)),
    "is_overdue": (lambda row: asking.is_overdue(row, now=NOW), asking.overdue_at(NOW)),
    "is_stale": (lambda row: asking.is_stale(row, now=NOW), asking.stale_at(NOW)),
    "is_followed_up": (lambda row: asking.is_followed_up(row, now=NOW), asking.followed_up_at(NOW)),
    "is_watched": (asking.is_watched, asking.IS_WATCHED),
    "is_unasked": (lambda row: asking.is_unasked(row, now=NOW), asking.unasked_at(NOW)),
    "keeps_order_open": (lambda row: order.keeps_order_open(row, now=NOW), order.keeps_open_at(NOW)),
    "never_rang": (asking.never_rang, asking.NEVER_RANG),
    "was_refused": (asking.was_refused, asking.WAS_REFUSED),
    "has_thin_ending": (asking.has_thin_ending, asking.HAS_THIN_ENDING),
    "is_paid": (money.is_paid, money.IS_PAID),
    "amount_is_unknown": (money.amount_is_unknown, money.AMOUNT_IS_UNKNOWN),
    "is_booked": (money.is_booked, money.IS_BOOKED),
    "is_refunded": (money.is_refunded, money.IS_REFUNDED),
    "is_settled": (money.is_settled, money.IS_SETTLED),
    "is_decided": (money.is_decided, money.is_decided_sql()),
    "came_and_went": (money.came_and_went, money.CAME_AND_WENT),
    "amount_in_doubt": (money.amount_in_doubt, money.AMOUNT_IN_DOUBT),
    "is_refund_due": (money.is_refund_due, money.IS_REFUND_DUE),
    "receipt_awaited": (money.receipt_awaited, money.RECEIPT_AWAITED),
    "is_wrong_amount": (money.is_wrong_amount, money.IS_WRONG_AMOUNT),
    "is_unpriced": (money.is_unpriced, money.IS_UNPRICED),
    "is_given_up": (asking.is_given_up, asking.IS_GIVEN_UP),
    "is_late_success": (money.is_late_success, money.IS_LATE_SUCCESS),
    "has_open_question": (money.has_open_question, money.HAS_OPEN_QUESTION),
    **{f"reason {reason.key}": (reason.is_so, reason.applies) for reason in attention.REASONS},
}

# what has no twin, and why
OF_ONE_ROW = {
    "may_be_replaced",  # depends on what this request has asked about
    "is_too_young_to_replace",  # only ever of the one attempt that is in the way
    "is_certain",  # only ever of the one that was asked about
    "left_kes",  # only ever of one payment
    "held_kes",  # its twin is an expression: below
    "received_kes",
    "agrees_with",  # of a line and its attempt: below
    "agrees_sql",
    "reasons_of",
    "order_is_paid",  # below
    "order_is_over",
    "is_part_paid",
    "got_nothing",
    "has_outlived",
    "is_ended",
    "is_of_the_till",
    "stands",
    "is_unclaimed",
    "is_due_without_request",
    "was_reversed_unseen",
    "left_undecided",
    "is_to_send_back",
    # builders of twins
    "idle_at",
    "on_phone_at",
    "overdue_at",
    "stale_at",
    "followed_up_at",
    "unasked_at",
    "keeps_open_at",
    "outlived_at",
    "ended_at",
    "held_sql",
    "is_decided_sql",
}

around_now = st.sampled_from(
    [NOW + timedelta(seconds=s) for s in (-90_000, -86_400, -300, -120, -90, -89, -1, 0, 1, 60)]
)
maybe = st.booleans()
CODES = (*RESULTS, "", "Unreachable", "404.001.03", "no such code")


@st.composite
def rows(draw: st.DrawFn) -> dict[str, Any]:
    """Columns of an attempt, within what the database takes."""
    state = draw(st.sampled_from([*State, State.COMPLETED, State.COMPLETED]))
    paid = state is State.COMPLETED
    role = draw(st.sampled_from(["", "", "pays", "due", "unclaimed"])) if paid else ""
    pays, due = role == "pays", role == "due"
    refunded = paid and draw(maybe)
    return {
        "state": state,
        "created_at": draw(around_now),
        "next_check_at": draw(st.none() | around_now),
        "last_check_at": draw(st.none() | around_now),
        "concluded_at": draw(st.none() | around_now),
        "checkout_request_id": draw(st.none() | st.just("ws_CO_")),
        "result_code": draw(st.sampled_from(CODES)),
        "receipt": draw(st.none() | st.just("R")),
        "amount_kes": 10,
        "received_kes": draw(st.none() | st.sampled_from([0, 9, 10])),
        "amount_differs": draw(maybe),
        "pays_order": pays,
        "refund_due": due,
        "unclaimed": role == "unclaimed",
        "due_cents": 1000 if due and not refunded else 0,
        "refunded_at": NOW if refunded else None,
        "refunded_kes": 10 if refunded else None,
        "reviewed_at": draw(st.none() | st.just(NOW)),
        "unpriced": draw(maybe),
        "came_late": draw(maybe),
        "given_up_at": draw(st.none() | st.just(NOW)),
    }


def store(columns: list[dict[str, Any]]) -> list[MpesaTransaction]:
    found = []
    for n, row in enumerate(columns, start=1):
        placed = Order.objects.create(
            code=f"DK{n:08}", token=f"t{n}", client_reference=f"C{n}", total_kes=10, is_priced=False, created_at=NOW
        )  # fmt: skip
        unique = {
            "checkout_request_id": row["checkout_request_id"] and f"ws_CO_{n}",
            "receipt": row["receipt"] and f"R{n}",
            "refund_reference": f"F{n}" if row["refunded_at"] else None,
        }
        found.append(
            MpesaTransaction(
                order=placed, public_id=f"pay_{n}", phone_hash="h", callback_token_hash=f"h{n}",
                channel="CustomerPayBillOnline", **{**row, **unique},
            )
        )  # fmt: skip
    return MpesaTransaction.objects.bulk_create(found)


@pytest.mark.django_db
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(columns=st.lists(rows(), min_size=8, max_size=24))
def test_the_row_and_the_database_agree(columns: list[dict[str, Any]]) -> None:
    with transaction.atomic():
        stored = store(columns)
        told = {}
        for name, (fact, query) in TWINS.items():
            by_database = set(MpesaTransaction.objects.filter(query).values_list("public_id", flat=True))
            told[name] = (by_database, {row.public_id for row in stored if fact(row)})
        held = dict(MpesaTransaction.objects.values_list("public_id", money.held_sql()))
        transaction.set_rollback(True)
    assert {name for name, (by_database, by_row) in told.items() if by_database != by_row} == set()
    assert held == {row.public_id: money.held_kes(row) for row in stored}


@pytest.mark.django_db
def test_each_fact_is_true_of_some_row_and_false_of_another() -> None:
    """So that no twin agrees by being empty."""
    seen: dict[str, set[bool]] = {name: set() for name in TWINS}

    @settings(deadline=None, max_examples=800, database=None)
    @given(row=rows())
    def draw(row: dict[str, Any]) -> None:
        for name, (fact, _) in TWINS.items():
            seen[name].add(bool(fact(MpesaTransaction(**row))))

    draw()
    assert {name for name, values in seen.items() if values != {True, False}} == set()


@pytest.mark.parametrize(
    "room", [asking, money, attention, order, receipt, statement], ids=lambda room: room.__name__
)
def test_every_fact_has_a_twin_or_a_reason_to_have_none(room: Any) -> None:
    mine = {
        name
        for name, each in inspect.getmembers(room, inspect.isfunction)
        if each.__module__ == room.__name__ and not name.startswith("_")
    }
    assert mine - set(TWINS) - OF_ONE_ROW == set()


ORDERS: dict[str, tuple[Fact, Q]] = {
    "order_is_paid": (order.order_is_paid, order.ORDER_IS_PAID),
    "order_is_over": (order.order_is_over, order.ORDER_IS_OVER),
    "is_part_paid": (order.is_part_paid, order.IS_PART_PAID),
}


@pytest.mark.django_db
def test_an_order_and_the_database_agree() -> None:
    told: dict[str, set[bool]] = {name: set() for name in ORDERS}
    sums = [("open", 0, 0), ("open", 400, 0), ("open", 400, 400), ("paid", 1000, 0), ("refunded", 1000, 1000)]
    for number, (state, received, returned) in enumerate(sums):
        placed = Order.objects.create(
            code=f"DK{number}", token=f"t{number}", total_kes=10, is_priced=True, created_at=NOW, state=state,
            paid_at=None if state == "open" else NOW, received_cents=received, returned_cents=returned,
        )  # fmt: skip
        for name, (fact, query) in ORDERS.items():
            by_database = Order.objects.filter(query, pk=placed.pk).exists()
            assert fact(placed) == by_database, (name, state, received, returned)
            told[name].add(by_database)
    assert {name for name, values in told.items() if values != {True, False}} == set()


# --- receipts and refunds -------------------------------------------------------------------------------

RECEIPTS: dict[str, tuple[Fact, Q]] = {
    "is_unclaimed": (receipt.is_unclaimed, receipt.IS_UNCLAIMED),
    "is_due_without_request": (receipt.is_due_without_request, receipt.IS_DUE_WITHOUT_REQUEST),
    "was_reversed_unseen": (receipt.was_reversed_unseen, receipt.WAS_REVERSED_UNSEEN),
    "left_undecided": (receipt.left_undecided, receipt.LEFT_UNDECIDED),
}


@pytest.mark.django_db
def test_a_receipt_and_the_database_agree() -> None:
    told: dict[str, set[bool]] = {name: set() for name in RECEIPTS}
    (attempt,) = store([dict(next(iter(_plain_rows())))])
    ways = itertools.product(
        (("in", "payment"), ("in", "reversal"), ("out", "payment"), ("out", "reversal"), ("out", "other")),
        (("mpesa:1", "undecided"), ("undecided", "mpesa:1"), None),
        ((None, None), (NOW, None), (None, NOW)),
        ((0, 0, None), (5, 0, None), (0, 5, None), (5, 5, attempt)),
    )
    for number, ((direction, kind), accounts, (reviewed, voided), (unclaimed, due, of)) in enumerate(ways):
        each = Receipt.objects.create(
            code=f"R{number}", direction=direction, kind=kind, amount_cents=10, short_code="1", told_at=NOW,
            told_by="statement",
            reviewed_at=reviewed, voided_at=voided, unclaimed_cents=unclaimed, due_cents=due, attempt=of,
        )  # fmt: skip
        if accounts:
            Posting.objects.create(
                ref=f"p{number}", at=NOW, debit=accounts[0], credit=accounts[1], amount_cents=10, code="left",
                receipt=each,
            )  # fmt: skip
        for name, (fact, query) in RECEIPTS.items():
            by_database = Receipt.objects.filter(query, pk=each.pk).count()
            assert fact(each) == by_database, (name, direction, kind, accounts)
            told[name].add(bool(by_database))
    assert {name for name, values in told.items() if values != {True, False}} == set()


def _plain_rows() -> list[dict[str, Any]]:
    return [
        {
            "checkout_request_id": None,
            "receipt": None,
            "refunded_at": None,
            "created_at": NOW,
            "amount_kes": 10,
        }
    ]


# --- statements -----------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("attempts", [[], [0], [1], [0, 1]], ids=["none", "quiet", "live", "both"])
def test_the_row_and_the_database_agree_on_which_orders_have_ended(attempts: list[int]) -> None:
    life = timedelta(hours=48)
    states = [State.FAILED, State.PENDING]
    sums = [(0, 0), (500, 0), (500, 500), (1000, 0)]
    ages = [timedelta(0), life - timedelta(seconds=1), life, timedelta(days=200)]
    cases = list(itertools.product([Order.State.OPEN, Order.State.PAID], sums, ages))
    for number, (state, (received, returned), age) in enumerate(cases):
        paid_at = NOW if state == Order.State.PAID else None
        placed = Order.objects.create(
            code=f"DK{number}", token=f"t{number}", total_kes=10, is_priced=True, created_at=NOW - age, state=state,
            paid_at=paid_at, received_cents=received, returned_cents=returned,
        )  # fmt: skip
        MpesaTransaction.objects.bulk_create(
            MpesaTransaction(
                order=placed, public_id=f"pay_{number}_{kind}", phone_hash="h", callback_token_hash=f"h{number}_{kind}",
                state=states[kind], amount_kes=10, created_at=placed.created_at, channel="CustomerPayBillOnline",
            )
            for kind in attempts
        )  # fmt: skip
    every = MpesaTransaction.objects.all()
    by_database = set(Order.objects.filter(order.ended_at(NOW, life=life, attempts=every)))
    by_row = {
        each for each in Order.objects.all() if order.is_ended(each, each.attempts.all(), life=life, now=NOW)
    }
    assert by_row == by_database
    assert len(by_row) == (0 if 1 in attempts else 4)  # nothing came or all went back, at 48 hours and after
    got_nothing = {each for each in Order.objects.all() if order.got_nothing(each)}
    assert set(Order.objects.filter(order.GOT_NOTHING)) == got_nothing


@pytest.mark.django_db
@pytest.mark.parametrize("received", [None, 9, 10])
@pytest.mark.parametrize("paid_in", ["9", "10", "10.50"])
def test_a_line_agrees_with_its_payment_or_not(received: int | None, paid_in: str) -> None:
    (attempt,) = store([dict(_plain_rows()[0]) | {"received_kes": received}])
    stated = Statement.objects.create(
        sha256="s", file_name="f", uploaded_by="akinyi", uploaded_at=NOW, lines_in_file=1,
        period_from=NOW, period_to=NOW,
    )  # fmt: skip
    StatementLine.objects.create(
        statement=stated, row=1, kind="payment", receipt="R", completed_at=NOW, paid_in=Decimal(paid_in), money_in=True,
        attempt=attempt,
    )  # fmt: skip
    agrees = money.agrees_with(attempt, Decimal(paid_in))
    assert agrees is (paid_in == "10" and received != 9)
    assert StatementLine.objects.filter(money.agrees_sql("paid_in", "attempt__")).exists() is agrees


@pytest.mark.django_db
@pytest.mark.parametrize("waits", [None, NOW])
@pytest.mark.parametrize("believed", [None, NOW])
@pytest.mark.parametrize("match", ["", "receipt"])
@pytest.mark.parametrize("held", [None, (False, 5), (False, 0), (True, 5)])
def test_a_line_waits_to_be_believed_or_not(
    waits: datetime | None, believed: datetime | None, match: str, held: tuple[bool, int] | None
) -> None:
    """`held`: whether its receipt is a payment's, and how much of it is nobody's."""
    (attempt,) = store([_plain_rows()[0]])
    stated = Statement.objects.create(
        sha256="s", file_name="f", uploaded_by="akinyi", uploaded_at=NOW, lines_in_file=1,
        period_from=NOW, period_to=NOW,
    )  # fmt: skip
    booked = held and Receipt.objects.create(
        code="R", direction="in", kind="payment", amount_cents=5, short_code="1", told_by="statement", told_at=NOW,
        attempt=attempt if held[0] else None, unclaimed_cents=held[1],
    )  # fmt: skip
    it = StatementLine.objects.create(
        statement=stated, row=1, kind="payment", receipt="R", completed_at=NOW, paid_in=5, money_in=True,
        waits_since=waits, believed_at=believed, match=match, booked_as=booked,
    )  # fmt: skip
    is_nobodys = held in (None, (False, 5))
    assert line.line_waits(it) is (waits is not None and believed is None and match == "" and is_nobodys)
    assert StatementLine.objects.filter(line.LINE_WAITS).exists() is line.line_waits(it)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("", True),
        ("Utility Account", True),
        ("MERCHANT ACCOUNT", True),
        ("Organization Settlement Account", False),
        ("Charges Paid Account", False),
    ],
)
def test_a_statement_is_of_the_till_or_not(account: str, said: bool) -> None:
    of_it = Statement.objects.create(
        sha256="s", file_name="f", uploaded_by="akinyi", uploaded_at=NOW, account=account, period_from=NOW,
        period_to=NOW, lines_in_file=0,
    )  # fmt: skip
    assert statement.is_of_the_till(of_it) is said
    assert Statement.objects.filter(statement.IS_OF_THE_TILL).exists() is said


@pytest.mark.django_db
@pytest.mark.parametrize("voided", [None, NOW])
@pytest.mark.parametrize("match", ["", "booked", "void"])
def test_a_line_stands_or_not_and_is_in_the_book_or_not(voided: datetime | None, match: str) -> None:
    stated = Statement.objects.create(
        sha256="s", file_name="f", uploaded_by="akinyi", uploaded_at=NOW, period_from=NOW, period_to=NOW,
        lines_in_file=1, voided_at=voided,
    )  # fmt: skip
    it = StatementLine(
        statement=stated, row=1, kind="payment", receipt="R", completed_at=NOW, paid_in=5, money_in=True,
        voided_at=voided, match="void" if voided else match,
    )  # fmt: skip
    it.save()
    for row, model in ((stated, Statement), (it, StatementLine)):
        assert statement.stands(row) is (voided is None)
        assert model.objects.filter(statement.STANDS).exists() is statement.stands(row)
    assert line.line_is_booked(it) is (it.match == "booked")
    assert StatementLine.objects.filter(line.LINE_IS_BOOKED).exists() is line.line_is_booked(it)


def test_what_was_received_is_not_said_where_it_is_in_doubt() -> None:
    doubted = MpesaTransaction(amount_kes=10, amount_differs=True, received_kes=None)
    assert money.received_kes(doubted) is None
    assert money.received_kes(MpesaTransaction(amount_kes=10, amount_differs=True, received_kes=9)) == 9
    assert money.received_kes(MpesaTransaction(amount_kes=10, amount_differs=False, received_kes=None)) == 10
