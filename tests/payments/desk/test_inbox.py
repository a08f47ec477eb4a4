"""The callback inbox: every delivery in words, what to do about it, and who may do it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from payments import callbacks
from payments.daraja import CallbackUnreadable
from payments.desk.inbox import figures
from payments.gateway import token_hash
from payments.manual import actions
from payments.manual.actions import ActionRefused
from payments.models import PROBLEM_VERDICTS, CallbackDelivery, MpesaTransaction, PaymentEvent
from tests.support.payments.callback_bodies import success
from tests.support.payments.clock import Clock
from tests.support.payments.desk import ROLES, at_desk
from tests.support.payments.fake_daraja import OTIENO, WANJIRU, FakeDaraja
from tests.support.payments.paying import SAFARICOM, called_back, pay

Click = Callable[..., MpesaTransaction]
Verdict = CallbackDelivery.Verdict
INBOX = "/admin/payments/callbackdelivery/"
READERS = {"supervisor"}
MARKERS = {"cashier", "supervisor"}


def arrive(
    body: Any, clock: Clock, *, token: str = "f" * 48, source: str | None = "203.0.113.7"
) -> CallbackDelivery:
    """A post at our callback address; by default from a stranger, to an address that is none."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    callbacks.receive_callback(token=token, body=raw, source_address=source, now=clock())
    return CallbackDelivery.objects.latest("id")


@pytest.fixture
def forged(click: Click, clock: Clock) -> CallbackDelivery:
    """Somebody posts a success for Wanjiru's payment without its secret address."""
    click()
    return arrive(success(checkout_id="ws_CO_231120261800001712345678"), clock)


@pytest.fixture
def applied(click: Click, safaricom: FakeDaraja, clock: Clock) -> CallbackDelivery:
    pay(click, safaricom, clock)
    return CallbackDelivery.objects.latest("id")


@pytest.fixture
def misread(
    click: Click, safaricom: FakeDaraja, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> CallbackDelivery:
    """A success that a broken parser could not read. The parser is mended since."""
    click()

    def broken(_: object) -> None:
        raise CallbackUnreadable("a bug")

    with monkeypatch.context() as patched:
        patched.setattr("payments.callbacks.apply.read_callback", broken)
        called_back(safaricom, clock)
    return CallbackDelivery.objects.get()


def page_of(delivery: CallbackDelivery, browser: Client) -> str:
    answer = browser.get(f"{INBOX}{delivery.pk}/change/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def listed(browser: Client, query: dict[str, str]) -> set[int]:
    answer = browser.get(INBOX, query)
    assert answer.status_code == 200
    return {delivery.pk for delivery in answer.context_data["cl"].result_list}


# --- seen -----------------------------------------------------------------------------------------------


def test_every_verdict_has_words() -> None:
    assert set(figures.MEANINGS) == set(Verdict)
    for key, meaning in figures.MEANINGS.items():
        assert meaning.what.endswith(".")
        assert meaning.to_do.endswith(".")
        assert (meaning.tone in ("warn", "bad")) is (key in PROBLEM_VERDICTS), key


def test_a_good_callback_is_told_in_a_sentence(applied: CallbackDelivery) -> None:
    applied.refresh_from_db()
    code = MpesaTransaction.objects.get().account_reference
    assert figures.sentence(applied) == (
        f"It came on 23 Nov 2026, 18:00:00 from Safaricom's address {SAFARICOM} for order {code}. "
        "It says: paid, KES 1,500, receipt UKN4AB12CD."
    )
    page = page_of(applied, at_desk("viewer"))
    for words in ("Applied", "Safaricom&#x27;s address", "It was believed", "Nothing needs to be done", code):
        assert words in page, words


def test_a_forged_callback_says_what_to_do(forged: CallbackDelivery) -> None:
    page = page_of(forged, at_desk("viewer"))
    for words in ("Not an address of ours", "Another address", "203.0.113.7", "Needs a look", "deceive us"):
        assert words in page, words


def test_neither_list_nor_page_shows_what_is_private(
    forged: CallbackDelivery, applied: CallbackDelivery
) -> None:
    viewer = at_desk("supervisor")
    shown = viewer.get(INBOX).content.decode() + page_of(forged, viewer) + page_of(applied, viewer)
    private = (WANJIRU, WANJIRU[3:], token_hash("f" * 48), applied.token_hash, forged.checkout_request_id)
    assert [word for word in private if word in shown] == []


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"{", b'{"a":' * 3000, b"\xff\xfe\x00", b'"' + b"7" * 16_000], ids=range(6)
)
def test_a_page_opens_whatever_was_sent(body: bytes, clock: Clock, db: None) -> None:
    delivery = arrive(body, clock)
    page = page_of(delivery, at_desk("viewer"))
    assert "What it says can&#x27;t be read" in page
    assert "<html>" not in page.split('id="body"')[1]


