"""Export CSV: exactly what the list is filtered to, in words, safe to open, and in bounded memory."""

import csv
import io
import json
import logging
import re
import tracemalloc
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import example, given
from hypothesis import strategies as st

from payments import callbacks
from payments.desk.lists import export
from payments.desk.lists.table import lines, safe
from payments.models import MpesaTransaction
from tests.support.payments.callback_bodies import failure, success
from tests.support.payments.clock import Clock
from tests.support.payments.desk import at_desk
from tests.support.payments.fake_daraja import OTIENO, WANJIRU, FakeDaraja
from tests.support.payments.ordering import many_orders

Click = Callable[..., MpesaTransaction]
EXPORT = "/admin/payments/mpesatransaction/export/"
LIST = "/admin/payments/mpesatransaction/"
AMOUNT, RECEIVED = export.HEADER.index("Amount (KES)"), export.HEADER.index("Received (KES)")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def exported(browser: Client, query: dict[str, str] | None = None) -> list[dict[str, str]]:
    answer = browser.get(EXPORT, query or {})
    assert answer.status_code == 200
    assert answer.streaming
    text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
    assert text.startswith("\ufeff")
    head, *rows = read(text.removeprefix("\ufeff"))
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.fixture
def three(click: Click, safaricom: FakeDaraja, clock: Clock) -> list[MpesaTransaction]:
    """One paid, one cancelled, one that waits."""

    def answer(body: Any) -> None:
        raw = json.dumps(body).encode()
        callbacks.receive_callback(token=safaricom.last_token, body=raw, source_address=None, now=clock())

    paid = click()
    answer(success())
    clock.advance(minutes=3)
    cancelled = click(reference="CART2", amount=700)
    answer(failure(checkout_id="ws_CO_2"))
    clock.advance(days=1)
    waits = click(OTIENO, amount=900, reference="=cmd|'/c calc'!A1")
    return [paid, cancelled, waits]


def test_each_payment_is_a_row_in_words(three: list[MpesaTransaction]) -> None:
    paid, cancelled, waits = reversed_back(exported(at_desk("supervisor")))
    assert paid == {
        "Time (Nairobi)": "2026-11-23 18:00:00",
        "Order": three[0].account_reference,
        "Page's reference": "CART1",
        "State": "Paid",
        "Amount (KES)": "1500",
        "Received (KES)": "1500",
        "Sent back (KES)": "0",
        "Receipt": "UKN4AB12CD",
        "Phone": "2547••••5678",
        "Channel": "Paybill",
        "Result": "Paid",
        "Needs a person": "Unpriced",
        "Came late": "",
        "By hand": "",
    }
    assert (cancelled["State"], cancelled["Result"]) == ("Not paid", "Cancelled by the user")
    assert (cancelled["Received (KES)"], cancelled["Receipt"]) == ("0", "")
    assert (waits["State"], waits["Result"]) == ("Waiting for the buyer", "")


def test_an_amount_in_doubt_is_an_empty_cell(three: list[MpesaTransaction]) -> None:
    MpesaTransaction.objects.filter(id=three[0].id).update(amount_differs=True, received_kes=None)
    paid, *_ = reversed_back(exported(at_desk("supervisor")))
    assert (paid["Amount (KES)"], paid["Received (KES)"]) == ("1500", "")


