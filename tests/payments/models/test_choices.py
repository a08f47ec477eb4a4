"""A column with choices takes nothing else: neither from a person nor from a slip of our own."""

from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.db.models import CheckConstraint, Field, Model, Q

from payments.models import CallbackDelivery, HandSettlement, MpesaTransaction, StatementLine
from tests.support.payments.clock import Clock
from tests.support.payments.fake_daraja import FakeDaraja
from tests.support.payments.paying import pay
from tests.support.payments.stating import row_of, state


def choices() -> list[tuple[type[Model], "Field[Any, Any]"]]:
    return [
        (model, field)
        for label in ("orders", "payments")
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.fields
        if field.choices
    ]


def conditions(model: type[Model]) -> list[Q]:
    return [each.condition for each in model._meta.constraints if isinstance(each, CheckConstraint)]  # type: ignore[misc]


def named(condition: Q, field: str) -> set[str]:
    """Values that a condition names for a column."""
    found: set[str] = set()
    for part in condition.children:
        if isinstance(part, Q):
            found |= named(part, field)
        elif part[0] == field:
            found.add(part[1])
        elif part[0] == f"{field}__in":
            found |= set(part[1])
    return found


@pytest.mark.parametrize(("model", "field"), choices(), ids=str)
def test_every_column_with_choices_has_a_check_that_names_them_all(
    model: type[Model], field: "Field[Any, Any]"
) -> None:
    offered = {str(value) for value, _ in field.flatchoices}
    assert any(named(condition, field.name) == offered for condition in conditions(model))


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (MpesaTransaction, "channel"),
        (CallbackDelivery, "verdict"),
        (HandSettlement, "decision"),
        (HandSettlement, "evidence"),
        (StatementLine, "kind"),
        (StatementLine, "match"),
    ],
)
def test_the_database_refuses_what_is_no_choice(
    model: Any, field: str, click: Any, safaricom: FakeDaraja, clock: Clock
) -> None:
    attempt = pay(click, safaricom, clock)
    state([row_of(attempt)], clock)
    HandSettlement.objects.create(
        attempt=attempt, receipt="UKN4AB12CD", amount_kes=1500, evidence="sms", reason="She read it to me.",
        needs_second=True, proposed_by="akinyi", proposed_at=clock(),
    )  # fmt: skip
    rows = model.objects.order_by("-pk")[:1].values("pk")
    with pytest.raises(IntegrityError, match=r"is_known|decided_settlement"), transaction.atomic():
        assert model.objects.filter(pk__in=list(rows.values_list("pk", flat=True))).update(**{field: "odd"})