def test_json_is_shown_over_several_lines_and_as_it_was_sent() -> None:
    sent = '{"Amount": 450.00,"Amount":1e2, "Item":[], "More":[{"x":"a, {b}"}]}'
    assert figures.indented(sent) == (
        '{\n  "Amount": 450.00,\n  "Amount": 1e2,\n  "Item": [],\n  "More": [\n    {\n'
        '      "x": "a, {b}"\n    }\n  ]\n}'
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(JSON, st.booleans())
def test_indenting_changes_nothing(data: Any, wide: bool) -> None:
    text = json.dumps(data, ensure_ascii=wide, indent=3 if wide else None)
    assert json.loads(figures.indented(text)) == data


# --- found ----------------------------------------------------------------------------------------------


def test_deliveries_are_filtered_and_found(
    forged: CallbackDelivery, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    clock.advance(days=1)
    otieno = pay(click, safaricom, clock, receipt="UKN4ZZ99ZZ", msisdn=OTIENO, reference="CART2")
    believed = CallbackDelivery.objects.latest("id")
    viewer = at_desk("viewer")
    assert listed(viewer, {}) == {forged.pk, believed.pk}
    assert listed(viewer, {"problem": "1"}) == {forged.pk}
    assert listed(viewer, {"verdict": "applied"}) == {believed.pk}
    assert listed(viewer, {"received_at_to": "2026-11-23"}) == {forged.pk}
    assert listed(viewer, {"received_at_from": "2026-11-24"}) == {believed.pk}
    for term in (otieno.account_reference, "UKN4ZZ99ZZ", otieno.checkout_request_id or "", "0798 765 432"):
        assert listed(viewer, {"q": term}) == {believed.pk}, term
    assert listed(viewer, {"q": "UKN0000000"}) == set()


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{}, {"problem": "1"}, {"q": "DK"}], ids=["all", "problems", "searched"])
def test_the_inboxs_queries_do_not_grow_with_its_rows(
    query: dict[str, str], click: Click, clock: Clock
) -> None:
    viewer, attempt, counts = at_desk("supervisor"), click(), []
    for more in (3, 57):
        CallbackDelivery.objects.bulk_create(
            CallbackDelivery(received_at=clock(), attempt=attempt, body="{}", verdict="wrong_id")
            for _ in range(more)
        )
        with CaptureQueriesContext(connection) as made:
            assert viewer.get(INBOX, query).status_code == 200
        counts.append(len(made))
        assert not [sql["sql"] for sql in made if "COUNT(" in sql["sql"]]
    assert counts[0] == counts[1]


# --- done about -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_read_one_once_more(role: str, misread: CallbackDelivery) -> None:
    browser = at_desk(role)
    shown = browser.get(f"{INBOX}{misread.pk}/change/").content.decode()
    answer = browser.post(f"{INBOX}{misread.pk}/read/", follow=True)
    misread.refresh_from_db()
    assert ('data-action="read"' in shown) is (role in READERS)
    if role in READERS:
        assert misread.verdict == Verdict.APPLIED
        assert "Read once more: applied." in answer.content.decode()
        assert PaymentEvent.objects.filter(kind="delivery_read", source="staff", facts__by=role).count() == 1
    else:
        assert answer.status_code == 403
        assert misread.verdict == Verdict.UNREADABLE


@pytest.mark.parametrize("role", [*ROLES, "nobody"])
def test_who_may_mark_a_problem_as_looked_at(role: str, forged: CallbackDelivery) -> None:
    browser = at_desk(role)
    shown = browser.get(f"{INBOX}{forged.pk}/change/").content.decode()
    answer = browser.post(f"{INBOX}{forged.pk}/looked-at/")
    forged.refresh_from_db()
    assert ('data-action="looked-at"' in shown) is (role in MARKERS)
    assert answer.status_code == (302 if role in MARKERS else 403)
    assert forged.reviewed_by == (role if role in MARKERS else "")
    if role in MARKERS:
        assert listed(browser, {"problem": "1"}) == set()
        assert "Needs a look" not in page_of(forged, browser)


@pytest.mark.parametrize("role", ["viewer", "cashier", "auditor"])
def test_many_are_read_only_by_who_may(role: str, misread: CallbackDelivery) -> None:
    browser = at_desk(role)
    assert "Read the selected ones" not in browser.get(INBOX).content.decode()
    chosen = {"action": "read_selected", "_selected_action": [misread.pk]}
    assert browser.post(INBOX, chosen).status_code == 403
    if role == "viewer":
        assert browser.post(INBOX, {**chosen, "action": "mark_selected"}).status_code == 403
    misread.refresh_from_db()
    assert misread.verdict == Verdict.UNREADABLE