def reversed_back(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The file has the newest first."""
    return rows[::-1]


def test_what_a_buyer_typed_is_no_formula(three: list[MpesaTransaction]) -> None:
    assert exported(at_desk("supervisor"))[0]["Page's reference"] == "'=cmd|'/c calc'!A1"


def test_it_holds_no_phone_number_and_no_checkout_id(three: list[MpesaTransaction]) -> None:
    text = str(exported(at_desk("supervisor")))
    for private in (WANJIRU, OTIENO, WANJIRU[3:], "ws_CO_", three[0].phone_hash):
        assert private not in text


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, {0, 1, 2}),
        ({"state": "completed"}, {0}),
        ({"state": "failed"}, {1}),
        ({"needs": "unpriced"}, {0}),
        ({"created_at_from": "2026-11-24"}, {2}),
        ({"created_at_to": "2026-11-23"}, {0, 1}),
        ({"amount_kes_from": "800", "amount_kes_to": "1000"}, {2}),
        ({"q": "CART2"}, {1}),
        ({"q": "0712 345 678"}, {0, 1}),
        ({"q": "0712 345 678", "state": "failed"}, {1}),
        ({"q": "nothing like it"}, set()),
        ({"p": "7", "o": "1"}, {0, 1, 2}),
    ],
    ids=str,
)
def test_exactly_what_the_list_is_filtered_to_is_exported(
    query: dict[str, str], wanted: set[int], three: list[MpesaTransaction]
) -> None:
    supervisor = at_desk("supervisor")
    codes = {three[number].account_reference for number in wanted}
    assert {row["Order"] for row in exported(supervisor, query)} == codes
    if "p" not in query:
        listed = supervisor.get(LIST, query).context_data["cl"].result_list
        assert {attempt.account_reference for attempt in listed} == codes


def test_filters_that_nobody_can_read_export_nothing(three: list[MpesaTransaction]) -> None:
    supervisor = at_desk("supervisor")
    answer = supervisor.get(EXPORT, {"amount_kes__gte": "much"}, follow=True)
    assert answer.redirect_chain == [(LIST, 302)]
    assert "nothing was exported" in answer.content.decode()


def test_the_file_has_a_name_with_its_day_and_is_kept_nowhere(db: None) -> None:
    answer = at_desk("supervisor").get(EXPORT)
    assert re.fullmatch(
        r'attachment; filename="payments-20\d\d-\d\d-\d\d\.csv"', answer["Content-Disposition"]
    )
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in answer["Cache-Control"]


def test_the_button_keeps_the_lists_filters(three: list[MpesaTransaction]) -> None:
    page = at_desk("supervisor").get(LIST, {"state": "completed", "q": "CART1"}).content.decode()
    assert f'href="{EXPORT}?state=completed&amp;q=CART1"' in page


@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("cashier", False), ("supervisor", True), ("auditor", True)]
)
def test_only_who_may_export_sees_the_button_and_gets_the_file(
    role: str, may: bool, three: list[MpesaTransaction]
) -> None:
    browser = at_desk(role)
    assert ("Export CSV" in browser.get(LIST).content.decode()) is may
    assert browser.get(EXPORT).status_code == (200 if may else 403)


def test_an_export_leaves_a_line_in_the_log(
    three: list[MpesaTransaction], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="payments.desk.lists.exporting"):
        exported(at_desk("supervisor"), {"q": "0712 345 678"})
    (record,) = [record for record in caplog.records if record.name == "payments.desk.lists.exporting"]
    said = vars(record)
    assert (said["by"], said["rows"], said["whole"]) == ("supervisor", 2, True)
    assert "712" not in str(said["msg"]) + str(said["args"])


def test_a_download_that_is_cut_off_is_logged_as_such(
    three: list[MpesaTransaction], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="payments.desk.lists.exporting"):
        answer = at_desk("supervisor").get(EXPORT)
        next(iter(answer.streaming_content))  # type: ignore[call-overload]
        answer.close()
    assert [vars(record)["whole"] for record in caplog.records if record.name.endswith("exporting")] == [
        False
    ]


@pytest.mark.django_db
def test_chunks_hold_each_payment_once_newest_first(clock: Clock) -> None:
    many_orders(25, clock())
    with CaptureQueriesContext(connection) as made:
        got = [row.id for chunk in export.chunks(MpesaTransaction.objects.all(), size=10) for row in chunk]
    assert got == sorted(MpesaTransaction.objects.values_list("id", flat=True), reverse=True)
    assert len(made) == 4


# --- formulas -------------------------------------------------------------------------------------------

STARTS_A_FORMULA = set("=+-@")
SEPARATORS = re.compile("[,;\t|]")


def begins_a_formula(cell: str) -> bool:
    """As a spreadsheet that strips blanks, quotes and what can't be seen, and takes full-width forms for plain."""
    seen = [
        c
        for c in unicodedata.normalize("NFKC", cell)
        if unicodedata.category(c)[0] not in "ZC" and c not in "\"'"
    ]
    first_is_apostrophe = cell.startswith("'")
    return bool(seen) and seen[0] in STARTS_A_FORMULA and not first_is_apostrophe


FORMULAS = st.builds(
    lambda before, sign, after: before + sign + after,
    st.text(alphabet=" \t\r\n\"'\u00a0\u200b\ufeff\x00;,|", max_size=4),
    st.sampled_from("=+-@＝＋－＠−"),
    st.text(max_size=10),
)


@given(st.one_of(st.text(max_size=30), FORMULAS))
@example("=1+1")
@example("\t=1+1")
@example('"=1+1')
@example(" ＝1+1")
@example("x;=1+1")
@example("\u200b@SUM(A1)")
@example("a\r\n=1+1")
def test_no_text_becomes_a_formula(text: str) -> None:
    line = "".join(lines([[text, 5]]))
    ((cell, number),) = read(line)
    assert number == "5"
    assert not begins_a_formula(cell)
    for part in SEPARATORS.split(cell)[1:]:  # in a spreadsheet that splits at another sign
        assert not begins_a_formula(part)
    assert not re.search(r"[\x00-\x1f]", cell)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), max_size=20))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    "text", ["2547••••5678", "DK7F3K9QX4", "Page's reference", "Not paid", "", "a-b", "a = b"]
)
def test_what_we_write_ourselves_stays_as_it_is(text: str) -> None:
    assert safe(text) == text


def test_a_long_hostile_text_takes_no_time() -> None:
    assert len(safe('" ' * 50_000 + "x")) == 100_001


# --- a million rows -------------------------------------------------------------------------------------


class Million:
    """Stands for a queryset of a million payments: gives slices of values, newest first, and holds none."""

    def __init__(self, below: int = 1_000_001) -> None:
        self.below = below

    def order_by(self, *_names: str) -> "Million":
        return self

    def values_list(self, *_names: str, named: bool) -> "Million":
        return self

    def filter(self, id__lt: int) -> "Million":
        return Million(id__lt)

    def __getitem__(self, part: slice) -> Iterator[Any]:
        return (a_row(number) for number in range(self.below - 1, max(0, self.below - 1 - part.stop), -1))


def a_row(number: int) -> Any:
    """A whole row in one chunk of fifty; else its id, which is all that chunks() asks for."""
    if (1_000_000 - number) // export.CHUNK % 50:
        return SimpleNamespace(id=number)
    row: dict[str, Any] = dict.fromkeys(export.FIELDS)
    known = {
        "id": number,
        "due_cents": 0,
        "created_at": datetime(2026, 11, 23, 15, tzinfo=UTC),
        "account_reference": f"DK{number}",
        "state": "failed",
        "amount_kes": 1500,
        "channel": "CustomerPayBillOnline",
        "phone_masked": "2547••••5678",
        "result_code": "1032",
    }
    return SimpleNamespace(**{**row, **known})


def test_a_million_rows_pass_through_a_small_memory() -> None:
    rows = characters = 0
    tracemalloc.start()
    for chunk in export.chunks(Million()):  # type: ignore[arg-type]
        rows += len(chunk)
        if hasattr(chunk[0], "state"):
            characters += len(export.body(chunk))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 1_000_000
    assert characters > 1_000_000
    assert peak < 16_000_000  # bytes
