"""What the address of a list may ask for: what its filters offer, and nothing else, whoever asks; odd values too."""

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Field, Model
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from djkraph.admin import OfferedOnly
from payments.desk.addresses import list_of
from payments.models import MpesaTransaction
from tests.support.payments.paying import Click

LISTS = sorted(
    (model for model in admin.site._registry if model._meta.app_label in ("payments", "orders", "auth")),
    key=str,
)
SECRETS = (
    "hash",
    "token",
    "salt",
    "joined",
    "sealed",
    "key",
    "body",
    "password",
    "opened_from",
    "phone",
    "email",
)


@pytest.fixture
def asked(click: Click) -> MpesaTransaction:
    """A payment that a list can show."""
    return click()


def is_offered(model: type[Model], field: str) -> bool:
    offered = admin.site._registry[model].list_filter
    return field in (
        each[0] if isinstance(each, tuple) else each for each in offered if not isinstance(each, type)
    )


def named_by_a_filter(model: type[Model]) -> set[str]:
    of = admin.site._registry[model].list_filter
    return {
        str(each.parameter_name)
        for each in of
        if isinstance(each, type) and issubclass(each, SimpleListFilter)
    }


def look_ups() -> Iterator[tuple[type[Model], str]]:
    """Each column, and those of the rows it points at, letter by letter."""
    for model in LISTS:
        for field in model._meta.get_fields():
            if not isinstance(field, Field) or is_offered(model, field.name):
                continue
            for asked in ("", "__startswith", "__regex", "__contains", "__gte", "__isnull", "__exact"):
                if f"{field.name}{asked}" not in named_by_a_filter(model):
                    yield model, f"{field.name}{asked}"
            if field.is_relation and field.related_model is not None:
                for theirs in field.related_model._meta.fields:
                    yield model, f"{field.name}__{theirs.name}__startswith"


def test_each_list_asks_only_what_it_offers() -> None:
    assert [model for model in LISTS if not isinstance(admin.site._registry[model], OfferedOnly)] == []


def test_no_filter_is_of_a_secret_column() -> None:
    for model, secret in product(LISTS, SECRETS):
        for each in admin.site._registry[model].list_filter:
            name = each[0] if isinstance(each, tuple) else each
            assert not (isinstance(name, str) and secret in name), (model, name)


def test_no_column_is_looked_into_by_the_address_of_a_list(admin_client: Client) -> None:
    asked = sorted({(model, lookup) for model, lookup in look_ups()}, key=str)
    assert len(asked) > 1500
    allowed = [
        (model.__name__, lookup)
        for model, lookup in asked
        if admin.site._registry[model].lookup_allowed(lookup, "a")
    ]
    assert allowed == []


@pytest.mark.parametrize(
    "lookup",
    [
        "phone_hash__startswith",
        "callback_token_hash__startswith",
        "phone_salt__regex",
        "order__token__startswith",
        "order__email__contains",
        "checkout_request_id__contains",
        "postings__hash__startswith",
        "state__startswith",
        "state__order__token",
        "needs__exact",
    ],
)
def test_the_owner_is_refused_too(admin_client: Client, asked: MpesaTransaction, lookup: str) -> None:
    answer = admin_client.get(list_of(MpesaTransaction), {lookup: "a"})
    assert answer.status_code == 400
    assert "Choose from its filters instead" in answer.content.decode()


def test_another_column_is_not_picked_by_a_pop_up(admin_client: Client, asked: MpesaTransaction) -> None:
    answer = admin_client.get(list_of(MpesaTransaction), {"_popup": "1", "_to_field": "phone_hash"})
    assert answer.status_code == 400


# --- odd values -----------------------------------------------------------------------------------------

OF_DJANGO = ("q", "o", "p", "all", "e", "_popup", "_to_field", "_facets", "_changelist_filters", "made_up")
ODD = (
    "", " ", "\x00", "a\x00b", "-1", "0", "1e400", "9" * 40, "10" * 400, "x" * 5000, "é", "🙂", "‮", "'", '"><script>',
    "%", "%00", "../..", "None", "null", "NaN", "1.1.1", "-1.-2", "2026-02-30", "9999-12-31", "0001-01-01", "[]", "{}",
    "1;2", "1,2", "\n", "\t", "١", "True",
)  # fmt: skip


def parameters(model: type[Model]) -> list[str]:
    """All that this list offers."""
    found = list(OF_DJANGO)
    for each in admin.site._registry[model].list_filter:
        if isinstance(each, type) and issubclass(each, SimpleListFilter):
            found.append(str(each.parameter_name))
            continue
        field = str(each[0] if isinstance(each, tuple) else each)
        found += [field, f"{field}_from", f"{field}_to"]
        found += [f"{field}__{asked}" for asked in ("exact", "isnull", "in", "gte", "lte", "id__exact")]
    return found


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_odd_values_get_a_word(admin_client: Client, asked: MpesaTransaction, model: type[Model]) -> None:
    """Each parameter with some of the values, the next with others. With ALL_ODD_VALUES set each with all of them: that
    takes minutes."""
    admin_client.raise_request_exception = False
    step = 1 if "ALL_ODD_VALUES" in os.environ else 8
    for number, name in enumerate(parameters(model)):
        for value in ODD[number % step :: step]:
            answer = admin_client.get(list_of(model), {name: value})
            assert answer.status_code in (200, 302, 400), (name, value)


@pytest.mark.django_db
@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_any_values_together_get_a_word(admin_client: Client, model: type[Model]) -> None:
    admin_client.raise_request_exception = False
    named = st.sampled_from(parameters(model))
    value = st.sampled_from(ODD) | st.text(max_size=20) | st.integers().map(str) | st.dates().map(str)

    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=st.dictionaries(named, st.lists(value, min_size=1, max_size=3), max_size=5))
    def asks(asked: dict[str, Any]) -> None:
        answer = admin_client.get(list_of(model), asked)
        assert answer.status_code in (200, 302, 400), asked

    asks()
