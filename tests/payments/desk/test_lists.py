"""All lists of the desk alike: Apply keeps every filter, and whatever stands in an address gets the list or a word."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import DataError
from django.test import Client, RequestFactory
from django.urls import reverse

from djkraph.middleware import FILTERS_UNREADABLE
from payments.models import MpesaTransaction
from tests.support.payments.clock import Clock
from tests.support.payments.desk import PAYMENTS, words_of
from tests.support.payments.paying import Click

LISTS = {
    f"{model._meta.app_label}.{model._meta.model_name}": each for model, each in admin.site._registry.items()
}
WITH_A_FORM = [name for name, each in LISTS.items() if getattr(each, "list_filter_submit", False)]
DJANGOS_OWN = ("q", "p", "o", "all", "e", "_facets", "_popup")
ODD = ("9999-12-31", "0001-01-01", "a\x00b\x1b", "99999999999999999999", "-1", "\u0663\u2028%_'\\", "9" * 300)


@pytest.fixture
def owner(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("kraph", "kraph@example.com", "a-long-passphrase"))
    return client


def address_of(name: str) -> str:
    return reverse(f"admin:{name.replace('.', '_')}_changelist")


def parameters_of(name: str) -> list[str]:
    """What this list's filters read from an address."""
    request: Any = RequestFactory().get("/")
    request.user = User.objects.get(username="kraph")
    specs = LISTS[name].get_changelist_instance(request).filter_specs
    return [str(each) for spec in specs for each in spec.expected_parameters() if each]


class Form(HTMLParser):
    """What the form with this id would send, if nobody touched it."""

    def __init__(self, form_id: str, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._id, self._inside, self._select = form_id, False, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = told.get("id") == self._id
        if not self._inside:
            return
        if tag == "input" and told.get("name") and (told.get("type") != "radio" or "checked" in told):
            self.sent[told["name"]] = told.get("value", "")
        elif tag == "select":
            self._select = told.get("name", "")
        elif tag == "option" and "selected" in told:
            self.sent[self._select] = told.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


def some_value(name: str, parameter: str) -> str:
    """One that the filter offers, or a day, or a number."""
    request: Any = RequestFactory().get("/")
    request.user = User.objects.get(username="kraph")
    for spec in LISTS[name].get_changelist_instance(request).filter_specs:
        if parameter in spec.expected_parameters():
            of_field = getattr(getattr(spec, "field", None), "flatchoices", None)
            offered = getattr(spec, "lookup_choices", None) or of_field
            if offered:
                return str(next(iter(offered))[0])
    return "2026-11-25" if "_from" in parameter or "_to" in parameter else "1"


@pytest.mark.parametrize("name", WITH_A_FORM)
def test_apply_keeps_every_filter(name: str, owner: Client) -> None:
    told = {parameter: some_value(name, parameter) for parameter in parameters_of(name)}
    told = {
        key: "7" if key.startswith("amount") else value for key, value in told.items() if "isnull" not in key
    }
    told |= {"q": "DK34679ACD", "o": "1"}
    page = owner.get(address_of(name), {**told, "p": "3"})
    assert page.status_code == 200
    assert Form("filter-form", words_of(page)).sent == told  # and it begins at the first page again


def test_apply_with_a_day_keeps_why_a_payment_needs_a_person(
    owner: Client, click: Click, clock: Clock
) -> None:
    click()
    told = Form("filter-form", words_of(owner.get(PAYMENTS, {"needs": "unpriced"}))).sent
    told["created_at_from"] = "2026-11-24"
    answer = owner.get(PAYMENTS, told)
    assert told["needs"] == "unpriced"
    assert not answer.context["cl"].queryset.exists()  # asked for the day before
    told["created_at_from"] = "2026-11-23"
    MpesaTransaction.objects.update(unpriced=False)
    assert not owner.get(PAYMENTS, told).context["cl"].queryset.exists()


@pytest.mark.parametrize("name", LISTS)
def test_whatever_stands_in_an_address_gets_the_list_or_a_word(name: str, owner: Client) -> None:
    for parameter in (*parameters_of(name), *DJANGOS_OWN):
        for value in ODD[:4]:
            answer = owner.get(address_of(name), {parameter: value})
            assert answer.status_code in (200, 302), (parameter, value)


@pytest.mark.parametrize("value", ODD)
def test_pages_beside_the_lists_too(value: str, owner: Client) -> None:
    for page in (reverse("desk-day"), reverse("admin:index"), f"{PAYMENTS}export/"):
        for parameter in ("date", "q", "created_at_to", "created_at_from", "amount_kes_from", "needs"):
            answer = owner.get(page, {parameter: value})
            assert answer.status_code in (200, 302, 400), (page, parameter)
            b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("day", "count"),
    [
        ({"to": "9999-12-31"}, 1),
        ({"from": "0001-01-01"}, 1),
        ({"from": "9999-12-31"}, 0),
        ({"to": "0001-01-01"}, 0),
    ],
)
def test_a_day_at_the_edge_of_time_is_a_day(
    day: dict[str, str], count: int, owner: Client, click: Click
) -> None:
    click()
    answer = owner.get(PAYMENTS, {f"created_at_{end}": value for end, value in day.items()})
    assert answer.context["cl"].queryset.count() == count


@pytest.mark.parametrize("error", [ValueError, OverflowError, DataError])
def test_what_a_list_cant_make_sense_of_is_said(
    error: type[Exception], owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr("payments.desk.lists.search.found", fail)
    answer = owner.get(PAYMENTS, {"q": "x"}, follow=True)
    assert answer.redirect_chain == [(PAYMENTS, 302)]
    assert FILTERS_UNREADABLE.replace("'", "&#x27;") in words_of(answer)
    monkeypatch.setattr("payments.desk.lists.rows.ManyRows.get_queryset", fail)
    with pytest.raises(error):  # without filters it is our own mistake, and is not hidden
        owner.get(PAYMENTS)
