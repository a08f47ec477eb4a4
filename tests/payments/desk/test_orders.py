"""Orders in the desk: found, read in words, with every shilling accounted for; nobody changes one."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from orders.models import Mix, Order
from orders.services import place_order
from payments import callbacks, ledger, manual
from payments.checkout import push, wanted
from payments.desk.orders import figures
from payments.desk.orders.parts import parts
from payments.ledger import Source, Update, record
from payments.models import MpesaTransaction, Posting, Receipt
from payments.states import Event
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.fake_daraja import OTIENO, WANJIRU, FakeDaraja
from tests.support.payments.ordering import many_orders, place
from tests.support.payments.paying import called_back, pay
from tests.support.payments.stating import reversal, row, row_of, state

Click = Callable[..., MpesaTransaction]
ORDERS = "/admin/orders/order/"


@pytest.fixture
def answer(safaricom: FakeDaraja, clock: Clock) -> Callable[[Any], None]:
    """Safaricom's callback for the newest request."""

    def post(body: Any) -> None:
        raw = json.dumps(body).encode()
        callbacks.receive_callback(token=safaricom.last_token, body=raw, source_address=None, now=clock())

    return post


Answer = Callable[[Any], None]


@pytest.fixture
def two_mixes(mixes: list[Mix], safaricom: FakeDaraja, clock: Clock) -> Order:
    """Wanjiru's order of two mixes for KES 2,500, asked for on her phone."""
    slugs = [mix.slug for mix in mixes[:2]]
    order = place_order(mix_slugs=slugs, now=clock(), email="Wanjiru@example.com")
    ask = wanted.Ask(msisdn=WANJIRU, amount_kes=2500, reference=order.code)
    push.request_payment(ask, clock=clock)
    return order


def sentence(order: Order) -> str:
    order.refresh_from_db()
    attempts = list(order.attempts.all())
    return figures.sentence(order, attempts, parts(order, attempts), items=order.items.count(), ended=False)


def money_of(order: Order) -> figures.Money:
    order.refresh_from_db()
    attempts = list(order.attempts.all())
    return figures.money(order, attempts, parts(order, attempts))


def page_of(order: Order, browser: Client) -> str:
    answer = browser.get(f"{ORDERS}{order.pk}/change/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_order_that_waits_says_what_is_owed(two_mixes: Order) -> None:
    assert sentence(two_mixes) == (
        "KES 2,500 for 2 mixes, not paid; KES 2,500 is owed. A request to 2547••••5678 is under way."
    )


def test_a_paid_order_is_told_in_one_sentence(two_mixes: Order, answer: Answer) -> None:
    answer(success(amount=2500))
    assert sentence(two_mixes) == (
        "KES 2,500 for 2 mixes, paid on 23 Nov 2026, 18:00:12 with receipt UKN4AB12CD; nothing is owed."
    )


def test_a_cancelled_request_leaves_the_order_owed(two_mixes: Order, answer: Answer) -> None:
    answer(failure())
    assert sentence(two_mixes) == (
        "KES 2,500 for 2 mixes, not paid; KES 2,500 is owed. "
        "The last request came to nothing: cancelled by the user."
    )


def test_an_order_nobody_was_asked_for_says_so(mixes: list[Mix], clock: Clock) -> None:
    order = place_order(mix_slugs=[mixes[0].slug], now=clock())
    assert sentence(order) == (
        "KES 1,500 for 1 mix, not paid; KES 1,500 is owed. No payment request was sent for it."
    )


def test_an_order_of_another_page_says_where_its_amount_came_from(click: Click) -> None:
    assert sentence(click().order).startswith("KES 1,500 for what a web page named CART1, not paid;")


@pytest.fixture
def paid_twice(click: Click, answer: Answer, clock: Clock) -> Order:
    """A first request that came to nothing, a second that was paid, and then the first was paid all the same."""
    first = click()
    answer(failure())
    clock.advance(minutes=3)
    second = click()
    for attempt, receipt in ((second, "UKN4AB12CD"), (first, "UKN4ZZ99ZZ")):
        late = Update(event=Event.CONFIRMED, source=Source.CALLBACK, receipt=receipt)
        record(attempt.pk, late, now=clock.advance(seconds=5))
    return first.order


def test_money_that_came_twice_is_due_back_until_its_refund_is_recorded(
    paid_twice: Order, clock: Clock
) -> None:
    told_of = money_of(paid_twice)
    assert (told_of.received, told_of.due_back, told_of.sent_back) == (300_000, 150_000, 0)
    assert sentence(paid_twice).endswith("nothing is owed. KES 1,500 more came for it and must be sent back.")
    spare = paid_twice.attempts.get(refund_due=True)
    manual.record_refund(
        spare.pk, reference="UKP1", amount_kes=1500, reason="twice", by="kraph", now=clock.advance(hours=1)
    )
    after = money_of(paid_twice)
    assert (after.received, after.due_back, after.sent_back) == (300_000, 0, 150_000)
    assert sentence(paid_twice).endswith("nothing is owed. KES 1,500 was sent back.")


# --- in parts, and back again -------------------------------------------------------------------------------


def test_a_part_paid_order_says_what_is_still_to_pay(db: None, clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, order.code)], clock)
    assert sentence(order) == (
        "KES 1,000 for 1 mix, part paid: KES 400 came, KES 600 still to pay. No payment request was sent for it."
    )
    viewer = at_desk("viewer")
    for shown in (page_of(order, viewer), viewer.get(ORDERS).content.decode()):
        assert "Part paid" in shown
        assert "KES\xa0600" in shown or "KES 600" in shown