@pytest.mark.parametrize("action", ["read", "looked-at"])
def test_nothing_is_done_by_get_or_without_the_forms_token(action: str, misread: CallbackDelivery) -> None:
    browser = at_desk("supervisor")
    assert browser.get(f"{INBOX}{misread.pk}/{action}/").status_code == 405
    browser.handler.enforce_csrf_checks = True
    assert browser.post(f"{INBOX}{misread.pk}/{action}/").status_code == 403


def test_what_is_applied_is_not_offered_and_refused(applied: CallbackDelivery) -> None:
    supervisor = at_desk("supervisor")
    assert "data-action" not in page_of(applied, supervisor)
    before = PaymentEvent.objects.count()
    for action, words in (("read", "It is applied already"), ("looked-at", "It is no problem")):
        answer = supervisor.post(f"{INBOX}{applied.pk}/{action}/", follow=True)
        assert words in answer.content.decode()
    assert PaymentEvent.objects.count() == before


def test_a_problem_is_marked_once(forged: CallbackDelivery, clock: Clock) -> None:
    actions.mark_delivery_reviewed(forged.pk, by="kraph", now=clock())
    with pytest.raises(ActionRefused, match="kraph has looked at it already"):
        actions.mark_delivery_reviewed(forged.pk, by="otieno", now=clock())


def test_many_are_read_and_each_says_what_came_of_it(
    misread: CallbackDelivery, click: Click, safaricom: FakeDaraja, clock: Clock
) -> None:
    pay(click, safaricom, clock, receipt="UKN4ZZ99ZZ", msisdn=OTIENO, reference="CART2")
    done = CallbackDelivery.objects.latest("id")
    stray = arrive(b"<html>", clock)
    chosen = {"action": "read_selected", "_selected_action": [misread.pk, done.pk, stray.pk]}
    page = at_desk("supervisor").post(INBOX, chosen).content.decode()
    for words in ("Read once more: applied.", "It is applied already", "Read once more: not readable."):
        assert words in page, words


def test_one_that_fails_stops_no_other(
    misread: CallbackDelivery, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = arrive(b"<html>", clock)
    apply = callbacks.apply_delivery

    def breaks(delivery: Any, **kwargs: Any) -> Any:
        if delivery.id == broken.pk:
            raise RuntimeError("a bug")
        return apply(delivery, **kwargs)

    monkeypatch.setattr(callbacks, "apply_delivery", breaks)
    chosen = {"action": "read_selected", "_selected_action": [misread.pk, broken.pk]}
    page = at_desk("supervisor").post(INBOX, chosen).content.decode()
    assert "Read once more: applied." in page
    assert "the reason stands in the shop&#x27;s log" in page


def test_many_are_marked_at_once(forged: CallbackDelivery, clock: Clock) -> None:
    junk = arrive(b"<html>", clock)
    cashier = at_desk("cashier")
    cashier.post(INBOX, {"action": "mark_selected", "_selected_action": [forged.pk, junk.pk]})
    assert CallbackDelivery.objects.filter(reviewed_by="cashier").count() == 2


@pytest.mark.django_db
def test_more_than_a_hundred_at_once_are_refused(clock: Clock) -> None:
    CallbackDelivery.objects.bulk_create(
        CallbackDelivery(received_at=clock(), body="{}", verdict="unreadable") for _ in range(101)
    )
    chosen = {"action": "mark_selected", "_selected_action": ["1"], "select_across": "1"}
    page = at_desk("supervisor").post(INBOX, chosen, follow=True).content.decode()
    assert "Nothing was done: choose at most 100 at once." in page
    assert not CallbackDelivery.objects.exclude(reviewed_at=None).exists()


def test_the_pages_history_names_who_did_what(misread: CallbackDelivery) -> None:
    supervisor = at_desk("supervisor", "akinyi")
    supervisor.post(f"{INBOX}{misread.pk}/looked-at/")
    supervisor.post(f"{INBOX}{misread.pk}/read/")
    history = page_of(misread, supervisor).split('id="history"')[1].split("</ol>")[0]
    assert history.count("akinyi") == 2
    for words in ("It came from Safaricom", "Read once more: applied.", "Marked as looked at."):
        assert words in history, words


@pytest.mark.parametrize("path", ["999999/change/", "x/change/", "9" * 30 + "/change/"])
def test_a_callback_that_is_not_there_is_not_found(path: str, db: None) -> None:
    assert at_desk("viewer").get(INBOX + path).status_code == 404