def test_parts_with_and_without_a_request_pay_it_and_each_is_shown(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, order.code)], clock)
    pay(click, safaricom, clock, amount=600, reference=order.code)
    assert sentence(order) == (
        "KES 1,000 for 1 mix, paid in 2 parts, the last on 23 Nov 2026, 18:01:00; nothing is owed."
    )
    shown = page_of(order, at_desk("viewer"))
    for part in parts(order, list(order.attempts.all())):
        assert part.became == "All of it is the order's."
        assert f"/admin/payments/receipt/{part.receipt.pk}/change/" in shown


def test_what_is_more_than_the_total_is_due_back_whatever_brought_it(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    click(amount=1000, reference=order.code)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 400, order.code)], clock)
    called_back(safaricom, clock, amount=1000)
    assert sentence(order).endswith("nothing is owed. KES 400 more came for it and must be sent back.")
    told = money_of(order)
    assert (told.received, told.due_back, told.own) == (140_000, 40_000, 100_000)
    second = parts(order, list(order.attempts.all()))[1]
    assert second.became == "KES 600 is the order's, KES 400 is to be sent back."


def test_money_too_much_that_no_request_asked_for_needs_a_person(db: None, clock: Clock) -> None:
    order = place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1300, order.code)], clock)
    shown = page_of(order, at_desk("viewer"))
    assert "KES 300 of receipt UKN8AB12CD must be sent back." in shown
    assert "To send back" in shown


def test_an_order_of_which_all_went_back_says_so(click: Click, safaricom: FakeDaraja, clock: Clock) -> None:
    order = place(clock)
    attempt = pay(click, safaricom, clock, amount=1000, reference=order.code)
    state([row_of(attempt), reversal(clock.advance(minutes=9), "UKN4AB12CD", 1000)], clock)
    assert sentence(order) == (
        "KES 1,000 for 1 mix, paid once, and all of it went back; nothing is owed. "
        "Safaricom gave KES 1,000 back to the buyer."
    )
    assert page_of(order, at_desk("viewer")).count("All of it was given back by Safaricom.") == 1


def test_an_order_whose_money_was_sent_back_is_over(
    click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    order = place(clock)
    attempt = pay(click, safaricom, clock, amount=1000, reference=order.code)
    manual.record_refund(
        attempt.pk, reference="UKP1", amount_kes=1000, reason="wrong", by="kraph", now=clock()
    )
    assert sentence(order).endswith("nothing is owed. KES 1,000 was sent back.")
    assert money_of(order).own == 0


def test_money_claimed_in_parts_is_each_orders_own_share(db: None, clock: Clock) -> None:
    first, second = place(clock), place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 1700, "WANJIRU")], clock)
    claim = Receipt.objects.get().pk
    for order, cents in ((first, 100_000), (second, 70_000)):
        ledger.claim(claim, order_id=order.pk, order_code=order.code, cents=cents, now=clock())
    assert (money_of(first).own, money_of(second).own) == (100_000, 70_000)
    assert parts(first, [])[0].became == "KES 1,000 is the order's, KES 700 is elsewhere."
    assert "part paid: KES 700 came, KES 300 still to pay" in sentence(second)
    viewer = at_desk("viewer")
    assert listed(viewer, {"q": "ukn8ab12cd"}) == {first.code, second.code}


def test_a_wrong_amount_leaves_the_order_owed_and_waits_for_a_person(
    click: Click, answer: Answer, clock: Clock
) -> None:
    attempt = click()
    answer(success(amount=1000))
    record(attempt.pk, Update(event=Event.CONFIRMED, source=Source.QUERY, code="0"), now=clock())
    order = attempt.order
    told_of = money_of(order)
    assert (told_of.owed, told_of.undecided, told_of.received, told_of.in_doubt) == (150_000, 0, 0, 1)
    assert "how much is not known yet: a person must decide on it." in sentence(order)
    viewer = at_desk("viewer")
    assert "Not known yet" in page_of(order, viewer)
    assert "Not known yet" in viewer.get(ORDERS).content.decode()


def test_the_page_shows_items_payments_money_and_flags(paid_twice: Order, two_mixes: Order) -> None:
    viewer = at_desk("viewer")
    page = page_of(paid_twice, viewer)
    for words in (
        "Refund due",
        "UKN4AB12CD",
        "UKN4ZZ99ZZ",
        "Due back to the buyer",
        "have Safaricom send it back",
    ):
        assert words in page, words
    assert "Nairobi After Dark" in page_of(two_mixes, viewer)
    assert two_mixes.token not in page_of(two_mixes, viewer)


def test_the_list_shows_the_same_flags(paid_twice: Order, two_mixes: Order) -> None:
    listing = at_desk("viewer").get(ORDERS).content.decode()
    assert "Refund due" in listing
    assert "what a web page named CART1" in listing
    assert "2 mixes" in listing


@pytest.mark.parametrize("by", ["code", "CART1", "wanjiru@EXAMPLE.com", "UKN4AB12CD", "0712 345 678"])
def test_an_order_is_found_by_what_a_caller_can_say(
    by: str, two_mixes: Order, click: Click, answer: Answer, clock: Clock
) -> None:
    if by in ("CART1", "UKN4AB12CD"):
        clock.advance(minutes=3)
        wanted, other = click(OTIENO).order, two_mixes
        answer(success(checkout_id="ws_CO_2"))
    else:
        wanted, other = two_mixes, click(OTIENO).order
    term = wanted.code.lower() if by == "code" else by
    found = at_desk("viewer").get(ORDERS, {"q": term}).content.decode()
    assert wanted.code in found
    assert other.code not in found


def listed(viewer: Client, query: dict[str, str]) -> set[str]:
    answer = viewer.get(ORDERS, query)
    assert answer.status_code == 200
    return {order.code for order in answer.context_data["cl"].result_list}


def test_orders_are_filtered_by_what_staff_look_for(
    paid_twice: Order, two_mixes: Order, clock: Clock
) -> None:
    viewer = at_desk("viewer")
    both, twice, mine = {paid_twice.code, two_mixes.code}, {paid_twice.code}, {two_mixes.code}
    assert listed(viewer, {}) == both
    assert listed(viewer, {"needs": "any"}) == twice
    assert listed(viewer, {"needs": "refund_due"}) == twice
    assert listed(viewer, {"needs": "unknown"}) == set()
    assert listed(viewer, {"priced": "yes"}) == mine
    assert listed(viewer, {"priced": "no"}) == twice
    assert listed(viewer, {"stands": "paid"}) == twice
    today = f"{clock():%Y-%m-%d}"
    assert listed(viewer, {"created_at_from": today, "created_at_to": today}) == both
    assert listed(viewer, {"created_at_to": f"{clock() - timedelta(days=1):%Y-%m-%d}"}) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{}, {"needs": "any"}, {"q": "DK"}], ids=["all", "filtered", "searched"])
def test_the_lists_queries_do_not_grow_with_its_rows(query: dict[str, str], clock: Clock) -> None:
    viewer = at_desk("viewer")
    counts = []
    for more in (3, 57):
        many_orders(more, clock())
        with CaptureQueriesContext(
            connection,
        ) as made:
            assert viewer.get(ORDERS, query).status_code == 200
        counts.append(len(made))
        assert not [sql["sql"] for sql in made if "COUNT(" in sql["sql"]]
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_the_pages_queries_do_not_grow_with_its_payments(
    click: Click, answer: Answer, clock: Clock, settings: Any
) -> None:
    settings.UNPAID_PROMPTS_PER_PHONE_A_DAY = 100
    viewer, order, counts = at_desk("viewer"), click().order, []
    for again in (3, 17):
        for _ in range(again):
            answer(failure(checkout_id=f"ws_CO_{order.attempts.count()}"))
            clock.advance(minutes=11)
            click()
        with CaptureQueriesContext(connection) as made:
            page_of(order, viewer)
        counts.append(len(made))
    assert counts[0] == counts[1]


@pytest.mark.django_db
def test_the_last_page_knows_that_it_is_the_last(clock: Clock) -> None:
    viewer = at_desk("viewer")
    many_orders(100, clock())
    first, second, beyond = (viewer.get(ORDERS, {"p": page}) for page in (1, 2, 3))
    assert 'rel="next"' in first.content.decode()
    assert 'rel="prev"' not in first.content.decode()
    assert 'rel="prev"' in second.content.decode()
    assert 'rel="next"' not in second.content.decode()
    assert beyond.status_code == 200
    assert 'rel="next"' not in beyond.content.decode()
    many_orders(1, clock())
    assert 'rel="next"' in viewer.get(ORDERS, {"p": 2}).content.decode()
    assert "9999999999" not in first.content.decode()


@pytest.mark.parametrize("role", ["viewer", "cashier", "supervisor", "auditor"])
def test_nobody_changes_an_order(role: str, two_mixes: Order) -> None:
    staff_member = at_desk(role)
    assert page_of(two_mixes, staff_member)
    assert staff_member.post(f"{ORDERS}{two_mixes.pk}/change/", {"state": "paid"}).status_code == 403
    assert staff_member.post(f"{ORDERS}{two_mixes.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff_member.get(f"{ORDERS}add/").status_code == 403


@pytest.mark.parametrize("odd", ["999999", "x", "99999999999999999999999", "1%00"])
def test_an_order_that_is_not_there_is_404(odd: str, db: None) -> None:
    assert at_desk("viewer").get(f"{ORDERS}{odd}/change/").status_code == 404


def test_an_order_says_how_it_stands_and_is_found_by_it(
    db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", clock)
    ended = place(clock)
    clock.advance(hours=49)
    fresh, part, paid = place(clock), place(clock), place(clock)
    rows = [row("UKN8AB12CD", clock.advance(minutes=1), 400, part.code)]
    state([*rows, row("UKN8AB12CE", clock(), 1000, paid.code)], clock)
    viewer = at_desk("viewer", "reader")
    for stands, order, says in (
        ("ended", ended, "Ended unpaid"),
        ("open", fresh, "Not paid"),
        ("part_paid", part, "Part paid"),
        ("paid", paid, "Paid"),
    ):
        assert listed(viewer, {"stands": stands}) == {order.code}
        page = viewer.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
        assert f">{says}<" in "".join(page.split("\n"))
        assert ("begins anew from the cart" in page) is (order == ended)
    assert listed(viewer, {"stands": "refunded"}) == set()


def test_a_receipt_of_two_orders_shows_each_its_own_refund(mixes: list[Mix], clock: Clock) -> None:
    """The share of one is sent back: the other's page knows nothing of it."""
    first, second = place(clock), place(clock)
    state([row("UKN8AB12CD", clock.advance(minutes=1), 3000, "WANJIRU")], clock)
    receipt = Receipt.objects.get()
    for order in (first, second):
        ledger.claim(receipt.pk, order_id=order.pk, order_code=order.code, cents=150_000, now=clock())
    at = clock.advance(minutes=1)
    told = {"reference": "UKP7RF00AA", "amount_kes": 1500, "reason": "Bought twice"}
    manual.refund_receipt(receipt.pk, **told, by="kraph", now=at)
    viewer = at_desk("viewer")
    debited = Posting.objects.get(code="refund_decided").debit
    for order in (first, second):
        page = viewer.get(f"{ORDERS}{order.pk}/change/").content.decode()
        assert ("UKP7RF00AA" in page) == debited.endswith(order.code)
